package stacktest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"workflow-worker/docker/stack"
)

// Database returns the superuser's URL of a fresh, empty database on the shared
// server. It is dropped when the test ends, connections and replication slots
// included.
func Database(t testing.TB) string {
	t.Helper()
	// template0 rather than template1: nobody can be connected to it, which would
	// make the copy fail.
	return newDatabase(t, shared.database(t), "template0")
}

// Postgres starts a server of the test's own, for tests that stop it or change
// its settings. It is stopped when the test ends; its log shows if the test failed.
func Postgres(t testing.TB, o stack.PostgresOptions) *stack.Postgres {
	t.Helper()
	log := new(serverLog)
	if o.Log == nil {
		o.Log = log
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	p, err := stack.StartPostgres(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := p.Stop(ctx); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("PostgreSQL's log:\n%s", log)
		}
	})
	return p
}

func newDatabase(t testing.TB, adminURL, template string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	if err := createDatabase(t.Context(), adminURL, name, template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := dropDatabase(ctx, adminURL, name); err != nil {
			t.Error(err)
		}
	})
	return databaseURL(t, adminURL, name)
}

func databaseURL(t testing.TB, adminURL, name string) string {
	t.Helper()
	u, err := url.Parse(adminURL)
	if err != nil {
		t.Fatalf("%s: %v", EnvDatabaseURL, err)
	}
	u.Path = "/" + name
	return u.String()
}

// createDatabase copies the files, which takes an eighth of what copying by the log does where
// nothing must reach a disk.
func createDatabase(ctx context.Context, adminURL, name, template string) error {
	return asAdmin(ctx, adminURL, "create database "+name, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, "CREATE DATABASE "+quote(name)+" TEMPLATE "+quote(template)+" STRATEGY file_copy")
		return err
	})
}

func dropDatabase(ctx context.Context, adminURL, name string) error {
	return asAdmin(ctx, adminURL, "drop database "+name, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)")
		if objectInUse(err) {
			// FORCE ends sessions, but not before it has looked for replication
			// slots in use: whoever streams from one is ended first.
			_, endErr := c.Exec(ctx, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = $1 AND active", name)
			return errors.Join(err, endErr)
		}
		return err
	})
}

// asAdmin runs a statement on a connection of its own: a pool kept open for this
// would be one more thing to close at the end. What fails because somebody else is
// in the database (autovacuum, a backend that is just leaving) is tried again.
func asAdmin(ctx context.Context, adminURL, what string, do func(*pgx.Conn) error) error {
	for try := 1; ; try++ {
		err := func() error {
			c, err := pgx.Connect(ctx, adminURL)
			if err != nil {
				return err
			}
			defer c.Close(context.WithoutCancel(ctx))
			return do(c)
		}()
		if err == nil {
			return nil
		}
		if !objectInUse(err) || try == 50 {
			return fmt.Errorf("%s: %w", what, err)
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, errors.Join(err, ctx.Err()))
		}
	}
}

func objectInUse(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "55006"
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
