package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"workflow-worker/docker/stack/stacktest"
)

// fence is a workflow of the project that only marks time: once an edit of it is live, every
// earlier change of the project's rows has been looked at, because a look reads them all.
type fence struct {
	*workflow
	n int
}

func (p *project) fence() *fence {
	p.t.Helper()
	return &fence{p.workflow("fence", `export async function fence() { return 1 }`), 1}
}

func (f *fence) pass() {
	f.t.Helper()
	f.n++
	f.edit(fmt.Sprint(f.n), fmt.Sprintf(`export async function fence() { return %d }`, f.n))
}

// insert adds a code row, as old as ago.
func (w *workflow) insert(version string, active bool, ago time.Duration, code string) (id string) {
	w.t.Helper()
	err := w.db.QueryRow(w.t.Context(), `INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code, is_active, compiled_at)
		VALUES ($1, $2, $3, $4, now() - $5 * interval '1 millisecond') RETURNING id`, w.id, version, code, active, ago.Milliseconds()).Scan(&id)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *workflow) active(codeID string, active bool) {
	w.t.Helper()
	w.exec(`UPDATE workflow_compiled_code SET is_active = $2 WHERE id = $1`, codeID, active)
}

func answer(version string) string {
	return fmt.Sprintf(`export async function flow() { return %q }`, version)
}

// What is live follows from what the rows say, not from the order in which they came to say it.
func TestTheOrderOfEditsDoesNotMatterButWhatTheRowsSay(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	startService(t, db)
	p := newBuilder(t, db).project()
	f := p.fence()
	w := p.workflow("flow", answer("1"))
	began := p.running(liveVersion("flow", "1")).StartedAt
	live := func(want string) {
		t.Helper()
		f.pass()
		r := p.start("flow")
		if got := result[string](p, r); got != want {
			t.Errorf("%s is live, want %s", got, want)
		}
		p.undisturbed(r)
	}
	t.Log("the new version is inserted before the old one is deactivated")
	two := w.insert("2", true, 0, answer("2"))
	live("2")
	w.active(w.codeID, false)
	live("2")
	t.Log("a version that was compiled earlier is activated later")
	old := w.insert("1.5", true, time.Hour, answer("1.5"))
	live("2")
	w.active(two, false)
	live("1.5")
	w.active(two, true)
	w.active(old, false)
	live("2")
	t.Log("of two transactions the one that began later wins, also if it is committed first")
	slow, err := p.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	insert := `INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code) VALUES ($1, $2, $3)`
	if _, err := slow.Exec(t.Context(), insert, w.id, "3", answer("3")); err != nil {
		t.Fatal(err)
	}
	p.exec(insert, w.id, "4", answer("4"))
	live("4")
	if err := slow.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	live("4")
	t.Log("an edit in place is current when it is committed, whatever its version is called")
	p.exec(`UPDATE workflow_compiled_code SET version = '0.1', workflow_code = $2 WHERE workflow_id = $1 AND version = '4'`, w.id, answer("0.1"))
	live("0.1")
	t.Log("a late edit of a version that isn't active")
	p.exec(`UPDATE workflow_compiled_code SET workflow_code = $2 WHERE id = $1`, old, answer("late"))
	live("0.1")
	if after := p.running(nil).StartedAt; !after.Equal(*began) {
		t.Error("the worker was restarted")
	}
	var kinds []string
	if err := p.db.QueryRow(t.Context(), `SELECT array_agg(DISTINCT kind) FROM worker_events WHERE project_id = $1`, p.id).Scan(&kinds); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(kinds) != "[reloaded started]" {
		t.Errorf("the events are %v", kinds)
	}
}

// metric reads a sample; series is its name with its labels. One that is not there is 0.
func (s *service) metric(series string) float64 {
	s.t.Helper()
	_, body, err := s.get("/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), series+" "); ok {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				s.t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

// Between the UI's two transactions a project seems to have no code.
func TestBetweenDeactivationAndInsertTheOldVersionIsServed(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "REMOVAL_GRACE=1h", "RESYNC_INTERVAL=1h")
	p := newBuilder(t, db).project()
	w := p.workflow("flow", answer("1"))
	began := p.running(nil).StartedAt
	passes := func() float64 { return s.metric("workflow_worker_reconcile_duration_seconds_count") }
	before := passes()
	w.active(w.codeID, false)
	eventually(t, "the service looks at the project", func() error {
		if passes() == before {
			return errors.New("not yet")
		}
		return nil
	})
	for range 5 {
		if got := run[string](p, "flow"); got != "1" {
			t.Errorf("got %q", got)
		}
	}
	w.insert("2", true, 0, answer("2"))
	p.running(liveVersion("flow", "2"))
	if got := run[string](p, "flow"); got != "2" {
		t.Errorf("got %q", got)
	}
	if after := p.running(nil).StartedAt; !after.Equal(*began) {
		t.Error("the worker was restarted")
	}
}

// Two ways to take one workflow of several away, and what becomes of its executions: those that
// have begun go on, what would begin waits and says why, the others don't notice.
func TestDeactivationOfOneWorkflowOfSeveral(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	startService(t, db, "REMOVAL_GRACE=100ms")
	b := newBuilder(t, db)
	for name, set := range map[string]func(*workflow, bool){
		"the workflow":        func(w *workflow, on bool) { w.exec(`UPDATE workflows SET is_active = $2 WHERE id = $1`, w.id, on) },
		"its only active row": func(w *workflow, on bool) { w.active(w.codeID, on) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := (&builder{t, b.db}).project()
			p.workflow("other", flow("other", "other", `return 'other';`))
			w := p.workflow("flow", `
				export async function again() { let go = false; setHandler(defineSignal('go'), () => { go = true; }); await condition(() => go); return continueAsNew(); }
				`+flow("flow", "v1", `await sleep(1); return 'v1';`))
			began := p.running(liveVersion("flow", "1")).StartedAt
			open, again, other := p.start("flow"), p.start("again"), p.start("other")
			p.version(open.GetID(), "", "v1")
			p.version(other.GetID(), "", "other")
			p.reaches(again, enumspb.EVENT_TYPE_MARKER_RECORDED)
			set(w, false)
			p.running(gone("flow"))

			p.goOn(open.GetID())
			if got := result[string](p, open); got != "v1" {
				t.Errorf("the open execution ended with %q", got)
			}
			late := p.start("flow")
			p.goOn(again.GetID())
			for _, id := range []string{late.GetID(), again.GetID()} {
				eventually(t, "what would begin says why it doesn't", func() error {
					newest := p.temporal.GetWorkflow(t.Context(), id, "")
					for _, e := range p.history(newest) {
						if f := e.GetWorkflowTaskFailedEventAttributes(); f != nil && strings.Contains(f.GetFailure().GetMessage(), "no workflow of this project is named") {
							return nil
						}
					}
					return errors.New(p.describe(newest))
				})
			}
			p.goOn(other.GetID())
			if got := result[string](p, other); got != "other" {
				t.Errorf("the other workflow ended with %q", got)
			}
			w.exec(`UPDATE workflow_compiled_code SET version = '2', workflow_code = $2 WHERE id = $1`, w.codeID, `
				export async function again() { return 'v2 again'; }
				`+flow("flow", "v2", `return 'v2';`))
			set(w, true)
			p.running(liveVersion("flow", "2"))
			p.goOn(late.GetID())
			for r, want := range map[client.WorkflowRun]string{late: "v2", p.temporal.GetWorkflow(t.Context(), again.GetID(), ""): "v2 again"} {
				if got := result[string](p, r); got != want {
					t.Errorf("%s ended with %q, want %q", r.GetID(), got, want)
				}
			}
			p.undisturbed(open)
			p.undisturbed(other)
			if after := p.running(nil).StartedAt; !after.Equal(*began) {
				t.Error("the worker was restarted")
			}
		})
	}
}
