package database_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations/database"
)

func TestMain(m *testing.M) { stacktest.Main(m) }

// modes are the values of default_query_exec_mode; "" is none.
var modes = []string{"", "cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"}

func withMode(t *testing.T, u, mode string) string {
	t.Helper()
	parsed, err := url.Parse(u)
	if err != nil {
		t.Fatal(err)
	}
	q := parsed.Query()
	if mode != "" {
		q.Set("default_query_exec_mode", mode)
	}
	parsed.RawQuery = q.Encode()
	return parsed.String()
}

func open(t *testing.T, u string) *database.Pool {
	t.Helper()
	p, err := database.Open(t.Context(), u, database.Options{MaxConns: 6, Name: "test", Logger: stacktest.Logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// unlike are settings under which statements would mean something else.
var unlike = []string{
	"DateStyle = 'German'", "IntervalStyle = 'iso_8601'", "bytea_output = 'escape'", "extra_float_digits = -14", "TimeZone = 'Asia/Kolkata'",
	"standard_conforming_strings = off", "escape_string_warning = off", "statement_timeout = '150ms'", "lock_timeout = '10ms'",
	"idle_in_transaction_session_timeout = '150ms'", "idle_session_timeout = '10s'", "default_transaction_isolation = 'serializable'",
	"default_transaction_deferrable = on", "row_security = off", "client_encoding = 'LATIN1'", "xmlbinary = 'hex'", "array_nulls = off",
	"transform_null_equals = on", "quote_all_identifiers = on",
}

// onEach runs f directly and through PgBouncer, in each mode, against a database
// whose settings are all unlike ours.
func onEach(t *testing.T, f func(t *testing.T, p *database.Pool)) {
	direct := stacktest.Database(t)
	conn, err := pgx.Connect(t.Context(), direct)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), `CREATE TABLE public.notes (id bigint PRIMARY KEY, note jsonb, at timestamptz, real float8, raw bytea, ids uuid[])`); err != nil {
		t.Fatal(err)
	}
	for _, set := range unlike {
		if _, err := conn.Exec(t.Context(), "ALTER DATABASE "+pgx.Identifier{conn.Config().Database}.Sanitize()+" SET "+set); err != nil {
			t.Fatal(err)
		}
	}
	for _, way := range []string{"direct", "transaction", "session"} {
		t.Run(way, func(t *testing.T) {
			u := direct
			if way != "direct" {
				u = stacktest.Pooler(t, direct, way)
			}
			for _, mode := range modes {
				t.Run("mode "+mode, func(t *testing.T) { f(t, open(t, withMode(t, u, mode))) })
			}
		})
	}
}

// One of the tests' server may be there for all of these: each takes its own rows.
func TestStatementsMeanTheSameWhateverIsSetAndWhoeverIsBetween(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, p *database.Pool) {
		ctx := t.Context()
		id := time.Now().UnixNano()
		at := time.Date(2026, 2, 1, 10, 11, 12, 345678000, time.UTC)
		const note, text, number, raw = `{"a": "\u00fc \\ ' 1"}`, `ü \ ' "é`, 0.1 + 0.2, "\x00\x01\\"
		uuid := "6a2f41a3-c54c-4ce0-9bd7-3d4a8f0a1c55"
		tag, err := p.Exec(ctx, `INSERT INTO public.notes (id, note, at, real, raw, ids) VALUES ($1, $2::jsonb, $3, $4, $5, $6::text[]::uuid[])`,
			id, note, at, number, []byte(raw), []*string{&uuid, nil})
		if err != nil || tag.RowsAffected() != 1 {
			t.Fatal(tag, err)
		}
		var (
			gotNote map[string]string
			gotText string
			gotAt   time.Time
			gotReal float64
			gotRaw  []byte
			nulls   int
		)
		err = p.QueryRow(ctx, `SELECT note, $2::text, at, real, raw, cardinality(array_positions(ids, NULL)) FROM public.notes WHERE id = $1`, id, text).
			Scan(&gotNote, &gotText, &gotAt, &gotReal, &gotRaw, &nulls)
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]string
		if err := json.Unmarshal([]byte(note), &want); err != nil {
			t.Fatal(err)
		}
		if gotNote["a"] != want["a"] || gotText != text || !gotAt.Equal(at) || gotReal != number || string(gotRaw) != raw || nulls != 1 {
			t.Errorf("got %v %q %v %v %q, %d nulls", gotNote, gotText, gotAt, gotReal, gotRaw, nulls)
		}
		// What changes how a statement goes about it.
		b := &pgx.Batch{}
		var isolation, deferrable string
		b.Queue(`SELECT current_setting('transaction_isolation')`).QueryRow(func(r pgx.Row) error { return r.Scan(&isolation) })
		b.Queue(`SELECT current_setting('transaction_deferrable')`).QueryRow(func(r pgx.Row) error { return r.Scan(&deferrable) })
		b.Queue(`SELECT pg_sleep(0.25)`)
		if err := p.SendBatch(ctx, b); err != nil || isolation != "read committed" || deferrable != "off" {
			t.Errorf("a batch is %s, deferrable %s, %v", isolation, deferrable, err)
		}
		err = pgx.BeginTxFunc(ctx, p, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
			time.Sleep(200 * time.Millisecond) // idle in a transaction
			return tx.QueryRow(ctx, `SELECT current_setting('transaction_isolation')`).Scan(&isolation)
		})
		if err != nil || isolation != "repeatable read" {
			t.Errorf("a transaction is %s, %v", isolation, err)
		}
		// A statement that fails leaves nothing behind.
		var refused *pgconn.PgError
		if _, err := p.Exec(ctx, `INSERT INTO public.notes (id) VALUES ($1)`, id); !errors.As(err, &refused) || refused.Code != "23505" {
			t.Errorf("a second row of one key: %v", err)
		}
		if err := p.QueryRow(ctx, `SELECT 1/$1::int`, 0).Scan(new(int)); !errors.As(err, &refused) || refused.Code != "22012" {
			t.Errorf("a division by zero: %v", err)
		}
		if err := p.QueryRow(ctx, `SELECT 1 WHERE $1`, false).Scan(new(int)); !errors.Is(err, pgx.ErrNoRows) {
			t.Errorf("no row: %v", err)
		}
		closed := make(chan struct{})
		go func() {
			p.Close()
			close(closed)
		}()
		select {
		case <-closed:
		case <-time.After(10 * time.Second):
			t.Error("not all connections were given back")
		}
	})
}

// More clients than server connections, so that each statement may find another one.
func TestManyStatementsAtOnceThroughAPooler(t *testing.T) {
	t.Parallel()
	direct := stacktest.Database(t)
	u := stacktest.Pooler(t, direct, "transaction")
	p, other := open(t, u), open(t, u)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 20 {
				pool := []*database.Pool{p, other}[j%2]
				var got string
				sql := fmt.Sprintf(`SELECT $1::text || '%d'`, i)
				if err := pool.QueryRow(t.Context(), sql, "a").Scan(&got); err != nil || got != fmt.Sprintf("a%d", i) {
					t.Errorf("%q %v", got, err)
					return
				}
			}
		})
	}
	group.Wait()
}

// What a pooler hands to somebody else afterwards isn't changed by us.
func TestNothingIsLeftBehindInAPoolersSession(t *testing.T) {
	t.Parallel()
	direct := stacktest.Database(t)
	u := stacktest.Pooler(t, direct, "transaction")
	p := open(t, u)
	for range 3 {
		if _, err := p.Exec(t.Context(), `SELECT $1::int`, 1); err != nil {
			t.Fatal(err)
		}
	}
	c, err := pgx.Connect(t.Context(), withMode(t, u, "exec"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	for range 8 {
		var changed, prepared string
		err := c.QueryRow(t.Context(), `SELECT coalesce(string_agg(name, ', '), ''), (SELECT count(*)::text FROM pg_prepared_statements)
			FROM pg_settings WHERE source = 'session' AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')`).
			Scan(&changed, &prepared)
		if err != nil || changed != "" || prepared != "0" {
			t.Errorf("changed: %q, prepared statements: %s, %v", changed, prepared, err)
		}
	}
}

func TestAnErrorShowsNoPassword(t *testing.T) {
	t.Parallel()
	if _, err := database.Open(t.Context(), "postgres://u:secret@host:port/x", database.Options{}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}
