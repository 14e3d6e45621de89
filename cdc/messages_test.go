package cdc_test

import (
	"slices"
	"testing"

	"workflow-worker/cdc"
	"workflow-worker/docker/stack/stacktest"
)

func TestMessagesOfCommittedTransactionsArePassedOn(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	db := open(t, url)
	r := newRecorder()
	c := config(t, url, r)
	c.Messages = r
	follow(t, c, r)
	told := func(want ...string) func() bool {
		return func() bool { return slices.Equal(r.messages, want) }
	}
	const emit = `SELECT pg_logical_emit_message(true, $1, 'one')`
	db.exec(emit, cdc.MessagePrefix)
	r.await(t, "a message is passed on", told("one"))
	db.exec(`SELECT pg_logical_emit_message(true, 'others', 'x'), pg_logical_emit_message(false, $1, 'y')`, cdc.MessagePrefix)
	db.exec(`SELECT pg_logical_emit_message(true, $1, 'two'), pg_logical_emit_message(true, $1, 'two')`, cdc.MessagePrefix)
	r.await(t, "others' messages, and those of no transaction, aren't", told("one", "two"))
}

// The service's own counting, in rows that say what should run, is no news.
func TestWhatIsCountedIsNoHint(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	db := open(t, url)
	project := db.project()
	db.exec(`INSERT INTO workflows (project_id, kebab_name) VALUES ($1, 'w')`, project)
	db.exec(`INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code) SELECT id, '1', '' FROM workflows`)
	db.exec(`INSERT INTO workflow_executions (workflow_id, status, temporal_run_id, first_run_id) SELECT id, 'completed', 'r', 'r' FROM workflows`)
	r := newRecorder()
	c := config(t, url, r)
	c.Messages = r
	follow(t, c, r)
	r.forget()
	db.exec(`SELECT workflow_worker.count_up(10)`)
	other := db.project()
	r.await(t, "what comes after it is a hint", r.looked(other))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.projects[project] > 0 || len(r.messages) > 0 {
		t.Errorf("looked at %v, told %v", r.projects, r.messages)
	}
}
