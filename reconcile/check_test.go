package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
	"workflow-worker/runtime/replay"
)

// asks inserts a check or migrate request; execution and target may be "".
func (h *house) asks(project, action, workflow, execution, target string) string {
	h.T.Helper()
	return one[string](h, `INSERT INTO worker_requests (project_id, action, workflow_id, execution_workflow_id, target_version)
		VALUES ($1, $2, $3, nullif($4, ''), nullif($5, '')) RETURNING id::text`, project, action, workflow, execution, target)
}

func (h *house) result(request string) (res rows.Result) {
	h.T.Helper()
	if err := json.Unmarshal([]byte(one[string](h, `SELECT coalesce(result, 'null')::text FROM worker_requests WHERE id = $1`, request)), &res); err != nil {
		h.T.Fatal(err)
	}
	return res
}

// eventsOf reads the details of a project's events of a kind, oldest first.
func (h *house) eventsOf(project, kind string) []string {
	h.T.Helper()
	rows, _ := h.Pool.Query(h.T.Context(), `SELECT message || ' ' || details FROM worker_events WHERE project_id = $1 AND kind = $2 ORDER BY id`, project, kind)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		h.T.Fatal(err)
	}
	return list
}

func execution(id string) replay.Execution {
	return replay.Execution{WorkflowID: id, RunID: "run-of-" + id}
}

// finds makes a hook that answers every check with these.
func finds(fit []string, broken ...string) func(context.Context, runtime.Check) (runtime.CheckResult, error) {
	return func(context.Context, runtime.Check) (runtime.CheckResult, error) {
		res := runtime.CheckResult{Checked: len(fit) + len(broken)}
		for _, id := range fit {
			res.Fit = append(res.Fit, replay.Fitting{Execution: execution(id), Hash: "old"})
		}
		for _, id := range broken {
			res.Broken = append(res.Broken, replay.BrokenExecution{Execution: execution(id), EventID: 11, Reason: "it wants a timer"})
		}
		return res, nil
	}
}

func TestACheckTellsWhatFitsAndMovesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.replica()
	var asked atomic.Pointer[runtime.Check]
	r.runner.onCheck = func(ctx context.Context, c runtime.Check) (runtime.CheckResult, error) {
		asked.Store(&c)
		return finds([]string{"a", "b"}, "c")(ctx, c)
	}
	r.start().isServing(p, w, "v1")
	// An edit that isn't active yet: would it break what runs?
	h.Exec(`INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code, is_active) VALUES ($1, '2', 'v2', false)`, w)
	id := h.asks(p, rows.ActionCheck, w, "", "2")
	r.LookAt(p, time.Now())
	if a := h.isAnswered(id); a.status != rows.RequestCompleted || a.reason != "" || a.startedAt == nil || a.completedAt == nil {
		t.Errorf("%+v", a)
	}
	if c := asked.Load(); c.WorkflowID != w || c.Name != "order-intake" || c.Execution != (replay.Execution{}) || c.Target.Code != "v2" || c.Target.Version != "2" || c.Target.Hash != "" {
		t.Errorf("asked %+v", c)
	}
	want := rows.Result{
		Target: rows.CodeRef{Version: "2", Hash: hashOf("v2\x00")}, Checked: 3, Fits: 2, Breaks: 1,
		Executions: []replay.Execution{{WorkflowID: "a", RunID: "run-of-a"}, {WorkflowID: "b", RunID: "run-of-b"}},
		Broken:     []rows.BrokenExecution{{Execution: replay.Execution{WorkflowID: "c", RunID: "run-of-c"}, Event: 11, Reason: "it wants a timer"}},
	}
	if got, w := mustJSON(t, h.result(id)), mustJSON(t, want); got != w {
		t.Errorf("result %s\nwant   %s", got, w)
	}
	if n := one[int](h, `SELECT count(*)::int FROM workflow_execution_moves`); n != 0 {
		t.Errorf("a check moved %d executions", n)
	}
	if got := h.eventsOf(p, rows.EventRequestDone); len(got) != 1 || !strings.Contains(got[0], "check request completed") {
		t.Errorf("events %q", got)
	}
	if n := r.seen.get().refused[refusedRequest]; n != 1 {
		t.Errorf("%d refusals counted", n)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestMigrateMovesWhatFitsAndSaysWhatDoesNot(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.replica()
	r.runner.onCheck = finds([]string{"a", "b"}, "c")
	r.start().isServing(p, w, "v1")
	id := h.asks(p, rows.ActionMigrate, w, "", "")
	r.LookAt(p, time.Now())
	a := h.isAnswered(id)
	if a.status != rows.RequestCompleted || !strings.Contains(a.reason, "1 of 3 executions don't fit version 1 (") || !strings.Contains(a.reason, "execution c, event 11: it wants a timer") {
		t.Errorf("%+v", a)
	}
	// Complete means that the worker knows.
	live := hashOf("v1\x00")
	want := []runtime.Move{{Execution: execution("a"), Hash: live}, {Execution: execution("b"), Hash: live}}
	if got := r.runner.last("reload", p).Moves; !slices.Equal(got, want) {
		t.Errorf("the runner was told of %+v, want %+v", got, want)
	}
	if res := h.result(id); res.Moved != 2 || res.Breaks != 1 {
		t.Errorf("result %+v", res)
	}
	if got := r.isStatus(p, rows.StatusRunning).meta; got.LastMove == 0 || got.LastReload.Action != "start" {
		t.Errorf("metadata %+v, last reload %+v", got, got.LastReload)
	}
	if got := h.eventsOf(p, rows.EventMigrated); len(got) != 1 || !strings.Contains(got[0], "moved 2 executions of workflow order-intake to version 1") {
		t.Errorf("events %q", got)
	}
	if got := h.eventsOf(p, rows.EventRequestDone); len(got) != 1 || !strings.Contains(got[0], "migrate request completed") {
		t.Errorf("events %q", got)
	}

	// Moves are level state: whoever starts the project is told of them, and a pass that finds
	// nothing new tells nobody.
	reloads := r.runner.count("reload", p)
	r.LookAt(p, time.Now())
	r.surveyed()
	if n := r.runner.count("reload", p); n != reloads {
		t.Errorf("%d reloads for nothing", n-reloads)
	}
	h.Exec(`UPDATE workflow_execution_moves SET closed_at = now() WHERE execution_id = 'a'`)
	restart := h.Request(p, "restart")
	r.LookAt(p, time.Now())
	h.isAnswered(restart)
	if got := r.runner.last("start", p).Moves; !slices.Equal(got, want[1:]) {
		t.Errorf("after the restart the runner was told of %+v, want %+v", got, want[1:])
	}
	if n := r.runner.count("reload", p); n != reloads {
		t.Error("an execution that closed is a reason to reload")
	}
}

func TestMigrateOfOneExecutionThatDoesNotFitFails(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.replica()
	r.runner.onCheck = finds(nil, "c")
	r.start().isServing(p, w, "v1")
	id := h.asks(p, rows.ActionMigrate, w, "c", "")
	r.LookAt(p, time.Now())
	if a := h.isAnswered(id); a.status != rows.RequestFailed || !strings.HasPrefix(a.reason, "it doesn't fit version 1 (") || !strings.Contains(a.reason, "event 11: it wants a timer") {
		t.Errorf("%+v", a)
	}
	if res := h.result(id); len(res.Broken) != 1 || res.Broken[0].WorkflowID != "c" || res.Broken[0].Event != 11 {
		t.Errorf("result %+v", res)
	}
}

func TestWhatIsAskedOfExecutionsIsFoundOrRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	_, stranger := h.Shop("v1")
	r := h.replica()
	r.runner.onCheck = func(_ context.Context, c runtime.Check) (runtime.CheckResult, error) {
		if c.Execution.WorkflowID != "" {
			return runtime.CheckResult{}, &replay.RefusedError{Reason: "there is no execution " + c.Execution.WorkflowID}
		}
		return runtime.CheckResult{Checked: len(c.Target.Code)}, nil
	}
	r.start().isServing(p, w, "v1")
	h.Exec(`UPDATE workflow_compiled_code SET version = '2', workflow_code = 'v2 text' WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now())
	r.isServing(p, w, "v2 text")
	v1 := hashOf("v1\x00")
	for name, tt := range map[string]struct {
		workflow, execution, target string
		status, reason              string
		version                     string
		length                      int
	}{
		"what is live":               {w, "", "", rows.RequestCompleted, "", "2", 7},
		"a version":                  {w, "", "2", rows.RequestCompleted, "", "2", 7},
		"a version that was":         {w, "", "1", rows.RequestCompleted, "", "1", 2},
		"a hash":                     {w, "", v1, rows.RequestCompleted, "", "1", 2},
		"the beginning of a hash":    {w, "", v1[:12], rows.RequestCompleted, "", "1", 2},
		"too little of a hash":       {w, "", v1[:8], rows.RequestFailed, "there are: 2", "", 0},
		"an unknown version":         {w, "", "3", rows.RequestFailed, `workflow order-intake has no version "3"; there are: 2`, "", 0},
		"an unknown workflow":        {uuid.Nil.String(), "", "", rows.RequestFailed, "the project has no workflow " + uuid.Nil.String(), "", 0},
		"another project's workflow": {stranger, "", "", rows.RequestFailed, "the project has no workflow " + stranger, "", 0},
		"an unknown execution":       {w, "lost", "", rows.RequestFailed, "there is no execution lost", "", 0},
	} {
		id := h.asks(p, rows.ActionCheck, tt.workflow, tt.execution, tt.target)
		r.LookAt(p, time.Now())
		a, res := h.isAnswered(id), h.result(id)
		if a.status != tt.status || !strings.Contains(a.reason, tt.reason) || res.Target.Version != tt.version || res.Checked != tt.length {
			t.Errorf("%s: %s, %q, %+v", name, a.status, a.reason, res)
		}
	}
}

func TestALongCheckHoldsNothingUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	q, _ := h.Shop("v1")
	r := h.replica()
	slow := make(gate)
	var checks atomic.Int32
	r.runner.onCheck = func(ctx context.Context, c runtime.Check) (runtime.CheckResult, error) {
		checks.Add(1)
		if err := slow.wait(ctx); err != nil {
			return runtime.CheckResult{}, err
		}
		return finds([]string{"a"})(ctx, c)
	}
	r.start().isServing(p, w, "v1")
	first, second := h.asks(p, rows.ActionMigrate, w, "", ""), h.asks(p, rows.ActionCheck, w, "", "")
	r.LookAt(p, time.Now())
	eventually(t, func() error { return expect(checks.Load(), int32(1)) })
	for _, project := range []string{p, q} {
		restart := h.Request(project, "restart")
		r.LookAt(project, time.Now())
		if a := h.isAnswered(restart); a.status != rows.RequestCompleted {
			t.Errorf("restart during a check: %+v", a)
		}
	}
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2' WHERE workflow_id = $1`, w)
	r.LookAt(p, time.Now())
	r.isServing(p, w, "v2")
	if a := h.answer(first); a.status != rows.RequestProcessing {
		t.Errorf("meanwhile the request is %s", a.status)
	}
	// One after the other: the second is about what the first may move.
	if a := h.answer(second); a.status != rows.RequestPending || checks.Load() != 1 {
		t.Errorf("meanwhile the second is %s, %d checks", a.status, checks.Load())
	}
	close(slow)
	for _, id := range []string{first, second} {
		if a := h.isAnswered(id); a.status != rows.RequestCompleted {
			t.Errorf("%+v", a)
		}
	}
}

func TestARestartInTheMiddleOfACheckLosesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	first := h.replica()
	begun := make(chan struct{})
	first.runner.onCheck = func(ctx context.Context, _ runtime.Check) (runtime.CheckResult, error) {
		close(begun)
		<-ctx.Done()
		return runtime.CheckResult{}, ctx.Err()
	}
	first.start().isServing(p, w, "v1")
	id := h.asks(p, rows.ActionMigrate, w, "", "")
	first.LookAt(p, time.Now())
	<-begun
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	if a := h.answer(id); a.status != rows.RequestProcessing {
		t.Fatalf("%+v", a)
	}
	second := h.replica()
	second.runner.onCheck = finds([]string{"a"})
	second.start()
	if a := h.isAnswered(id); a.status != rows.RequestCompleted || len(second.runner.last("reload", p).Moves) != 1 {
		t.Errorf("%+v, %+v", a, second.runner.last("reload", p).Moves)
	}
	if err := second.stop(); err != nil {
		t.Fatal(err)
	}
	// And one that died between the moves and the end: the moves stand, and aren't made again.
	h.Exec(`UPDATE worker_requests SET status = 'processing', completed_at = NULL WHERE id = $1`, id)
	third := h.replica()
	third.runner.onCheck = func(context.Context, runtime.Check) (runtime.CheckResult, error) {
		t.Error("checked again")
		return runtime.CheckResult{}, nil
	}
	third.start()
	if a := h.isAnswered(id); a.status != rows.RequestCompleted || len(third.runner.last("start", p).Moves) != 1 {
		t.Errorf("%+v, %+v", a, third.runner.last("start", p).Moves)
	}
}

func TestACheckIsTriedAgainWhileTemporalIsAway(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.replica()
	var tries atomic.Int32
	r.runner.onCheck = func(ctx context.Context, c runtime.Check) (runtime.CheckResult, error) {
		switch tries.Add(1) {
		case 1:
			return runtime.CheckResult{}, errors.New("connection refused")
		case 2:
			panic("out of order")
		}
		return finds([]string{"a"})(ctx, c)
	}
	r.start().isServing(p, w, "v1")
	id := h.asks(p, rows.ActionCheck, w, "", "")
	r.LookAt(p, time.Now())
	if a := h.isAnswered(id); a.status != rows.RequestCompleted || tries.Load() != 3 {
		t.Errorf("%+v after %d tries", a, tries.Load())
	}
}

func TestACheckThatNeverWorksFailsWithTheReason(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.replica(func(c *Config) { c.RequestDeadline = 200 * time.Millisecond })
	r.runner.onCheck = func(context.Context, runtime.Check) (runtime.CheckResult, error) {
		return runtime.CheckResult{}, errors.New("connection refused")
	}
	r.start().isServing(p, w, "v1")
	id := h.asks(p, rows.ActionMigrate, w, "", "")
	r.LookAt(p, time.Now())
	if a := h.isAnswered(id); a.status != rows.RequestFailed || !strings.Contains(a.reason, "not done within 200ms: connection refused") {
		t.Errorf("%+v", a)
	}
}

func TestAMigrateRequestIsCompleteOnceEveryReplicaHasHeard(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	a := h.replica()
	a.runner.onCheck = finds([]string{"x"})
	a.start().isServing(p, w, "v1")
	b := h.replica(func(c *Config) { c.Replica = "replica-b" })
	hold := make(gate)
	b.runner.onReload = func(ctx context.Context, _ runtime.Project) error { return hold.wait(ctx) }
	b.start().isStatus(p, rows.StatusRunning)
	id := h.asks(p, rows.ActionMigrate, w, "", "")
	a.LookAt(p, time.Now())
	eventually(t, func() error { return expect(len(a.runner.last("reload", p).Moves), 1) })
	b.LookAt(p, time.Now())
	eventually(t, func() error { return expect(b.runner.count("reload", p), 1) })
	a.LookAt(p, time.Now())
	a.quietDown()
	if got := h.answer(id); got.status != rows.RequestProcessing {
		t.Errorf("replica-b hasn't heard, and the request is %+v", got)
	}
	close(hold)
	if got := h.isAnswered(id); got.status != rows.RequestCompleted {
		t.Errorf("%+v", got)
	}
	if got := b.runner.last("reload", p).Moves; len(got) != 1 {
		t.Errorf("replica-b was told of %+v", got)
	}
}

func TestManyRequestsAboutCodeDontStartAStoppedProject(t *testing.T) {
	t.Parallel()
	h, r, p, w := serving(t)
	stop := h.Request(p, "stop")
	r.LookAt(p, time.Now())
	h.isAnswered(stop)
	var last string
	for range rows.RequestWindow + 4 {
		last = h.asks(p, rows.ActionCheck, w, "", "")
	}
	r.LookAt(p, time.Now())
	if a := h.isAnswered(last); a.status != rows.RequestFailed || !strings.Contains(a.reason, "the project doesn't run: stop request "+stop) {
		t.Errorf("%+v", a)
	}
	r.surveyed()
	if got := r.runner.trace(p); got != "start stop" {
		t.Errorf("calls: %s", got)
	}
}

func TestIsolationIsPartOfWhatAProjectShouldBe(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.work()
	r.isServing(p, w, "v1")
	for _, isolation := range []any{"project", nil} {
		h.Exec(`UPDATE projects SET isolation = $2 WHERE id = $1`, p, isolation)
		r.surveyed() // found without a hint
		if got := r.runner.last("reload", p).Isolated; got != (isolation != nil) {
			t.Errorf("isolation %v: the runner was told %v", isolation, got)
		}
	}
}

func TestVersioningBehaviorIsPartOfWhatAProjectShouldBe(t *testing.T) {
	t.Parallel()
	h, r, p, w := serving(t)
	for _, behavior := range []string{runtime.AutoUpgrade, runtime.Pinned} {
		h.Exec(`UPDATE workflows SET versioning_behavior = $2 WHERE id = $1`, w, behavior)
		r.surveyed() // found without a hint
		if got := r.runner.last("reload", p).Workflows[0].VersioningBehavior; got != behavior {
			t.Errorf("the runner was told %q, want %q", got, behavior)
		}
	}
}
