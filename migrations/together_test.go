package migrations_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

func TestManyReplicasMayMigrateAtOnce(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(testing.TB) *database{"empty": emptyDatabase, "builder": builderDatabase} {
		for _, replicas := range []int{2, 10} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				d := make(t)
				var all errgroup.Group
				for range replicas {
					all.Go(func() error { return migrations.Run(t.Context(), d.url, stacktest.Logger(t)) })
				}
				if err := all.Wait(); err != nil {
					t.Fatal(err)
				}
				if got := d.strings(`SELECT version_id::text FROM workflow_worker.schema_version GROUP BY version_id HAVING count(*) > 1`); len(got) > 0 {
					t.Errorf("ran more than once: %v", got)
				}
			})
		}
	}
}

// A second process waits for the first, and ends its wait when it is told to.
func TestRunWaitsForAnotherProcess(t *testing.T) {
	t.Parallel()
	d := emptyDatabase(t)
	// The lock as another process holds it. Its key is part of what versions of the
	// service agree on.
	other := connect(t, d.url)
	tx, err := other.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock(x'776f726b666c6f77'::bigint)`); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	log := newRecorder()
	done := make(chan error, 2)
	go func() { done <- migrations.Run(ctx, d.url, log.logger()) }()
	log.wait(t, "waiting")
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while waiting: %v, want context.Canceled", err)
	}

	log = newRecorder()
	go func() { done <- migrations.Run(t.Context(), d.url, log.logger()) }()
	log.wait(t, "waiting")
	if n := d.string(`SELECT count(*)::text FROM pg_namespace WHERE nspname = 'workflow_worker'`); n != "0" {
		t.Error("it began while another process held the lock")
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("after the other process ended: %v", err)
	}
}

// An ALTER TABLE that waits makes everybody after it wait. It gives up soon, lets
// them pass, and tries again.
func TestRunLetsOthersPassWhileATableIsInUse(t *testing.T) {
	t.Parallel()
	d := builderDatabase(t)
	user := connect(t, d.url)
	tx, err := user.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM workflow_workers`); err != nil { // and stays in its transaction
		t.Fatal(err)
	}
	log := newRecorder()
	done := make(chan error, 1)
	go func() { done <- migrations.Run(t.Context(), d.url, log.logger()) }()
	log.wait(t, "in use")

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := d.conn.Exec(ctx, `SELECT FROM workflow_workers`); err != nil {
		t.Errorf("another reader, meanwhile: %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// wait returns when a line with text was logged.
func (r *recorder) wait(t testing.TB, text string) {
	t.Helper()
	timeout := time.After(time.Minute)
	for {
		select {
		case line := <-r.lines:
			if strings.Contains(line, text) {
				return
			}
		case <-timeout:
			t.Fatalf("not logged: %q\n%s", text, r)
		}
	}
}
