package cdc

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Obstacle is something that keeps a stream from being had, or soon will.
type Obstacle struct {
	Reason string // one of Reasons
	Text   string // for people, with what to do
}

// Examine asks for all that a stream needs, and goes on after the first thing that lacks. It makes
// no slot. The error says that nothing could be asked.
func Examine(ctx context.Context, c Config) ([]Obstacle, error) {
	c = c.withDefaults()
	config, err := c.replicationConfig()
	if err != nil {
		return nil, err
	}
	var found []Obstacle
	note := func(err error) {
		if err != nil {
			name, text := reasonOf(err)
			found = append(found, Obstacle{name, text})
		}
	}
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err == nil {
		defer closeConn(conn, closeWait)
		if _, err := pglogrepl.IdentifySystem(ctx, conn); err != nil {
			note(because(ReasonPooler, "not a replication connection; the URL for replication must lead to PostgreSQL directly: %w", err))
		}
	} else {
		note(err)
	}
	// The rest is asked where rows are read: it is to be told whatever the stream's role may.
	read, err := c.readConfig()
	if err != nil {
		return found, err
	}
	db, err := pgx.ConnectConfig(ctx, read)
	if err != nil {
		return found, fmt.Errorf("connect: %w", err)
	}
	defer closeConn(db.PgConn(), closeWait)
	server, err := readServer(ctx, db.PgConn())
	if err != nil {
		return found, err
	}
	for _, part := range []func() error{server.checkVersion, server.checkPrimary, server.checkWALLevel} {
		note(part())
	}
	for _, name := range c.Publications {
		note(checkPublication(ctx, db.PgConn(), name))
	}
	note(checkPublications(ctx, db.PgConn(), c.Publications))
	more, err := checkRoom(ctx, db.PgConn())
	if err != nil {
		return found, err
	}
	return withoutTwins(append(found, more...)), nil
}

// checkPublication says whether there is one.
func checkPublication(ctx context.Context, conn *pgconn.PgConn, name string) error {
	rows, err := query(ctx, conn, `SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = `+quoteLiteral(name))
	if err == nil && len(rows) == 0 {
		err = because(ReasonPublication, "publication %q does not exist; run the migrations", name)
	}
	return err
}

const roomQuery = `SELECT current_setting('max_replication_slots'), (SELECT count(*) FROM pg_catalog.pg_replication_slots),
	current_setting('max_wal_senders'), (SELECT count(*) FROM pg_catalog.pg_stat_replication)`

// checkRoom looks whether one more slot and one more sender can be had.
func checkRoom(ctx context.Context, conn *pgconn.PgConn) (found []Obstacle, err error) {
	rows, err := query(ctx, conn, roomQuery)
	if err != nil || len(rows) != 1 {
		return nil, fmt.Errorf("look for free slots: %w", err)
	}
	var n [4]int
	for i, text := range rows[0] {
		if n[i], err = strconv.Atoi(text); err != nil {
			return nil, fmt.Errorf("look for free slots: %w", err)
		}
	}
	if n[1] >= n[0] {
		found = append(found, Obstacle{ReasonNoSlot, fmt.Sprintf("all %d replication slots are taken: raise max_replication_slots, or drop one that nobody uses", n[0])})
	}
	if n[3] >= n[2] {
		found = append(found, Obstacle{ReasonNoSender, fmt.Sprintf("all %d senders are taken: raise max_wal_senders", n[2])})
	}
	return found, nil
}

func withoutTwins(list []Obstacle) (out []Obstacle) {
	seen := map[Obstacle]bool{}
	for _, o := range list {
		if !seen[o] {
			out = append(out, o)
		}
		seen[o] = true
	}
	return out
}
