package reconcile

import (
	"slices"
	"strings"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	code := []rows.Source{wf("a", "1")}
	open := func(action, id string, after, waited time.Duration) rows.Request {
		q := asked(action, id, after)
		claimed := noon.Add(-waited)
		q.Status, q.StartedAt = rows.RequestProcessing, &claimed
		return q
	}
	start, stop, restart := open(rows.ActionStart, "r1", 0, 0), open(rows.ActionStop, "r1", 0, 0), open(rows.ActionRestart, "r1", 0, 0)
	base := func(q rows.Request, phase phase) standing {
		return standing{
			Desired: with(wants(code...), newest(q)), window: []rows.Request{q}, phase: phase,
			deadline: time.Minute, now: noon,
		}
	}
	tests := []struct {
		name   string
		q      rows.Request
		s      standing
		status string
		reason string
	}{
		{"start is complete when it runs", start, base(start, running), rows.RequestCompleted, ""},
		{"start waits for the worker", start, base(start, absent), "", ""},
		{"start of a project that drains waits", start, base(start, stopping), "", ""},
		{"start of an unknown project fails", start, with(base(start, absent), func(s *standing) { s.Exists = false }), rows.RequestFailed, "no such project"},
		{"stop of an unknown project fails", stop, with(base(stop, absent), func(s *standing) { s.Exists = false }), rows.RequestFailed, "no such project"},
		{"start without code fails", start, with(base(start, absent), func(s *standing) { s.Sources = nil }), rows.RequestFailed, "no active code"},
		{"start while the code's grace still runs it is complete", start, with(base(start, running), func(s *standing) { s.Sources = nil }), rows.RequestCompleted, ""},
		{"start of a project switched off fails", start, with(base(start, absent), func(s *standing) { s.Active = false }), rows.RequestFailed, "is_active is false"},
		{"restart of a project switched off fails", restart, with(base(restart, absent), func(s *standing) { s.Active = false }), rows.RequestFailed, "is_active is false"},
		{"start with broken code fails at once", start, with(base(start, absent), func(s *standing) {
			s.failure = &failure{text: "none of its workflows can run: x.ts:1:2: no", permanent: true}
		}), rows.RequestFailed, "x.ts:1:2"},
		{"start waits while Temporal is away", start, with(base(start, absent), func(s *standing) { s.failure = &failure{text: "start failed: unreachable"} }), "", ""},
		{"and fails at its deadline with the reason", open(rows.ActionStart, "r1", 0, time.Minute+1),
			with(base(start, absent), func(s *standing) { s.failure = &failure{text: "start failed: unreachable"} }), rows.RequestFailed, "unreachable"},
		{"start doesn't ask other replicas", start, with(base(start, running), func(s *standing) {
			s.others = []rows.OtherWorker{{Replica: "b", Status: rows.StatusStopping, Restart: ""}}
		}), rows.RequestCompleted, ""},

		{"stop is complete when nothing runs", stop, base(stop, absent), rows.RequestCompleted, ""},
		{"stop of a project without code is complete", stop, with(base(stop, absent), func(s *standing) { s.Sources = nil }), rows.RequestCompleted, ""},
		{"stop of a project switched off is complete", stop, with(base(stop, absent), func(s *standing) { s.Active = false }), rows.RequestCompleted, ""},
		{"stop waits for the drain", stop, base(stop, stopping), "", ""},
		{"stop waits for other replicas", stop, with(base(stop, absent), func(s *standing) {
			s.others = []rows.OtherWorker{{Replica: "b", Status: rows.StatusRunning, Restart: ""}}
		}), "", ""},
		{"and fails at its deadline naming the one that runs on", open(rows.ActionStop, "r1", 0, time.Minute+1),
			with(base(stop, absent), func(s *standing) {
				s.others = []rows.OtherWorker{{Replica: "b", Status: rows.StatusRunning, Restart: ""}}
			}), rows.RequestFailed, "replica b is still running"},
		{"stop that drains past its deadline fails with that reason", open(rows.ActionStop, "r1", 0, time.Minute+1), base(stop, stopping), rows.RequestFailed, "draining"},

		{"restart is complete when the worker started after it", restart, with(base(restart, running), func(s *standing) { s.restart = restart.Mark }), rows.RequestCompleted, ""},
		{"restart waits while the old worker runs", restart, base(restart, running), "", ""},
		{"restart waits for other replicas' old workers", restart, with(base(restart, running), func(s *standing) {
			s.restart = restart.Mark
			s.others = []rows.OtherWorker{{Replica: "b", Status: rows.StatusRunning, Restart: ""}}
		}), "", ""},
		{"restart is complete when all have restarted", restart, with(base(restart, running), func(s *standing) {
			s.restart = restart.Mark
			s.others = []rows.OtherWorker{{Replica: "b", Status: rows.StatusRunning, Restart: "r1"}, {Replica: "c", Status: rows.StatusStarting, Restart: "r1"}}
		}), rows.RequestCompleted, ""},
		{"restart is complete when they have restarted for a newer one", restart, with(base(restart, running), func(s *standing) {
			newer := open(rows.ActionRestart, "r2", time.Second, 0)
			s.restart, s.Newest, s.window = newer.Mark, newer, []rows.Request{newer, restart}
			s.others = []rows.OtherWorker{{Replica: "b", Status: rows.StatusRunning, Restart: "r2"}}
		}), rows.RequestCompleted, ""},
		{"restart that failed for an older one waits", restart, with(base(restart, running), func(s *standing) {
			older := open(rows.ActionRestart, "r0", -time.Second, 0)
			s.restart, s.window = restart.Mark, []rows.Request{restart, older}
			s.others = []rows.OtherWorker{{Replica: "b", Status: rows.StatusRunning, Restart: "r0"}}
		}), "", ""},

		{"stop that a start overtook is superseded", stop, with(base(stop, running), func(s *standing) { s.Newest = asked(rows.ActionStart, "r2", time.Second) }), rows.RequestFailed, "superseded by the newer start request r2"},
		{"start that a stop overtook is superseded", start, with(base(start, absent), func(s *standing) { s.Newest = asked(rows.ActionStop, "r2", time.Second) }), rows.RequestFailed, "superseded by the newer stop request r2"},
		{"start that a start overtook is complete with it", start, with(base(start, running), func(s *standing) { s.Newest = asked(rows.ActionStart, "r2", time.Second) }), rows.RequestCompleted, ""},
		{"stop that a stop overtook is complete with it", stop, with(base(stop, absent), func(s *standing) { s.Newest = asked(rows.ActionStop, "r2", time.Second) }), rows.RequestCompleted, ""},
		{"check of a running project is to be made", asking(rows.ActionCheck, nil), base(start, running), "", ""},
		{"check of a project that is to stop fails", asking(rows.ActionCheck, nil), base(stop, running), rows.RequestFailed, "the project doesn't run: stop request r1"},
		{"migrate waits for the worker", asking(rows.ActionMigrate, nil), base(start, absent), "", ""},
		{"migrate of a stopped project fails", asking(rows.ActionMigrate, nil), base(stop, absent), rows.RequestFailed, "the project doesn't run: stop request r1"},
		{"check without a workflow fails", asking(rows.ActionCheck, func(q *rows.Request) { q.Ask.WorkflowID = "" }), base(start, running), rows.RequestFailed, "workflow_id is NULL"},
		{"check of a run without its workflow id fails", asking(rows.ActionCheck, func(q *rows.Request) { q.Ask.Execution.RunID = "r" }), base(start, running), rows.RequestFailed, "execution_run_id without execution_workflow_id"},
		{"migrate isn't superseded by a newer start", asking(rows.ActionMigrate, nil), with(base(start, running), func(s *standing) { s.Newest = asked(rows.ActionStart, "r9", time.Hour) }), "", ""},
		{"moves that the worker hasn't heard of are waited for", asking(rows.ActionMigrate, moved(7)), with(base(start, running), func(s *standing) { s.lastMove = 6 }), "", ""},
		{"moves that another replica hasn't heard of are waited for", asking(rows.ActionMigrate, moved(7)), with(base(start, running), func(s *standing) {
			s.lastMove, s.others = 7, []rows.OtherWorker{{Replica: "b", Status: rows.StatusRunning, LastMove: 6}}
		}), "", ""},
		{"moves that all have heard of are done", asking(rows.ActionMigrate, moved(7)), with(base(start, running), func(s *standing) {
			s.lastMove, s.others = 8, []rows.OtherWorker{{Replica: "b", Status: rows.StatusRunning, LastMove: 7}, {Replica: "c", Status: rows.StatusStarting}}
		}), rows.RequestCompleted, ""},
		{"moves of a project that doesn't run are done", asking(rows.ActionMigrate, moved(7)), base(stop, absent), rows.RequestCompleted, ""},
		{"moves that a replica never hears of end with the deadline", asking(rows.ActionMigrate, func(q *rows.Request) {
			moved(7)(q)
			at := noon.Add(-time.Hour)
			q.StartedAt = &at
		}), with(base(start, running), func(s *standing) {
			s.lastMove, s.others = 7, []rows.OtherWorker{{Replica: "b", Status: rows.StatusRunning}}
		}), rows.RequestFailed, "replica b has not heard of the moves yet"},
		{"an unknown action fails", open("explode", "r1", 0, 0), base(start, running), rows.RequestFailed, `unknown action "explode"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := judge(tt.q, tt.s)
			if got.Status != tt.status || got.ID != tt.q.ID {
				t.Errorf("status %q of %s (%s), want %q", got.Status, got.ID, got.Reason, tt.status)
			}
			if !strings.Contains(got.Reason, tt.reason) || (got.Reason == "") != (got.Status != rows.RequestFailed) {
				t.Errorf("reason %q of status %q, want %q in it", got.Reason, got.Status, tt.reason)
			}
		})
	}
}

func TestClaimable(t *testing.T) {
	t.Parallel()
	const lease = 90 * time.Second
	claimedAgo := func(id string, d time.Duration) rows.Request {
		q, at := asked(rows.ActionStart, id, 0), noon.Add(-d)
		q.Status, q.StartedAt = rows.RequestProcessing, &at
		return q
	}
	open := []rows.Request{
		asked(rows.ActionStart, "new", 0),
		claimedAgo("mine", time.Second),
		claimedAgo("another's", time.Second),
		claimedAgo("orphan", lease+time.Second),
		{Mark: rows.Mark{ID: "never-claimed"}, Status: rows.RequestProcessing},
	}
	mine := map[string]bool{"mine": true}
	var got []string
	for _, q := range claimable(open, mine, noon, lease, false) {
		got = append(got, q.ID)
	}
	if want := []string{"new", "mine", "orphan", "never-claimed"}; !slices.Equal(got, want) {
		t.Errorf("among others: %v, want %v", got, want)
	}
	if got := claimable(open, mine, noon, lease, true); len(got) != len(open) {
		t.Errorf("alone: %v, want all: whoever claimed them is gone", got)
	}
}

// asking is a claimed check or migrate request.
func asking(action string, f func(*rows.Request)) rows.Request {
	at := noon
	q := asked(action, "ask", 0)
	q.Status, q.StartedAt = rows.RequestProcessing, &at
	q.Ask.WorkflowID = "w"
	if f != nil {
		f(&q)
	}
	return q
}

func moved(seq int64) func(*rows.Request) {
	return func(q *rows.Request) { q.Checked, q.Ask.LastMove = true, seq }
}
