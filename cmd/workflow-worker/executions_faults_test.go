package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
)

// statuses are what rows say of Temporal's.
var statuses = map[enumspb.WorkflowExecutionStatus]string{
	enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING: "running", enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED: "completed",
	enumspb.WORKFLOW_EXECUTION_STATUS_FAILED: "failed", enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED: "cancelled",
	enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED: "failed", enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT: "failed",
}

// agrees compares a row with what Temporal says, and looks that it was started once.
func (w *workflow) agrees(id string) error {
	x, err := w.execution(id)
	if err != nil {
		return err
	}
	if x.RunID == "" {
		return fmt.Errorf("execution %s is %s, and in no run: %s", id, x.Status, x.Message)
	}
	found, err := w.temporal.DescribeWorkflowExecution(w.t.Context(), x.TemporalID, "")
	if err != nil {
		return err
	}
	info := found.GetWorkflowExecutionInfo()
	if says := statuses[info.GetStatus()]; says != x.Status || info.GetExecution().GetRunId() != x.RunID {
		return fmt.Errorf("execution %s: the row says %s, %s; Temporal %s, %s", id, x.Status, x.RunID, says, info.GetExecution().GetRunId())
	}
	if x.Status == "completed" {
		var result any
		if err := w.temporal.GetWorkflow(w.t.Context(), x.TemporalID, x.RunID).Get(w.t.Context(), &result); err != nil {
			return err
		}
		text, err := json.Marshal(result)
		if err != nil {
			return err
		}
		if same := w.ids(`SELECT id::text FROM workflow_executions WHERE id = $1 AND output = $2::jsonb`, id, string(text)); len(same) != 1 {
			return fmt.Errorf("execution %s: the row says %s, Temporal %s", id, x.Output, text)
		}
	}
	list, err := w.temporal.ListWorkflow(w.t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: "WorkflowId = '" + x.TemporalID + "'"})
	if err != nil {
		return err
	}
	for _, run := range list.GetExecutions() {
		found, err := w.temporal.DescribeWorkflowExecution(w.t.Context(), x.TemporalID, run.GetExecution().GetRunId())
		if err != nil {
			return err
		}
		if first := found.GetWorkflowExecutionInfo().GetFirstRunId(); first != info.GetFirstRunId() {
			return fmt.Errorf("execution %s was started twice: runs %s and %s", id, first, info.GetFirstRunId())
		}
	}
	return nil
}

func (b *builder) ids(sql string, args ...any) []string {
	b.t.Helper()
	rows, err := b.db.Query(b.t.Context(), sql, args...)
	if err != nil {
		b.t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}

// Rows and requests at random, and in between one of two services is killed, stopped, frozen for a
// while, or loses its connections.
func TestEveryRowEqualsWhatTemporalSaysWhateverDies(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	services := []*service{startService(t, url), startService(t, url)}
	p := newBuilder(t, url).project()
	p.component("greet", `export async function greet(name: string) { if (name === 'nobody') throw new Error('whom?'); return 'Hello ' + name; }`)
	w := p.workflow("order-intake", executedCode)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test's
	inputs := []string{`{}`, `{"name": "Ann"}`, `{"name": "nobody"}`, `{"fail": true}`, `{"again": 3}`, `{"wait": true}`, `[1]`}
	faults := []string{"death", "end", "frost", "loss"}
	const rounds = 6
	frozen := -1
	for round := range rounds {
		for range 15 {
			w.starts(inputs[random.IntN(len(inputs))], nil)
		}
		for _, id := range w.ids(`SELECT id::text FROM workflow_executions WHERE status IN ('running', 'pending') AND input ? 'wait' ORDER BY random() LIMIT 3`) {
			if random.IntN(5) == 0 { // by nobody that the service knows
				if x, err := w.execution(id); err == nil && x.RunID != "" {
					_ = w.temporal.TerminateWorkflow(t.Context(), x.TemporalID, x.RunID, "from outside") // it may have ended
				}
				continue
			}
			action := []string{"cancel", "terminate", "signal", "reset", "update", "query"}[random.IntN(6)]
			w.exec(`INSERT INTO workflow_execution_requests (execution_id, action, name, args)
				VALUES ($1, $2, CASE $2 WHEN 'signal' THEN 'finish' WHEN 'update' THEN 'ask' WHEN 'query' THEN 'count' END, CASE $2 WHEN 'update' THEN '["Ann"]'::jsonb END)`, id, action)
		}
		if round == rounds-1 {
			break
		}
		victim := random.IntN(2)
		if random.IntN(2) == 0 { // in the midst of it, or when all is done
			eventually(t, "some are started", func() error {
				if len(w.ids(`SELECT id::text FROM workflow_executions WHERE claimed_at IS NOT NULL LIMIT 1`)) == 0 {
					return errors.New("none yet")
				}
				return nil
			})
		}
		if frozen >= 0 { // what it had begun others have gone on with
			services[frozen].signal(syscall.SIGCONT)
			frozen = -1
		}
		fault := faults[random.IntN(len(faults))]
		t.Logf("round %d: %s of %d", round, fault, victim)
		switch fault {
		case "death", "end":
			services[victim].stop(map[string]syscall.Signal{"death": syscall.SIGKILL, "end": syscall.SIGTERM}[fault])
			services[victim] = startService(t, url)
		case "frost":
			services[victim].signal(syscall.SIGSTOP)
			frozen = victim
		case "loss":
			w.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'workflow_worker%'`)
		}
	}
	if frozen >= 0 {
		services[frozen].signal(syscall.SIGCONT)
	}
	eventually(t, "all requests are answered", func() error {
		if open := w.ids(`SELECT id::text || ' ' || action || ' ' || status FROM workflow_execution_requests WHERE status NOT IN ('completed', 'failed')`); len(open) > 0 {
			return fmt.Errorf("open: %v", open)
		}
		return nil
	})
	for _, id := range w.ids(`SELECT id::text FROM workflow_executions`) {
		eventually(t, "a row says what Temporal says", func() error {
			x, err := w.execution(id)
			if err == nil && x.RunID == "" && x.Status == "cancelled" {
				return nil // before it was started
			}
			return w.agrees(id)
		})
	}
}

// What nobody of ours sees: while no service is there an execution is ended, and another is reset.
func TestWhatHappensWithoutTheServiceIsFoundOut(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	s := startService(t, url)
	w := newBuilder(t, url).project().workflow("order-intake", executedCode)
	ended, kept := w.starts(`{"wait": true}`, nil), w.starts(`{"wait": true}`, nil)
	x, y := w.becomes(ended, "running"), w.becomes(kept, "running")
	eventually(t, "its first task is completed", func() error {
		if got, err := w.execution(kept); err != nil || got.Version == "" {
			return fmt.Errorf("%+v, %w", got, err)
		}
		return nil
	})
	s.stop(syscall.SIGKILL)
	if err := w.temporal.TerminateWorkflow(t.Context(), x.TemporalID, "", "from outside"); err != nil {
		t.Fatal(err)
	}
	reset, err := w.temporal.ResetWorkflowExecution(t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: "default", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: y.TemporalID, RunId: y.RunID},
		RequestId: kept, WorkflowTaskFinishEventId: 4, Reason: "from outside",
	})
	if err != nil {
		t.Fatal(err)
	}
	waiting := w.starts(`{}`, nil)
	startService(t, url)
	if got := w.becomes(ended, "failed"); got.Message != "terminated: from outside" {
		t.Errorf("%+v", got)
	}
	w.becomes(waiting, "completed")
	eventually(t, "the row shows the run that the reset made", func() error {
		if got, err := w.execution(kept); err != nil || got.RunID != reset.GetRunId() || got.Status != "running" {
			return fmt.Errorf("%+v, %w", got, err)
		}
		return nil
	})
	for _, id := range []string{ended, waiting, kept} {
		eventually(t, "the row says what Temporal says", func() error { return w.agrees(id) })
	}
}

// While Temporal is away rows wait; when it is back each is started, once.
func TestRowsWaitWhileTemporalIsAway(t *testing.T) {
	t.Parallel()
	port, err := stack.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	url := stacktest.MigratedDatabase(t)
	s := launchService(t, url, fmt.Sprintf("TEMPORAL_ADDRESS=127.0.0.1:%d", port))
	w := newBuilder(t, url).project().workflow("order-intake", executedCode)
	var ids []string
	for range 100 {
		ids = append(ids, w.starts(`{}`, nil))
	}
	eventually(t, "health says that nothing can be started", s.health(http.StatusServiceUnavailable, "executions can't be started"))
	if n := len(w.ids(`SELECT id::text FROM workflow_executions WHERE claimed_at IS NOT NULL`)); n > 32 {
		t.Errorf("%d rows are claimed while nothing can be started", n)
	}
	stacktest.Temporal(t, stack.TemporalOptions{Port: port})
	for _, id := range ids {
		w.becomes(id, "completed")
	}
}

// A project's flood doesn't keep another's row waiting.
func TestAFloodOfOneProjectLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	startService(t, url)
	b := newBuilder(t, url)
	flooded, quiet := b.project().workflow("order-intake", executedCode), b.project().workflow("order-intake", executedCode)
	quiet.becomes(quiet.starts(`{}`, nil), "completed")
	const flood = 10_000
	flooded.exec(`INSERT INTO workflow_executions (workflow_id, status) SELECT $1, 'pending' FROM generate_series(1, $2::int)`, flooded.id, flood)
	id := quiet.starts(`{}`, nil)
	quiet.becomes(id, "completed")
	// How many of the flood were before it tells more than a time would.
	var before int
	err := b.db.QueryRow(t.Context(), `SELECT count(*) FROM workflow_executions e, workflow_executions q
		WHERE e.workflow_id = $1 AND q.id = $2 AND e.claimed_at < q.claimed_at`, flooded.id, id).Scan(&before)
	if err != nil {
		t.Fatal(err)
	}
	if before > 500 {
		t.Errorf("%d of the flood's %d rows were taken up before the other project's row", before, flood)
	}
}

// What becomes of executions while the database is no use is written when it is again.
func TestWhatEndsWhileTheDatabaseIsNoUseIsWrittenLater(t *testing.T) {
	t.Parallel()
	server := stacktest.Postgres(t, stack.PostgresOptions{})
	s := startService(t, server.URL("postgres"))
	b := newBuilder(t, server.URL("postgres"))
	w := b.project().workflow("order-intake", executedCode)
	readOnly := func(on bool) error {
		return b.db.AcquireFunc(t.Context(), func(c *pgxpool.Conn) error {
			defer b.db.Reset() // for those that have the old setting
			for _, sql := range []string{
				`SET default_transaction_read_only = off`, fmt.Sprintf(`ALTER DATABASE postgres SET default_transaction_read_only = %t`, on),
				`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'postgres'`,
			} {
				if _, err := c.Exec(t.Context(), sql); err != nil {
					return err
				}
			}
			return nil
		})
	}
	var lock pgx.Tx
	for _, fault := range []struct {
		what        string
		begin, over func() error
		health      []string // while it lasts
	}{
		{"read-only", func() error { return readOnly(true) }, func() error { return readOnly(false) }, []string{"what becomes of executions can't be written"}},
		{"slow", func() (err error) { // as one whose writes wait
			if lock, err = b.db.Begin(t.Context()); err == nil {
				_, err = lock.Exec(t.Context(), `LOCK TABLE workflow_executions IN SHARE MODE`)
			}
			return err
		}, func() error { return lock.Rollback(t.Context()) }, nil},
		{"away", func() error { return server.StopServer(t.Context()) }, func() error {
			err := server.StartServer(t.Context())
			b.db.Reset()
			return err
		}, []string{"what becomes of executions can't be written"}},
	} {
		t.Run(fault.what, func(t *testing.T) {
			const many = 100
			b.exec(`INSERT INTO workflow_executions (workflow_id, status, input) SELECT $1, 'pending', '{"wait": true}' FROM generate_series(1, $2::int)`, w.id, many)
			var open []string
			eventually(t, "they run", func() error {
				if open = b.ids(`SELECT temporal_workflow_id FROM workflow_executions WHERE status = 'running'`); len(open) != many {
					return fmt.Errorf("%d", len(open))
				}
				return nil
			})
			if err := fault.begin(); err != nil {
				t.Fatal(err)
			}
			for i, id := range open {
				var err error
				if i%10 == 0 { // which no worker sees
					err = w.temporal.TerminateWorkflow(t.Context(), id, "", "from outside")
				} else {
					err = w.temporal.SignalWorkflow(t.Context(), id, "", "finish", nil)
				}
				if err != nil {
					t.Error(err)
				}
			}
			for _, id := range open {
				_ = w.temporal.GetWorkflow(t.Context(), id, "").Get(t.Context(), nil) // however it ends
			}
			if fault.health != nil {
				eventually(t, "health says so", s.health(http.StatusServiceUnavailable, fault.health...))
			}
			if err := fault.over(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "all rows say how it ended", func() error {
				var finished, terminated int
				err := b.db.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE status = 'completed' AND output = '[]'), count(*) FILTER (WHERE error_message = 'terminated: from outside')
					FROM workflow_executions WHERE temporal_workflow_id = ANY($1)`, open).Scan(&finished, &terminated)
				if err == nil && (finished != many-many/10 || terminated != many/10) {
					err = fmt.Errorf("%d finished, %d terminated", finished, terminated)
				}
				return err
			})
			eventually(t, "health is well", s.health(http.StatusOK, `"status":"ok"`))
		})
	}
}

// Rows that are over go when their project, or else the service, has kept them for long enough.
func TestOldRowsGoAsTheirProjectSays(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	b := newBuilder(t, url)
	short, standard := b.project().workflow("order-intake", executedCode), b.project().workflow("order-intake", executedCode)
	b.exec(`UPDATE projects SET execution_retention = '1 hour' WHERE id = $1`, short.project.id)
	const old = 1100 // more than go at once
	for _, w := range []*workflow{short, standard} {
		for _, age := range []string{"2 minutes", "2 hours", "3 days"} {
			b.exec(`INSERT INTO workflow_executions (workflow_id, status, completed_at) SELECT $1, 'completed', now() - $2::interval FROM generate_series(1, $3::int)`, w.id, age, old)
		}
		b.exec(`INSERT INTO workflow_execution_requests (execution_id, action, status, completed_at) SELECT id, 'cancel', 'failed', now() FROM workflow_executions
			WHERE workflow_id = $1 AND completed_at < now() - interval '2 days' LIMIT 1`, w.id)
	}
	startService(t, url, "EXECUTION_RETENTION=48h")
	eventually(t, "the old ones are gone", func() error {
		var left, long, requests int
		err := b.db.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE workflow_id = $1), count(*) FILTER (WHERE workflow_id = $2),
			(SELECT count(*) FROM workflow_execution_requests) FROM workflow_executions`, short.id, standard.id).Scan(&left, &long, &requests)
		if err == nil && (left != old || long != 2*old || requests != 0) {
			err = fmt.Errorf("%d and %d are left, and %d requests", left, long, requests)
		}
		return err
	})
}

// Rows, projects and workflows may go while something is under way about them.
func TestWhatIsDeletedMeanwhileHoldsNothingUp(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	startService(t, url)
	b := newBuilder(t, url)
	w, gone := b.project().workflow("order-intake", executedCode), b.project().workflow("order-intake", executedCode)
	for range 20 {
		gone.starts(`{"again": 5}`, nil)
	}
	row := w.starts(`{"wait": true}`, nil)
	w.becomes(row, "running")
	b.exec(`DELETE FROM workflow_executions WHERE id = $1`, row)
	b.exec(`DELETE FROM projects WHERE id = $1`, gone.project.id)
	if status, _, reason := w.asksOf(row, "cancel", "", nil); status != "failed" || reason != "there is no such execution" {
		t.Errorf("a request about a row that is gone: %s %s", status, reason)
	}
	moved := w.starts(`{"wait": true}`, nil)
	w.becomes(moved, "running")
	other := b.project()
	b.exec(`UPDATE workflows SET project_id = $1 WHERE id = $2`, other.id, w.id)
	if status, _, reason := w.asksOf(moved, "terminate", "", nil); status != "completed" {
		t.Errorf("a request about an execution whose workflow was moved: %s", reason)
	}
	w.becomes(moved, "failed")
}
