package main

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

// The database is put back to a moment before an execution began, and Temporal isn't: what began
// before goes on, the other waits until its text is live again.
func TestADatabaseOlderThanTemporalCostsNoExecution(t *testing.T) {
	t.Parallel()
	server := stacktest.Postgres(t, stack.PostgresOptions{})
	admin, err := pgx.Connect(t.Context(), server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(t.Context())
	run := func(sql string) {
		t.Helper()
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	run(`CREATE DATABASE live`)
	url := server.URL("live")
	if err := migrations.Run(t.Context(), url, stacktest.Logger(t)); err != nil {
		t.Fatal(err)
	}
	text := func(version string) string { return flow("flow", version, `return '`+version+`';`) }

	s := startService(t, url)
	p := newBuilder(t, url).project()
	w := p.workflow("flow", text("v1"))
	p.running(liveVersion("flow", "1"))
	before := p.start("flow")
	p.version(before.GetID(), "", "v1")
	s.stop(syscall.SIGTERM)
	p.db.Close()
	run(`CREATE DATABASE backup TEMPLATE live`)

	s = startService(t, url)
	p.builder = newBuilder(t, url)
	w.edit("2", text("v2"))
	after := p.start("flow")
	p.version(after.GetID(), "", "v2")
	s.stop(syscall.SIGTERM)
	p.db.Close()
	run(`DROP DATABASE live WITH (FORCE)`)
	run(`ALTER DATABASE backup RENAME TO live`)

	startService(t, url)
	p.builder = newBuilder(t, url)
	p.running(liveVersion("flow", "1"))
	p.goOn(before.GetID())
	p.goOn(after.GetID())
	var got string
	if err := before.Get(t.Context(), &got); err != nil || got != "v1" {
		t.Errorf("begun before the backup: %q, %v", got, err)
	}
	eventually(t, "the other's task says what it lacks", func() error {
		for _, e := range p.history(after) {
			if f := e.GetWorkflowTaskFailedEventAttributes(); strings.Contains(f.GetFailure().GetMessage(), "code not found") {
				return nil
			}
		}
		return errors.New("no such failure")
	})
	w.edit("2", text("v2"))
	if err := after.Get(t.Context(), &got); err != nil || got != "v2" {
		t.Errorf("begun after the backup: %q, %v", got, err)
	}
}
