package executions

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
	"workflow-worker/reconcile/trouble"
)

func TestMain(m *testing.M) { stacktest.Main(m) }

// holding is a Temporal that answers no start on one of its queues.
type holding struct {
	Temporal
	held    map[string]bool // queues
	waiting chan string     // told of each start that is held
	started chan string     // and of each other
	release chan struct{}
}

func (h *holding) DescribeWorkflowExecution(context.Context, *workflowservice.DescribeWorkflowExecutionRequest, ...grpc.CallOption) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return nil, serviceerror.NewNotFound("there is none")
}

func (h *holding) StartWorkflowExecution(_ context.Context, q *workflowservice.StartWorkflowExecutionRequest, _ ...grpc.CallOption) (*workflowservice.StartWorkflowExecutionResponse, error) {
	if h.held[q.GetTaskQueue().GetName()] {
		h.waiting <- q.GetWorkflowId()
		<-h.release
		return nil, errors.New("no answer")
	}
	h.started <- q.GetWorkflowId()
	return &workflowservice.StartWorkflowExecutionResponse{RunId: "run", Started: true}, nil
}

// A replica that died left starts behind: they don't wait until nothing else is to be started.
func TestAStartThatSomebodyLeftDoesntWaitForAFlood(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	server := &holding{held: map[string]bool{}, waiting: make(chan string, 1000), started: make(chan string, 1), release: make(chan struct{})}
	for range maxAtOnce / maxShare {
		project, flood := h.Shop("")
		server.held[rowstest.One[string](h, `SELECT task_queue_name::text FROM projects WHERE id = $1`, project)] = true
		h.Exec(`INSERT INTO workflow_executions (workflow_id, status) SELECT $1, 'pending' FROM generate_series(1, $2::int)`, flood, 2*maxShare)
	}
	b := Base{DB: rows.DB{Pool: h.DB, Timeout: time.Minute}, Log: stacktest.Logger(t), Trouble: trouble.NewLog(stacktest.Logger(t), time.Minute)}
	s := NewStarter(b, server, NewFollower(b, false, deafObserver{}), deafObserver{})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		close(server.release)
		running.Wait()
	})
	for range maxAtOnce {
		stacktest.Next(t, "all places are taken", server.waiting)
	}
	_, quiet := h.Shop("")
	h.Exec(`INSERT INTO workflow_executions (workflow_id, status, temporal_workflow_id, claimed_at, leased_until) VALUES ($1, 'pending', 'left', now(), now())`, quiet)
	if got := stacktest.Next(t, "what was left is started", server.started); got != "left" {
		t.Errorf("%s was started", got)
	}
}
