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
