package steps

import (
	"log/slog"
	"testing"
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
	"workflow-worker/reconcile/trouble"
)

func TestMain(m *testing.M) { stacktest.Main(m) }

// Who started it died before the row had its run, or somebody else's row comes late: until then the
// run was nobody's. Its steps aren't settled, the history has them.
func TestWhatARowThatComesLateLacksStaysDue(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	_, workflow := h.Shop("")
	log := slog.New(slog.DiscardHandler)
	s := New(Config{
		DB: rows.DB{Pool: h.DB, Timeout: time.Minute}, Settings: Settings{Record: rows.StepsActivities, Payloads: true, MaxValue: 1 << 20},
		Log: log, Trouble: trouble.NewLog(log, time.Minute),
	})
	runs := func(run string) {
		x := &commonpb.WorkflowExecution{WorkflowId: "w-" + run, RunId: run}
		s.EventsReceived(x, []*historypb.HistoryEvent{began(run)})
		s.CommandsTaken(x, []*commandpb.Command{ask("1")})
		s.EventsReceived(x, []*historypb.HistoryEvent{scheduledEvent(5, "1"), completedEvent(6, 5)})
		s.CommandsTaken(x, []*commandpb.Command{closes})
		s.mu.Lock()
		s.pending[run].since = time.Now().Add(-2 * orphanAge)
		s.mu.Unlock()
		if err := s.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	row := func(run string) {
		h.Exec(`INSERT INTO workflow_executions (workflow_id, status, temporal_workflow_id, temporal_run_id, first_run_id)
			VALUES ($1, 'running', 'w-' || $2, $2, $2)`, workflow, run)
	}
	const known, late = "known", "late"
	row(known)
	runs(known)
	runs(late)
	row(late)
	h.Exec(`UPDATE workflow_executions SET status = 'completed'`)
	if err := s.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if steps, due := rowstest.One[string](h, `SELECT count(*)::text FROM component_executions WHERE run_id = 'known'`),
		rowstest.One[string](h, `SELECT coalesce(string_agg(run_id, ' '), '') FROM workflow_worker.steps_due`); steps != "1" || due != late {
		t.Errorf("%s steps are written of the one, and due is %q, not the other", steps, due)
	}
}
