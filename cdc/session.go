package cdc

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
)

// session is one life of the stream: connect, check, make a slot, look at all,
// receive. It ends with an error that says why, always.
func (s *Source) session(ctx context.Context) error {
	conn, server, err := s.open(ctx)
	if err != nil {
		return err
	}
	wait := closeWait
	defer func() { closeConn(conn, wait) }()

	made, err := s.createSlot(ctx, conn)
	if err != nil {
		return err
	}
	if err := s.begin(ctx, conn, made); err != nil {
		return err
	}
	select {
	case gap := <-s.gate.gap:
		_ = gap // an earlier session's: this one has looked itself
	default:
	}
	ctx, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case gap := <-s.gate.gap:
			cancel(gap)
		case <-ctx.Done():
		}
	}()
	defer func() {
		cancel(nil)
		<-watched
	}()
	s.status.streaming()
	st := newStream(conn, made.point, server.pingInterval(s.config.PingInterval), s.gate.add, s.config.Observer)
	st.warned = s.gate.warned
	err = st.receive(ctx)
	if errors.Is(err, errStalled) {
		wait = 0 // nobody there to say farewell to
	}
	return err
}

// open connects and makes sure that a stream is to be had.
func (s *Source) open(ctx context.Context) (*pgconn.PgConn, server, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.ConnectTimeout)
	defer cancel()
	config := s.replication.Copy()
	s.config.Renew(config, true)
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, server{}, err
	}
	found, err := s.check(ctx, conn)
	if err != nil {
		closeConn(conn, closeWait)
		return nil, server{}, err
	}
	return conn, found, nil
}

func (s *Source) check(ctx context.Context, conn *pgconn.PgConn) (server, error) {
	// Some poolers let a replication connection's settings through without making it
	// one. This command exists only there.
	if _, err := pglogrepl.IdentifySystem(ctx, conn); err != nil {
		if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && refusal.Code == "42601" {
			return server{}, because(ReasonPooler, "not a replication connection; the URL for replication must lead to PostgreSQL directly")
		}
		return server{}, fmt.Errorf("identify system: %w", err)
	}
	found, err := readServer(ctx, conn)
	if err != nil {
		return server{}, err
	}
	if err := found.check(); err != nil {
		return server{}, err
	}
	return found, checkPublications(ctx, conn, s.config.Publications)
}

// begin starts the stream, once everything is going to be looked at.
func (s *Source) begin(ctx context.Context, conn *pgconn.PgConn, from slot) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.ConnectTimeout)
	defer cancel()
	last, err := lastTransaction(ctx, conn)
	if err != nil {
		return err
	}
	s.gate.addAll("connected", last)
	return startReplication(ctx, conn, from, s.config.Publications)
}

// server is what matters of the server's settings.
type server struct {
	version       int
	walLevel      string
	senderTimeout time.Duration
	standby       bool
}

const serverQuery = `SELECT current_setting('server_version_num'), current_setting('wal_level'),
	(SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'), pg_is_in_recovery()`

func readServer(ctx context.Context, conn *pgconn.PgConn) (server, error) {
	rows, err := query(ctx, conn, serverQuery)
	if err != nil {
		return server{}, fmt.Errorf("read settings: %w", err)
	}
	if len(rows) != 1 {
		return server{}, fmt.Errorf("read settings: %d rows", len(rows))
	}
	version, err := strconv.Atoi(rows[0][0])
	if err != nil {
		return server{}, fmt.Errorf("read server_version_num: %w", err)
	}
	timeout, err := strconv.Atoi(rows[0][2])
	if err != nil {
		return server{}, fmt.Errorf("read wal_sender_timeout: %w", err)
	}
	return server{
		version: version, walLevel: rows[0][1], senderTimeout: time.Duration(timeout) * time.Millisecond, standby: rows[0][3] == "t",
	}, nil
}

func (s server) check() error {
	return cmp.Or(s.checkVersion(), s.checkPrimary(), s.checkWALLevel())
}

func (s server) checkVersion() error {
	if s.version < 150000 {
		return because(ReasonServerVersion, "PostgreSQL 15 or later is needed for column lists; this is %d", s.version/10000)
	}
	return nil
}

func (s server) checkPrimary() error {
	if s.standby {
		return because(ReasonStandby, "this server is a standby; the URL for replication must lead to the primary")
	}
	return nil
}

func (s server) checkWALLevel() error {
	if s.walLevel != "logical" {
		return because(ReasonWALLevel, "wal_level is %q; set it to logical and restart PostgreSQL", s.walLevel)
	}
	return nil
}

// pingInterval is how long to bear silence: a quarter of the time after which the
// server gives up on us. Where it never does (0), the longest that we bear.
func (s server) pingInterval(longest time.Duration) time.Duration {
	if s.senderTimeout == 0 {
		return longest
	}
	return max(min(s.senderTimeout/4, longest), 10*time.Millisecond)
}

// slot is a temporary replication slot. It lives as long as its connection.
type slot struct {
	name  string
	point pglogrepl.LSN // transactions that commit from here on are streamed, whole
}

// createSlot makes the slot of this session. That waits until the transactions open
// at the moment have ended, so it may take as long as other sessions please.
func (s *Source) createSlot(ctx context.Context, conn *pgconn.PgConn) (slot, error) {
	// Each wait has its own lock_timeout. This is for a server that hangs.
	ctx, cancel := context.WithTimeout(ctx, 10*s.config.SlotLockTimeout)
	defer cancel()
	type outcome struct {
		slot slot
		err  error
	}
	done := make(chan outcome, 1)
	go func() {
		made, err := newSlot(ctx, conn, s.config.SlotPrefix)
		done <- outcome{made, err}
	}()
	patience := time.NewTicker(s.config.SlotPatience)
	defer patience.Stop()
	for {
		select {
		case o := <-done: // at the latest when ctx ends
			return o.slot, o.err
		case <-patience.C:
			s.status.polling(ReasonOpenTransactions, s.heldUp(ctx, conn.PID()))
		}
	}
}

func newSlot(ctx context.Context, conn *pgconn.PgConn, prefix string) (slot, error) {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	name := prefix + "_" + hex.EncodeToString(random[:])
	made, err := pglogrepl.CreateReplicationSlot(ctx, conn, name, "pgoutput", pglogrepl.CreateReplicationSlotOptions{
		Temporary: true, SnapshotAction: "NOEXPORT_SNAPSHOT", Mode: pglogrepl.LogicalReplication,
	})
	if err != nil {
		return slot{}, fmt.Errorf("create slot: %w", err)
	}
	point, err := pglogrepl.ParseLSN(made.ConsistentPoint)
	if err != nil {
		return slot{}, fmt.Errorf("create slot: consistent point: %w", err)
	}
	return slot{name: name, point: point}, nil
}

// lastTransaction is above every transaction that was committed before the slot's
// consistent point. Those are not in the stream, and some may not be visible yet: one
// that waits for a synchronous standby, for example. There is no way to read the next
// transaction id but to take it. It is given back by a rollback, because a commit
// would wait for that standby too.
func lastTransaction(ctx context.Context, conn *pgconn.PgConn) (uint32, error) {
	results, err := conn.Exec(ctx, `BEGIN; SELECT pg_current_xact_id()::text; ROLLBACK`).ReadAll()
	if err != nil {
		return 0, fmt.Errorf("take transaction id: %w", err)
	}
	if len(results) != 3 || len(results[1].Rows) != 1 || len(results[1].Rows[0]) != 1 {
		return 0, errors.New("take transaction id: unexpected result")
	}
	id, err := strconv.ParseUint(string(results[1].Rows[0][0]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("take transaction id: %w", err)
	}
	return uint32(id), nil
}

// startReplication asks for whole committed transactions in the order of their
// commits, which is what version 1 of the protocol is.
func startReplication(ctx context.Context, conn *pgconn.PgConn, from slot, publications []string) error {
	names := make([]string, len(publications))
	for i, name := range publications {
		names[i] = quoteName(name)
	}
	err := pglogrepl.StartReplication(ctx, conn, from.name, from.point, pglogrepl.StartReplicationOptions{
		Mode:       pglogrepl.LogicalReplication,
		PluginArgs: []string{"proto_version '1'", "publication_names " + quoteLiteral(strings.Join(names, ",")), "messages 'true'"},
	})
	if err != nil {
		return fmt.Errorf("start replication: %w", err)
	}
	return nil
}

// query runs one statement by the simple protocol, the only one that a replication
// connection understands.
func query(ctx context.Context, conn *pgconn.PgConn, sql string) ([][]string, error) {
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(results) != 1 {
		return nil, fmt.Errorf("%d results for one statement", len(results))
	}
	rows := make([][]string, len(results[0].Rows))
	for i, values := range results[0].Rows {
		for _, value := range values {
			rows[i] = append(rows[i], string(value))
		}
	}
	return rows, nil
}
