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
	// Between tries it has no transaction open: through a pooler those who wait would
	// leave no connection for the one that works.
	d.eventually(`SELECT count(*) = 0 FROM pg_stat_activity
		WHERE datname = current_database() AND application_name = 'workflow-worker migrate' AND xact_start IS NOT NULL`)
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

// eventually returns when a query says true.
func (d *database) eventually(query string) {
	d.Helper()
	ctx, cancel := context.WithTimeout(d.Context(), time.Minute)
	defer cancel()
	for ok := false; !ok; time.Sleep(10 * time.Millisecond) {
		if err := d.conn.QueryRow(ctx, query).Scan(&ok); err != nil {
			d.Fatalf("%s\nnever became true: %v", query, err)
		}
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
