package reconcile

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
)

const grace = 5 * time.Second

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func wf(id, digest string) rows.Source {
	return rows.Source{Ref: rows.Ref{Kind: runtime.KindWorkflow, ID: id}, Name: "name-of-" + id, Version: "1", Digest: digest}
}

func comp(id, digest string) rows.Source {
	return rows.Source{Ref: rows.Ref{Kind: runtime.KindComponent, ID: id}, Name: "name-of-" + id, Digest: digest}
}

func named(s rows.Source, name string) rows.Source { s.Name = name; return s }

func lives(sources ...rows.Source) (l []liveSource) {
	for _, s := range sources {
		l = append(l, liveSource{Source: s, hash: "hash-" + s.Digest})
	}
	return l
}

// wants is a project that is to run with these sources.
func wants(sources ...rows.Source) rows.Desired {
	return rows.Desired{Exists: true, Active: true, Name: "shop", TaskQueue: "shop-queue", Sources: sources}
}

// runs is a worker that runs these sources.
func runs(sources ...rows.Source) observed {
	return observed{phase: running, name: "shop", taskQueue: "shop-queue", sources: lives(sources...)}
}

func with[T any](v T, changes ...func(*T)) T {
	for _, c := range changes {
		c(&v)
	}
	return v
}

func asked(action, id string, after time.Duration) rows.Request {
	return rows.Request{Mark: rows.Mark{At: noon.Add(after), ID: id}, Action: action, Status: rows.RequestPending}
}

func newest(q rows.Request) func(*rows.Desired) {
	return func(d *rows.Desired) {
		d.Newest = q
		if q.Action == rows.ActionRestart {
			d.Restart = q.Mark
		}
	}
}

func vanishedFor(r rows.Ref, d time.Duration) func(*observed) {
	return func(o *observed) { o.vanished = map[rows.Ref]time.Time{r: noon.Add(-d)} }
}

func failedAt(d rows.Desired, change func(*failure)) func(*observed) {
	return func(o *observed) {
		o.failure = &failure{key: attemptKey(d, d.Sources), until: noon.Add(10 * time.Second)}
		change(o.failure)
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	a1, a2, b1, c1, c2 := wf("a", "1"), wf("a", "2"), wf("b", "1"), comp("c", "1"), comp("c", "2")
	tests := []struct {
		name   string
		o      observed
		d      rows.Desired
		action action
		cause  string // contained in the cause
		keep   []rows.Source
		again  time.Duration
		rest   bool
	}{
		// Starting.
		{name: "new project with code starts", d: wants(a1), action: actStart, cause: "active code"},
		{name: "a start names the request that asks for it", d: with(wants(a1), newest(asked(rows.ActionStart, "r1", 0))), action: actStart, cause: "start request r1"},
		{name: "a finished request isn't the cause of a start", d: with(wants(a1), func(d *rows.Desired) {
			d.Newest = asked(rows.ActionStart, "r1", 0)
			d.Newest.Status = rows.RequestCompleted
		}), action: actStart, cause: "active code"},
		{name: "a project without code rests", d: wants(), rest: true},
		{name: "components alone are no reason to run", d: wants(c1), rest: true},
		{name: "an unknown project rests", d: rows.Desired{}, rest: true},
		{name: "an inactive project rests", d: with(wants(a1), func(d *rows.Desired) { d.Active = false }), rest: true},
		{name: "a stopped project rests", d: with(wants(a1), newest(asked(rows.ActionStop, "r1", 0))), rest: true},
		{name: "a start request alone doesn't run a project without code", d: with(wants(), newest(asked(rows.ActionStart, "r1", 0))), rest: true},
		{name: "a restart request starts a project that was stopped", d: with(wants(a1), newest(asked(rows.ActionRestart, "r1", 0))), action: actStart, cause: "restart request r1"},

		// Nothing to do.
		{name: "what runs as it should is left alone", o: runs(a1, c1), d: wants(a1, c1)},
		{name: "the order of sources is no change", o: runs(a1, b1), d: wants(b1, a1)},
		{name: "a start request for a running project is no work", o: runs(a1), d: with(wants(a1), newest(asked(rows.ActionStart, "r1", 0)))},
		{name: "nothing is done while a worker drains", o: with(runs(a1), func(o *observed) { o.phase = stopping }), d: wants(a2)},
		{name: "not even for a deleted project", o: with(runs(a1), func(o *observed) { o.phase = stopping }), d: rows.Desired{}},

		// Elsewhere.
		{name: "what others run isn't started", o: observed{elsewhere: true}, d: wants(a1), rest: true},
		{name: "what others run now is stopped", o: with(runs(a1), func(o *observed) { o.elsewhere = true }), d: wants(a1), action: actStop, cause: causeElsewhere},
		{name: "it isn't reloaded before", o: with(runs(a1), func(o *observed) { o.elsewhere = true }), d: wants(a2), action: actStop, cause: causeElsewhere},
		{name: "what its owner said goes first", o: with(runs(a1), func(o *observed) { o.elsewhere = true }), d: rows.Desired{}, action: actStop, cause: "project deleted"},
		{name: "what drains is left alone, wherever it runs", o: with(runs(a1), func(o *observed) { o.phase, o.elsewhere = stopping, true }), d: wants(a1)},

		// Reloading.
		{name: "changed code is reloaded", o: runs(a1), d: wants(a2), action: actReload, cause: "workflow name-of-a changed"},
		{name: "the cause of a reload names the versions", o: runs(a1), d: wants(with(a2, func(s *rows.Source) { s.Version = "1.0.4" })), action: actReload, cause: "from version 1 to 1.0.4"},
		{name: "a new workflow is reloaded at once", o: runs(a1), d: wants(a1, b1), action: actReload, cause: "workflow name-of-b added"},
		{name: "a changed component is reloaded", o: runs(a1, c1), d: wants(a1, c2), action: actReload, cause: "component name-of-c changed"},
		{name: "many changes make a short cause", o: runs(a1), d: wants(a2, wf("d", "1"), wf("e", "1"), wf("f", "1"), wf("g", "1")), action: actReload, cause: "2 more"},

		// Removal.
		{name: "code that vanishes stays for its grace", o: runs(a1, b1), d: wants(a1), keep: []rows.Source{b1}, again: grace},
		{name: "a component that vanishes stays for its grace", o: runs(a1, c1), d: wants(a1), keep: []rows.Source{c1}, again: grace},
		{name: "the grace runs on", o: with(runs(a1, b1), vanishedFor(b1.Ref, 4*time.Second)), d: wants(a1), keep: []rows.Source{b1}, again: time.Second},
		{name: "after its grace it is removed", o: with(runs(a1, b1), vanishedFor(b1.Ref, grace)), d: wants(a1), action: actReload, cause: "workflow name-of-b removed"},
		{name: "a project whose last code vanishes keeps running for its grace", o: runs(a1), d: wants(), keep: []rows.Source{a1}, again: grace},
		{name: "and stops after it", o: with(runs(a1), vanishedFor(a1.Ref, grace+1)), d: wants(), action: actStop, cause: noCode},
		{name: "and so if components are left", o: with(runs(a1, c1), vanishedFor(a1.Ref, grace+1)), d: wants(c1), action: actStop, cause: noCode},
		{name: "code that comes back within its grace is no change", o: with(runs(a1, b1), vanishedFor(b1.Ref, 4*time.Second)), d: wants(a1, b1)},
		{name: "its successor goes live at once", o: with(runs(a1, b1), vanishedFor(a1.Ref, 2*time.Second)), d: wants(a2, b1), action: actReload, cause: "name-of-a changed"},
		{name: "a change elsewhere goes live at once and keeps what vanished", o: runs(a1, b1), d: wants(a2), action: actReload, cause: "name-of-a changed", keep: []rows.Source{b1}, again: grace},
		{name: "two graces: the shorter is waited for", o: with(runs(a1, b1, c1), vanishedFor(b1.Ref, 3*time.Second)), d: wants(a1), keep: []rows.Source{b1, c1}, again: 2 * time.Second},
		{name: "one over, the other not: the first is removed", o: with(runs(a1, b1, c1), vanishedFor(b1.Ref, grace)), d: wants(a1), action: actReload, cause: "workflow name-of-b removed", keep: []rows.Source{c1}, again: grace},
		{name: "another workflow of the same name ends the grace", o: runs(a1), d: wants(named(wf("z", "1"), a1.Name)), action: actReload, cause: "added, workflow name-of-a removed"},
		{name: "a component of the same name as a workflow doesn't", o: runs(a1, b1), d: wants(a1, named(c1, b1.Name)), action: actReload, cause: "added", keep: []rows.Source{b1}, again: grace},
		{name: "what was never live has no grace", o: with(runs(a1, b1), func(o *observed) { o.sources[1].hash = "" }), d: wants(a1), action: actReload, cause: "removed"},
		{name: "a workflow switched off has no grace", o: runs(a1, b1), d: with(wants(a1), func(d *rows.Desired) { d.SwitchedOff = map[rows.Ref]bool{b1.Ref: true} }), action: actReload, cause: "removed"},
		{name: "the last workflow switched off stops the project at once", o: runs(a1), d: with(wants(), func(d *rows.Desired) { d.SwitchedOff = map[rows.Ref]bool{a1.Ref: true} }), action: actStop, cause: noCode},

		// Stopping.
		{name: "a deleted project stops at once", o: runs(a1), d: rows.Desired{}, action: actStop, cause: "deleted"},
		{name: "a project switched off stops at once", o: runs(a1), d: with(wants(a1), func(d *rows.Desired) { d.Active = false }), action: actStop, cause: "switched off"},
		{name: "a stop request stops at once", o: runs(a1), d: with(wants(a1), newest(asked(rows.ActionStop, "r1", 0))), action: actStop, cause: "stop request r1"},
		{name: "a stop request doesn't wait for a grace", o: runs(a1), d: with(wants(), newest(asked(rows.ActionStop, "r1", 0))), action: actStop, cause: "stop request r1"},

		// Restarting.
		{name: "a renamed task queue restarts", o: runs(a1), d: with(wants(a1), func(d *rows.Desired) { d.TaskQueue = "new" }), action: actStop, cause: "restart: task queue shop-queue renamed to new"},
		{name: "a renamed project restarts", o: runs(a1), d: with(wants(a1), func(d *rows.Desired) { d.Name = "new" }), action: actStop, cause: `"shop" renamed to "new"`},
		{name: "a restart request restarts", o: runs(a1), d: with(wants(a1), newest(asked(rows.ActionRestart, "r1", 0))), action: actStop, cause: "restart request r1"},
		{name: "a restart request that the start has seen doesn't", o: with(runs(a1), func(o *observed) { o.restart = rows.Mark{At: noon, ID: "r1"} }), d: with(wants(a1), newest(asked(rows.ActionRestart, "r1", 0)))},
		{name: "a newer one does", o: with(runs(a1), func(o *observed) { o.restart = rows.Mark{At: noon, ID: "r1"} }), d: with(wants(a1), newest(asked(rows.ActionRestart, "r2", time.Second))), action: actStop, cause: "restart request r2"},
		{name: "an older one that is left when the newer row is deleted doesn't", o: with(runs(a1), func(o *observed) { o.restart = rows.Mark{At: noon, ID: "r2"} }), d: with(wants(a1), newest(asked(rows.ActionRestart, "r1", -time.Second)))},
		{name: "a restart that a start follows restarts all the same", o: runs(a1), d: with(wants(a1), newest(asked(rows.ActionRestart, "r1", 0)), newest(asked(rows.ActionStart, "r2", 1))), action: actStop, cause: "restart request r1"},
		{name: "a restart from the future restarts once", o: with(runs(a1), func(o *observed) { o.restart = rows.Mark{At: noon.Add(time.Hour), ID: "r1"} }), d: with(wants(a1), newest(asked(rows.ActionRestart, "r1", time.Hour)))},
		{name: "a restart waits for a grace", o: runs(a1, b1), d: with(wants(a1), newest(asked(rows.ActionRestart, "r1", 0))), keep: []rows.Source{b1}, again: grace},
		{name: "but new code doesn't wait for the restart", o: runs(a1, b1), d: with(wants(a2), newest(asked(rows.ActionRestart, "r1", 0))), action: actReload, keep: []rows.Source{b1}, again: grace},

		// Failing.
		{name: "a failed start waits for its back-off", o: with(observed{}, failedAt(wants(a1), func(*failure) {})), d: wants(a1), again: 10 * time.Second},
		{name: "and is tried again after it", o: with(observed{}, failedAt(wants(a1), func(f *failure) { f.until = noon })), d: wants(a1), action: actStart},
		{name: "changed rows are tried at once", o: with(observed{}, failedAt(wants(a1), func(*failure) {})), d: wants(a2), action: actStart},
		{name: "a new start request tries at once", o: with(observed{}, failedAt(wants(a1), func(*failure) {})), d: with(wants(a1), newest(asked(rows.ActionStart, "r1", 0))), action: actStart},
		{name: "a hopeless start isn't tried again", o: with(observed{}, failedAt(wants(a1), func(f *failure) { f.permanent = true; f.until = noon.Add(-time.Hour) })), d: wants(a1)},
		{name: "until the rows change", o: with(observed{}, failedAt(wants(a1), func(f *failure) { f.permanent = true })), d: wants(a2), action: actStart},
		{name: "a failed project that is switched off rests", o: with(observed{}, failedAt(wants(a1), func(f *failure) { f.permanent = true })), d: rows.Desired{Exists: true}, rest: true},
		{name: "a failed reload waits for its back-off", o: with(runs(a1), failedAt(wants(a2), func(*failure) {})), d: wants(a2), again: 10 * time.Second},
		{name: "and is tried again after it (reload)", o: with(runs(a1), failedAt(wants(a2), func(f *failure) { f.until = noon })), d: wants(a2), action: actReload},
		{name: "rows put back after a failed reload need nothing", o: with(runs(a1), failedAt(wants(a2), func(*failure) {})), d: wants(a1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := plan(tt.o, tt.d, noon, grace)
			if got.action != tt.action {
				t.Errorf("action is %s (%s), want %s", got.action, got.cause, tt.action)
			}
			if !strings.Contains(got.cause, tt.cause) {
				t.Errorf("cause is %q, want it to contain %q", got.cause, tt.cause)
			}
			if (got.cause == "") != (got.action == actNothing) {
				t.Errorf("action %s has cause %q", got.action, got.cause)
			}
			if !slices.Equal(got.keep, refsOf(tt.keep)) {
				t.Errorf("keeps %v, want %v", got.keep, refsOf(tt.keep))
			}
			if got.again != tt.again {
				t.Errorf("looks again after %s, want %s", got.again, tt.again)
			}
			if got.rest != tt.rest {
				t.Errorf("rest is %t, want %t", got.rest, tt.rest)
			}
		})
	}
}

func TestANewAttemptAfterAFailureIsToldFromARetry(t *testing.T) {
	t.Parallel()
	o := with(observed{}, failedAt(wants(wf("a", "1")), func(f *failure) { f.until = noon }))
	if plan(o, wants(wf("a", "1")), noon, grace).changed {
		t.Error("a retry counts as a change: its back-off would never grow")
	}
	if !plan(o, wants(wf("a", "2")), noon, grace).changed {
		t.Error("new code after a failure doesn't count as a change: it would wait for the old back-off")
	}
}

func TestAGraceBeginsWhenTheCodeVanishes(t *testing.T) {
	t.Parallel()
	a, b := wf("a", "1"), wf("b", "1")
	o := runs(a, b)
	for i, at := range []time.Duration{0, time.Second, 4 * time.Second} {
		dec := plan(o, wants(a), noon.Add(at), grace)
		if dec.action != actNothing || dec.again != grace-at {
			t.Fatalf("pass %d: %s, again after %s; want nothing, %s", i, dec.action, dec.again, grace-at)
		}
		o.vanished = dec.vanished
	}
	if dec := plan(o, wants(a), noon.Add(grace), grace); dec.action != actReload {
		t.Errorf("after the grace: %s, want reload", dec.action)
	}
	// Back for a moment, then gone again: the grace starts afresh.
	o.vanished = plan(o, wants(a, b), noon.Add(4*time.Second), grace).vanished
	if o.vanished != nil {
		t.Errorf("vanished is %v after everything came back", o.vanished)
	}
}

func TestWithoutAGraceRemovalIsAtOnce(t *testing.T) {
	t.Parallel()
	if dec := plan(runs(wf("a", "1"), wf("b", "1")), wants(wf("a", "1")), noon, 0); dec.action != actReload {
		t.Errorf("%s, want reload", dec.action)
	}
	if dec := plan(runs(wf("a", "1")), wants(), noon, 0); dec.action != actStop {
		t.Errorf("%s, want stop", dec.action)
	}
}

func TestPlanDoesNotTouchItsInput(t *testing.T) {
	t.Parallel()
	o, d := runs(wf("a", "1"), wf("b", "1")), wants(wf("a", "2"))
	d.Sources = append(make([]rows.Source, 0, 10), d.Sources...)
	plan(o, d, noon, grace)
	if !reflect.DeepEqual(o, runs(wf("a", "1"), wf("b", "1"))) || !reflect.DeepEqual(d.Sources[:2][1], rows.Source{}) {
		t.Error("plan wrote into what it was given")
	}
}
