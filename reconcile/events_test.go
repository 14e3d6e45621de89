package reconcile

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/reconcile/rows"
)

// told is an event as the Workflow Builder lists it.
type told struct {
	Kind, Message, Replica string
	Details                []byte
}

func (h *house) events(project string) []told {
	h.T.Helper()
	rows, _ := h.Pool.Query(h.T.Context(), `SELECT kind, message, replica, details FROM worker_events WHERE project_id = $1 ORDER BY id`, project)
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[told])
	if err != nil {
		h.T.Fatal(err)
	}
	return list
}

func (h *house) kinds(project string) (kinds []string) {
	h.T.Helper()
	for _, e := range h.events(project) {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// tells waits until the newest event is of a kind.
func (h *house) tells(project, kind string) (last told) {
	h.T.Helper()
	eventually(h.T, func() error {
		list := h.events(project)
		if len(list) == 0 || list[len(list)-1].Kind != kind {
			return fmt.Errorf("events %s, want %s", h.kinds(project), kind)
		}
		last = list[len(list)-1]
		return nil
	})
	return last
}

func TestEventsTellWhatHappenedToTheCode(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.work()
	if e := h.tells(p, rows.EventStarted); e.Replica != "replica-a" || !strings.Contains(e.Message, "project has active code") {
		t.Errorf("%+v", e)
	}
	hash := one[string](h, `SELECT hash FROM workflow_code_store`)

	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2', version = '2' WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now())
	e := h.tells(p, rows.EventReloaded)
	var d rows.LiveDetails
	if err := json.Unmarshal(e.Details, &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Changes) != 1 || d.Changes[0].ID != w || *d.Changes[0].From != (rows.CodeRef{Version: "1", Hash: hash}) || d.Changes[0].To.Version != "2" || d.Cause == "" {
		t.Errorf("reloaded: %s", e.Details)
	}

	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'BROKEN', version = '3' WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now())
	var b rows.BrokenDetails
	if e := h.tells(p, rows.EventCompileFailed); json.Unmarshal(e.Details, &b) != nil || b.ID != w || b.Line != 3 || b.Column != 7 || b.Version != "3" {
		t.Errorf("compile failed: %s %s", e.Message, e.Details)
	}

	q := h.Request(p, rows.ActionStop)
	r.LookAt(p, time.Now())
	h.isAnswered(q)
	if e := h.tells(p, rows.EventRequestDone); e.Message != "stop request completed" || !strings.Contains(string(e.Details), q) {
		t.Errorf("%+v", e)
	}
	r.quietDown()
	want := []string{rows.EventStarted, rows.EventReloaded, rows.EventCompileFailed, rows.EventStopped, rows.EventRequestDone}
	if got := h.kinds(p); !slices.Equal(got, want) {
		t.Errorf("events %s, want %s", got, want)
	}
	// Looking again is no event.
	r.surveyed()
	if got := h.kinds(p); !slices.Equal(got, want) {
		t.Errorf("events %s, want %s", got, want)
	}
}

func TestAFailureThatGoesOnIsOneEvent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("BROKEN")
	r := h.work()
	eventually(t, func() error { return expect(fmt.Sprint(h.kinds(p)), "[compile_failed failed]") })
	for range 3 {
		r.surveyed()
	}
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v1' WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now())
	h.tells(p, rows.EventStarted)
	if got := fmt.Sprint(h.kinds(p)); got != "[compile_failed failed started]" {
		t.Errorf("events %s", got)
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	h.tells(p, rows.EventStopped)
}

func TestRemovedCodeIsAnEvent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.tidy(&temporalDouble{})
	r.isStatus(p, rows.StatusRunning)
	r.reloaded(p, w, "v2")
	r.mustCleanUp()
	if e := h.tells(p, rows.EventCodeRemoved); !strings.Contains(e.Message, "order-intake") {
		t.Errorf("%+v", e)
	}
}

func TestEventsAreBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, _ := h.Shop("v1")
	other, _ := h.Shop("v1")
	r := h.work()
	r.isStatus(p, rows.StatusRunning)
	h.tells(other, rows.EventStarted)
	h.Exec(`INSERT INTO worker_events (project_id, replica, kind, message) SELECT $1, 'r', 'started', i::text FROM generate_series(1, $2::int) i`, p, rows.MaxEvents+50)
	if err := rows.WriteEvents(t.Context(), r.db, r.cfg.Replica, p, rows.Event{Kind: "newest", Message: "a\x00b"}); err != nil {
		t.Fatal(err)
	}
	list := h.events(p)
	if len(list) != rows.MaxEvents || list[len(list)-1].Kind != "newest" {
		t.Errorf("%d events, the last is %+v", len(list), list[len(list)-1])
	}
	if len(h.events(other)) != 1 {
		t.Error("another project's events are gone")
	}
	rec := newRecord(p, "r")
	for i := range 2 * maxPendingEvents {
		rec.note(rows.EventStopped, fmt.Sprint(i), nil)
	}
	if n := len(rec.events); n != maxPendingEvents || rec.events[n-1].Message != fmt.Sprint(2*maxPendingEvents-1) {
		t.Errorf("%d events wait for the database", n)
	}
	h.Exec(`DELETE FROM projects WHERE id = $1`, p)
	if err := rows.WriteEvents(t.Context(), r.db, r.cfg.Replica, p, rows.Event{Kind: "late", Message: "m"}); err != nil {
		t.Errorf("a deleted project's event: %v", err)
	}
}
