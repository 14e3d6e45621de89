package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"workflow-worker/docker/stack/stacktest"
)

// waiters are executions that wait for signals, all begun.
func (w *workflow) waiters(n int) []string {
	w.t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = w.starts(`{"wait": true}`, nil)
	}
	for _, id := range ids {
		w.becomes(id, "running")
		eventually(w.t, "its first task is completed", func() error {
			if x, err := w.execution(id); err != nil || x.Version == "" {
				return fmt.Errorf("%+v, %w", x, err)
			}
			return nil
		})
	}
	return ids
}

// requests inserts a request and doesn't wait for its answer.
func (b *builder) requests(execution, action, name string) (id string) {
	b.t.Helper()
	err := b.db.QueryRow(b.t.Context(), `INSERT INTO workflow_execution_requests (execution_id, action, name) VALUES ($1, $2, $3) RETURNING id::text`,
		execution, action, name).Scan(&id)
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

// What nobody answers holds up neither others nor what a project asks beside it.
func TestARequestThatTakesLongHoldsNoOtherUp(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	startService(t, url)
	b := newBuilder(t, url)
	stuck, lively := b.project().workflow("order-intake", executedCode), b.project().workflow("order-intake", executedCode)
	const asked = 40 // more than a project's share
	silent, answering := stuck.waiters(asked+1), lively.waiters(2)
	if status, reason := stuck.request("stop"); status != "completed" {
		t.Fatal(reason)
	}
	b.exec(`INSERT INTO workflow_execution_requests (execution_id, action, name) SELECT unnest($1::text[]::uuid[]), 'query', 'count'`, silent[:asked])
	eventually(t, "queries are under way", func() error {
		if len(b.ids(`SELECT id::text FROM workflow_execution_requests WHERE action = 'query' AND status = 'processing'`)) == 0 {
			return errors.New("none")
		}
		return nil
	})
	long := b.requests(answering[0], "update", "until")
	for _, one := range []struct{ execution, action, name string }{
		{silent[asked], "signal", "tell"}, {answering[0], "signal", "go"}, {answering[1], "query", "count"}, {answering[1], "update", "ask"}, {answering[1], "cancel", ""},
	} {
		if status, _, reason := b.asksOf(one.execution, one.action, one.name, nil); status != "completed" {
			t.Errorf("%+v: %s", one, reason)
		}
	}
	eventually(t, "the update that waited is answered", func() error {
		if len(b.ids(`SELECT id::text FROM workflow_execution_requests WHERE id = $1 AND status = 'completed' AND result = '"gone"'`, long)) == 0 {
			return errors.New("not yet")
		}
		return nil
	})
	if over := b.ids(`SELECT q.id::text FROM workflow_execution_requests q WHERE q.action = 'query' AND q.execution_id = ANY($1::text[]::uuid[]) AND q.completed_at <
		(SELECT max(completed_at) FROM workflow_execution_requests WHERE execution_id <> ALL ($1::text[]::uuid[]))`, silent[:asked]); len(over) > 0 {
		t.Errorf("%d of the queries that nobody answers were over before what was asked beside them", len(over))
	}
	// Temporal says so itself once nobody has polled for a minute.
	eventually(t, "each query says why it wasn't answered", func() error {
		if others := b.ids(`SELECT concat_ws(' ', id, status, error) FROM workflow_execution_requests WHERE action = 'query'
			AND execution_id = ANY($1::text[]::uuid[]) AND (status <> 'failed' OR error NOT LIKE ALL ('{no worker answered%,no poller seen%}'))`, silent[:asked]); len(others) > 0 {
			return fmt.Errorf("of %d: %s", asked, strings.Join(others, "; "))
		}
		return nil
	})
}

// refusing fails calls of Temporal before they get there.
type refusing struct {
	grpc.ServerStream
	method string
	why    func(method string, request []byte) error
}

func (r *refusing) RecvMsg(m any) error {
	if err := r.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	return r.why(r.method, *m.(*[]byte))
}

// newRefusingTap is a way to Temporal on which some calls fail.
func newRefusingTap(t *testing.T, why func(method string, request []byte) error) *tap {
	return newTap(t, grpc.StreamInterceptor(func(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		return next(srv, &refusing{s, info.FullMethod, why})
	}))
}

// An execution that Temporal fails at is that one's trouble alone.
func TestAnExecutionThatTemporalFailsAtHoldsNoOtherUp(t *testing.T) {
	t.Parallel()
	var (
		bad   atomic.Value // the id that fails
		tries atomic.Int32
	)
	bad.Store("")
	way := newRefusingTap(t, func(method string, request []byte) error {
		var q workflowservice.DescribeWorkflowExecutionRequest
		if method == workflowservice.WorkflowService_DescribeWorkflowExecution_FullMethodName && proto.Unmarshal(request, &q) == nil &&
			q.GetExecution().GetWorkflowId() == bad.Load() {
			tries.Add(1)
			return status.Error(codes.Internal, "its shard is broken")
		}
		return nil
	})
	url := stacktest.MigratedDatabase(t)
	s := startService(t, url, "TEMPORAL_ADDRESS="+way.address)
	w := newBuilder(t, url).project().workflow("order-intake", executedCode)
	ids := w.waiters(2)
	x, err := w.execution(ids[0])
	if err != nil {
		t.Fatal(err)
	}
	bad.Store(x.TemporalID)
	held := w.requests(ids[0], "signal", "finish")
	eventually(t, "it is tried again and again", func() error {
		if n := tries.Load(); n < 5 {
			return fmt.Errorf("%d times", n)
		}
		return nil
	})
	if status, _, reason := w.asksOf(ids[1], "signal", "tell", nil); status != "completed" {
		t.Error(reason)
	}
	if code, body, err := s.get("/health"); err != nil || code != http.StatusOK || strings.Contains(body, "asked of executions") {
		t.Errorf("health %d, %v: %s", code, err, body)
	}
	bad.Store("")
	w.becomes(ids[0], "completed")
	if left := w.ids(`SELECT id::text FROM workflow_execution_requests WHERE id = $1 AND status <> 'completed'`, held); len(left) > 0 {
		t.Error("its request isn't completed")
	}
}

// A start that Temporal fails at is that row's trouble alone, and the row says so.
func TestAStartThatTemporalFailsAtHoldsNoOtherUp(t *testing.T) {
	t.Parallel()
	var bad atomic.Bool
	bad.Store(true)
	way := newRefusingTap(t, func(method string, request []byte) error {
		var q workflowservice.StartWorkflowExecutionRequest
		if method == workflowservice.WorkflowService_StartWorkflowExecution_FullMethodName && proto.Unmarshal(request, &q) == nil &&
			strings.HasPrefix(q.GetWorkflowId(), "bad") && bad.Load() {
			return status.Error(codes.Internal, "its shard is broken")
		}
		return nil
	})
	url := stacktest.MigratedDatabase(t)
	s := startService(t, url, "TEMPORAL_ADDRESS="+way.address)
	w := newBuilder(t, url).project().workflow("order-intake", executedCode)
	held := w.starts(nil, `{"workflowId": "bad-`+w.id+`"}`)
	eventually(t, "its row says why it waits", func() error {
		x, err := w.execution(held)
		if err == nil && (x.Status != "pending" || !strings.Contains(x.Message, "its shard is broken")) {
			err = fmt.Errorf("%+v", x)
		}
		return err
	})
	w.becomes(w.starts(nil, nil), "completed")
	if code, body, err := s.get("/health"); err != nil || code != http.StatusOK || strings.Contains(body, "be started") {
		t.Errorf("health %d, %v: %s", code, err, body)
	}
	bad.Store(false)
	if x := w.becomes(held, "completed"); x.Message != "" {
		t.Errorf("%+v", x)
	}
}

// Not every version of Temporal can.
func TestAnExecutionIsPausedOrItIsSaidWhyNot(t *testing.T) {
	t.Parallel()
	_, w := executedWorkflow(t)
	id := w.waiters(1)[0]
	for _, step := range []struct{ action, then string }{{"pause", "paused"}, {"unpause", "running"}} {
		switch status, _, reason := w.asksOf(id, step.action, "", nil); {
		case status == "completed":
			w.becomes(id, step.then)
		case !strings.HasPrefix(reason, "this version of Temporal can't pause executions: "):
			t.Errorf("%s: %s", step.action, reason)
		}
	}
	w.asksOf(id, "signal", "finish", nil)
	w.becomes(id, "completed")
}
