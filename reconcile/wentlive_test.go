package reconcile

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
)

func TestOnlyWhatWentLiveIsAReload(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	other := h.Workflow(p, "other")
	h.Code(other, "1", "other v1")
	log := &logLines{}
	r := h.work(func(c *Config) { c.Logger = log.logger() })
	r.isServing(p, w, "v1")
	started := r.isStatus(p, rows.StatusRunning).meta.LastReload
	edit := func(id, version, text string) {
		h.Exec(`UPDATE workflow_compiled_code SET version = $2, workflow_code = $3 WHERE workflow_id = $1`, id, version, text)
		calls := r.runner.count("reload", p)
		r.LookAt(p, time.Now())
		eventually(t, func() error { return expect(r.runner.count("reload", p), calls+1) })
		r.quietDown()
	}
	edit(w, "2", "BROKEN")
	edit(w, "3", "BROKEN")
	eventually(t, func() error { return expect(len(h.eventsOf(p, rows.EventCompileFailed)), 2) })
	edit(w, "1", "v1") // and back again
	eventually(t, func() error { return expect(h.row("replica-a", p).meta.Error, "") })
	if got := h.kinds(p); !slices.Equal(got, []string{rows.EventStarted, rows.EventCompileFailed, rows.EventCompileFailed}) {
		t.Errorf("events %v", got)
	}
	if n := r.seen.get().reloads["reload"]; n != 0 {
		t.Errorf("%d reloads counted", n)
	}
	if got := h.row("replica-a", p).meta.LastReload; *got != *started {
		t.Errorf("last reload %+v, want the start's %+v", got, started)
	}
	if n := log.count(`msg="code is live"`); n != 1 { // the start's
		t.Errorf("%d times live in the log", n)
	}
	if n := log.count(`msg="code is broken"`); n != 2 {
		t.Errorf("%d times broken in the log", n)
	}

	// Of two edits the good one goes live, and the event says of which that is not so.
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'BROKEN 3' WHERE workflow_id = $1`, w)
	edit(other, "2", "other v2")
	var d rows.LiveDetails
	e := h.eventsOf(p, rows.EventReloaded)
	if len(e) != 1 || !strings.Contains(e[0], "; not live: workflow order-intake") {
		t.Fatalf("events %q", e)
	}
	if details := one[string](h, `SELECT details::text FROM worker_events WHERE project_id = $1 AND kind = 'reloaded'`, p); json.Unmarshal([]byte(details), &d) != nil ||
		len(d.Changes) != 1 || d.Changes[0].ID != other {
		t.Errorf("details %s", details)
	}
	if n := r.seen.get().reloads["reload"]; n != 1 {
		t.Errorf("%d reloads counted", n)
	}
}

func TestTheRowShowsAllErrorsAndWarningsOfAText(t *testing.T) {
	t.Parallel()
	rec := newRecord("p", "replica-a")
	rec.phase = running
	many := slices.Repeat([]runtime.Remark{{Message: "x is not defined", File: "order.ts", Line: 3, Column: 7}}, 30)
	rec.applied(runtime.Project{}, nil, runtime.Report{Sources: []runtime.SourceReport{
		{Kind: "workflow", ID: "w", Name: "order", Hash: "h", Warnings: many},
		{Kind: "workflow", ID: "x", Name: "new", Error: &runtime.SourceError{Message: "first", Line: 1, Column: 2, More: []runtime.Remark{{Message: "second", Line: 3, Column: 4}}}},
		{Kind: "component", ID: "c", Name: "score", Hash: "i", Warnings: many[:1]},
	}}, nil)
	m := rec.metadata("replica-a")
	if w := m.Workflows[0]; w.Error != nil || w.Warning == nil || w.Warning.Message != "x is not defined" || w.Warning.Line != 3 || len(w.Warning.More) != rows.MaxRemarks {
		t.Errorf("a workflow with warnings: %+v", w)
	}
	if w := m.Workflows[1]; w.Warning != nil || w.Error.Line != 1 || len(w.Error.More) != 1 || w.Error.More[0] != (rows.Remark{Message: "second", Line: 3, Column: 4}) {
		t.Errorf("one with errors: %+v", w.Error)
	}
	if m.Error != "workflow new: 1:2: first (and 1 more)" {
		t.Errorf("error %q", m.Error)
	}
	text, err := m.Encode()
	if err != nil || !strings.Contains(text, `"warning":{"message":"x is not defined","file":"order.ts","line":3,"column":7}`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestARowKnowsWhichTextWasLiveBefore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	c := h.Component(p, "score", "score v1")
	h.Exec(`INSERT INTO workflow_live_code (project_id, source_kind, source_id, hash) VALUES ($1, 'workflow', $2, 'w-live'), ($1, 'component', $3, 'c-live')`, p, w, c)
	s := h.Read(p, true)
	if got := s.Project.Workflows[0].LiveHash; got != "w-live" {
		t.Errorf("workflow: %q", got)
	}
	if got := s.Project.Components[0].LiveHash; got != "c-live" {
		t.Errorf("component: %q", got)
	}
}
