package stacktest

import (
	"context"
	"os"
	"testing"
	"time"

	"workflow-worker/docker/stack"
)

// Pooler gives a database's URL through a PgBouncer in the mode ("session" or
// "transaction"), which is stopped when the test ends. A machine where it can't be
// installed skips the test.
func Pooler(t testing.TB, database, mode string, users ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	log := new(serverLog)
	p, err := stack.StartPgBouncer(ctx, stack.PgBouncerOptions{Server: database, Mode: mode, Users: users, Log: log, Progress: os.Stderr})
	if err != nil {
		t.Skipf("no PgBouncer to be had: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := p.Stop(ctx); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("PgBouncer's log:\n%s", log)
		}
	})
	u, err := p.URL(database)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
