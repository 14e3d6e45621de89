package reconcile

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	code := []source{wf("a", "1")}
	open := func(action, id string, after, waited time.Duration) request {
		q := asked(action, id, after)
		claimed := noon.Add(-waited)
		q.status, q.startedAt = requestProcessing, &claimed
		return q
	}
	start, stop, restart := open(actionStart, "r1", 0, 0), open(actionStop, "r1", 0, 0), open(actionRestart, "r1", 0, 0)
	base := func(q request, phase phase) standing {
		return standing{
			desired: with(wants(code...), newest(q)), window: []request{q}, phase: phase,
			deadline: time.Minute, now: noon,
		}
	}
	tests := []struct {
		name   string
		q      request
		s      standing
		status string
		reason string
	}{
		{"start is complete when it runs", start, base(start, running), requestCompleted, ""},
		{"start waits for the worker", start, base(start, absent), "", ""},
		{"start of a project that drains waits", start, base(start, stopping), "", ""},
		{"start of an unknown project fails", start, with(base(start, absent), func(s *standing) { s.exists = false }), requestFailed, "no such project"},
		{"stop of an unknown project fails", stop, with(base(stop, absent), func(s *standing) { s.exists = false }), requestFailed, "no such project"},
		{"start without code fails", start, with(base(start, absent), func(s *standing) { s.sources = nil }), requestFailed, "no active code"},
		{"start while the code's grace still runs it is complete", start, with(base(start, running), func(s *standing) { s.sources = nil }), requestCompleted, ""},
		{"start of a project switched off fails", start, with(base(start, absent), func(s *standing) { s.active = false }), requestFailed, "is_active is false"},
		{"restart of a project switched off fails", restart, with(base(restart, absent), func(s *standing) { s.active = false }), requestFailed, "is_active is false"},
		{"start with broken code fails at once", start, with(base(start, absent), func(s *standing) {
			s.failure = &failure{text: "none of its workflows can run: x.ts:1:2: no", permanent: true}
		}), requestFailed, "x.ts:1:2"},
		{"start waits while Temporal is away", start, with(base(start, absent), func(s *standing) { s.failure = &failure{text: "start failed: unreachable"} }), "", ""},
		{"and fails at its deadline with the reason", open(actionStart, "r1", 0, time.Minute+1),
			with(base(start, absent), func(s *standing) { s.failure = &failure{text: "start failed: unreachable"} }), requestFailed, "unreachable"},
		{"start doesn't ask other replicas", start, with(base(start, running), func(s *standing) { s.others = []otherWorker{{replica: "b", status: statusStopping, restart: ""}} }), requestCompleted, ""},

		{"stop is complete when nothing runs", stop, base(stop, absent), requestCompleted, ""},
		{"stop of a project without code is complete", stop, with(base(stop, absent), func(s *standing) { s.sources = nil }), requestCompleted, ""},
		{"stop of a project switched off is complete", stop, with(base(stop, absent), func(s *standing) { s.active = false }), requestCompleted, ""},
		{"stop waits for the drain", stop, base(stop, stopping), "", ""},
		{"stop waits for other replicas", stop, with(base(stop, absent), func(s *standing) { s.others = []otherWorker{{replica: "b", status: statusRunning, restart: ""}} }), "", ""},
		{"and fails at its deadline naming the one that runs on", open(actionStop, "r1", 0, time.Minute+1),
			with(base(stop, absent), func(s *standing) { s.others = []otherWorker{{replica: "b", status: statusRunning, restart: ""}} }), requestFailed, "replica b is still running"},
		{"stop that drains past its deadline fails with that reason", open(actionStop, "r1", 0, time.Minute+1), base(stop, stopping), requestFailed, "draining"},

		{"restart is complete when the worker started after it", restart, with(base(restart, running), func(s *standing) { s.restart = restart.mark }), requestCompleted, ""},
		{"restart waits while the old worker runs", restart, base(restart, running), "", ""},
		{"restart waits for other replicas' old workers", restart, with(base(restart, running), func(s *standing) {
			s.restart = restart.mark
			s.others = []otherWorker{{replica: "b", status: statusRunning, restart: ""}}
		}), "", ""},
		{"restart is complete when all have restarted", restart, with(base(restart, running), func(s *standing) {
			s.restart = restart.mark
			s.others = []otherWorker{{replica: "b", status: statusRunning, restart: "r1"}, {replica: "c", status: statusStarting, restart: "r1"}}
		}), requestCompleted, ""},
		{"restart is complete when they have restarted for a newer one", restart, with(base(restart, running), func(s *standing) {
			newer := open(actionRestart, "r2", time.Second, 0)
			s.restart, s.newest, s.window = newer.mark, newer, []request{newer, restart}
			s.others = []otherWorker{{replica: "b", status: statusRunning, restart: "r2"}}
		}), requestCompleted, ""},
		{"restart that failed for an older one waits", restart, with(base(restart, running), func(s *standing) {
			older := open(actionRestart, "r0", -time.Second, 0)
			s.restart, s.window = restart.mark, []request{restart, older}
			s.others = []otherWorker{{replica: "b", status: statusRunning, restart: "r0"}}
		}), "", ""},

		{"stop that a start overtook is superseded", stop, with(base(stop, running), func(s *standing) { s.newest = asked(actionStart, "r2", time.Second) }), requestFailed, "superseded by the newer start request r2"},
		{"start that a stop overtook is superseded", start, with(base(start, absent), func(s *standing) { s.newest = asked(actionStop, "r2", time.Second) }), requestFailed, "superseded by the newer stop request r2"},
		{"start that a start overtook is complete with it", start, with(base(start, running), func(s *standing) { s.newest = asked(actionStart, "r2", time.Second) }), requestCompleted, ""},
		{"stop that a stop overtook is complete with it", stop, with(base(stop, absent), func(s *standing) { s.newest = asked(actionStop, "r2", time.Second) }), requestCompleted, ""},
		{"check of a running project is to be made", asking(actionCheck, nil), base(start, running), "", ""},
		{"check of a project that is to stop fails", asking(actionCheck, nil), base(stop, running), requestFailed, "the project doesn't run: stop request r1"},
		{"migrate waits for the worker", asking(actionMigrate, nil), base(start, absent), "", ""},
		{"migrate of a stopped project fails", asking(actionMigrate, nil), base(stop, absent), requestFailed, "the project doesn't run: stop request r1"},
		{"check without a workflow fails", asking(actionCheck, func(q *request) { q.ask.workflowID = "" }), base(start, running), requestFailed, "workflow_id is NULL"},
		{"check of a run without its workflow id fails", asking(actionCheck, func(q *request) { q.ask.execution.RunID = "r" }), base(start, running), requestFailed, "execution_run_id without execution_workflow_id"},
		{"migrate isn't superseded by a newer start", asking(actionMigrate, nil), with(base(start, running), func(s *standing) { s.newest = asked(actionStart, "r9", time.Hour) }), "", ""},
		{"moves that the worker hasn't heard of are waited for", asking(actionMigrate, moved(7)), with(base(start, running), func(s *standing) { s.lastMove = 6 }), "", ""},
		{"moves that another replica hasn't heard of are waited for", asking(actionMigrate, moved(7)), with(base(start, running), func(s *standing) {
			s.lastMove, s.others = 7, []otherWorker{{replica: "b", status: statusRunning, lastMove: 6}}
		}), "", ""},
		{"moves that all have heard of are done", asking(actionMigrate, moved(7)), with(base(start, running), func(s *standing) {
			s.lastMove, s.others = 8, []otherWorker{{replica: "b", status: statusRunning, lastMove: 7}, {replica: "c", status: statusStarting}}
		}), requestCompleted, ""},
		{"moves of a project that doesn't run are done", asking(actionMigrate, moved(7)), base(stop, absent), requestCompleted, ""},
		{"moves that a replica never hears of end with the deadline", asking(actionMigrate, func(q *request) {
			moved(7)(q)
			at := noon.Add(-time.Hour)
			q.startedAt = &at
		}), with(base(start, running), func(s *standing) {
			s.lastMove, s.others = 7, []otherWorker{{replica: "b", status: statusRunning}}
		}), requestFailed, "replica b has not heard of the moves yet"},
		{"an unknown action fails", open("explode", "r1", 0, 0), base(start, running), requestFailed, `unknown action "explode"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := judge(tt.q, tt.s)
			if got.status != tt.status || got.id != tt.q.id {
				t.Errorf("status %q of %s (%s), want %q", got.status, got.id, got.reason, tt.status)
			}
			if !strings.Contains(got.reason, tt.reason) || (got.reason == "") != (got.status != requestFailed) {
				t.Errorf("reason %q of status %q, want %q in it", got.reason, got.status, tt.reason)
			}
		})
	}
}

func TestClaimable(t *testing.T) {
	t.Parallel()
	const lease = 90 * time.Second
	claimedAgo := func(id string, d time.Duration) request {
		q, at := asked(actionStart, id, 0), noon.Add(-d)
		q.status, q.startedAt = requestProcessing, &at
		return q
	}
	open := []request{
		asked(actionStart, "new", 0),
		claimedAgo("mine", time.Second),
		claimedAgo("another's", time.Second),
		claimedAgo("orphan", lease+time.Second),
		{mark: mark{id: "never-claimed"}, status: requestProcessing},
	}
	mine := map[string]bool{"mine": true}
	var got []string
	for _, q := range claimable(open, mine, noon, lease, false) {
		got = append(got, q.id)
	}
	if want := []string{"new", "mine", "orphan", "never-claimed"}; !slices.Equal(got, want) {
		t.Errorf("among others: %v, want %v", got, want)
	}
	if got := claimable(open, mine, noon, lease, true); len(got) != len(open) {
		t.Errorf("alone: %v, want all: whoever claimed them is gone", got)
	}
}

func TestTheOrderOfRequests(t *testing.T) {
	t.Parallel()
	a, b := mark{noon, "a"}, mark{noon, "b"}
	later := mark{noon.Add(time.Second), "a"}
	for _, tt := range []struct {
		name string
		m, o mark
		want bool
	}{
		{"later", later, b, true},
		{"earlier", b, later, false},
		{"at once, greater id", b, a, true},
		{"at once, smaller id", a, b, false},
		{"itself", a, a, false},
		{"any after none", a, mark{}, true},
		{"none after any", mark{}, a, false},
		{"none after none", mark{}, mark{}, false},
	} {
		if got := tt.m.after(tt.o); got != tt.want {
			t.Errorf("%s: after is %t", tt.name, got)
		}
	}
}

// asking is a claimed check or migrate request.
func asking(action string, f func(*request)) request {
	at := noon
	q := asked(action, "ask", 0)
	q.status, q.startedAt = requestProcessing, &at
	q.ask.workflowID = "w"
	if f != nil {
		f(&q)
	}
	return q
}

func moved(seq int64) func(*request) {
	return func(q *request) { q.checked, q.ask.lastMove = true, seq }
}
