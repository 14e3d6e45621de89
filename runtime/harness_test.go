package runtime

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/workflow/wire"
)

// store keeps code in memory, for all replicas of a test.
type store struct {
	mu   sync.Mutex
	kept map[string]StoredModule
}

func (s *store) Put(_ context.Context, _ string, modules []StoredModule) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range modules {
		s.kept[m.Hash] = m
	}
	return nil
}

func (s *store) Get(_ context.Context, _, hash string) (StoredModule, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := s.kept[hash]; ok {
		return m, nil
	}
	return StoredModule{}, fmt.Errorf("%s: %w", hash, ErrCodeNotFound)
}

func (s *store) Used(string, string) {}

func (s *store) PutPackages(context.Context, []StoredPackages) error { return nil }

func (s *store) GetPackages(_ context.Context, hash string) (StoredPackages, error) {
	return StoredPackages{}, fmt.Errorf("packages %s: %w", hash, ErrCodeNotFound)
}

// bench is a project and the replicas that run it.
type bench struct {
	t        *testing.T
	temporal client.Client // of the test's own, which nothing looks into
	store    *store
	compiler *compile.Compiler
	project  Project
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{
		t: t, temporal: stacktest.TemporalClient(t), store: &store{kept: map[string]StoredModule{}}, compiler: compile.New(compile.Config{}),
		project: Project{ID: uuid.NewString(), Name: t.Name(), TaskQueue: stacktest.TaskQueue(t)},
	}
	t.Cleanup(b.compiler.Close)
	return b
}

// row sets the text of a workflow row.
func (b *bench) row(name, version, behavior, code string) {
	w := Workflow{ID: name, KebabName: name, Version: version, Code: code, VersioningBehavior: behavior}
	i := slices.IndexFunc(b.project.Workflows, func(w Workflow) bool { return w.KebabName == name })
	if i < 0 {
		b.project.Workflows = append(b.project.Workflows, w)
		return
	}
	b.project.Workflows = slices.Clone(b.project.Workflows)
	b.project.Workflows[i] = w
}

// replica is one process's runner.
type replica struct {
	*bench
	runner *Runner
	// down has Temporal's visibility not answer.
	down atomic.Bool
}

func (b *bench) replica() *replica {
	b.t.Helper()
	return b.replicaWith(func(*Config) {})
}

// replicaWith changes the Config that a replica has in tests.
func (b *bench) replicaWith(change func(*Config)) *replica {
	b.t.Helper()
	re := &replica{bench: b}
	o, tasks := ClientOptions(client.Options{
		HostPort: stacktest.TemporalAddress(b.t), Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
		ConnectionOptions: client.ConnectionOptions{DialOptions: []grpc.DialOption{grpc.WithChainUnaryInterceptor(re.unlessDown)}},
	})
	c, err := client.Dial(o)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Close)
	cfg := Config{
		Client: c, Tasks: tasks, Store: b.store, Compiler: b.compiler, Logger: stacktest.Logger(b.t), StopTimeout: time.Second,
		// On the clock it is ten times that: a task of code that does nothing was seen to take ten
		// seconds beside other tests.
		WorkflowTaskTimeout: 5 * time.Second,
	}
	change(&cfg)
	r, err := New(cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	re.runner = r
	b.t.Cleanup(func() { re.stop() })
	return re
}

func (r *replica) unlessDown(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if _, asks := req.(*workflowservice.ListWorkflowExecutionsRequest); asks && r.down.Load() {
		return status.Error(codes.PermissionDenied, "visibility is down") // what the SDK doesn't try again
	}
	return invoke(ctx, method, req, reply, cc, opts...)
}

func (r *replica) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := r.runner.Close(ctx); err != nil {
		r.t.Error(err)
	}
}

// look has the replica look at the rows: it starts or reloads the project.
func (r *replica) look() Report {
	r.t.Helper()
	do := r.runner.Reload
	if len(r.runner.Running()) == 0 {
		do = r.runner.Start
	}
	p := r.project
	p.AsOf = time.Now()
	report, err := do(r.t.Context(), p)
	if err != nil {
		r.t.Fatal(err)
	}
	return report
}

// source gives the report of a row.
func source(t *testing.T, report Report, name string) SourceReport {
	t.Helper()
	for _, s := range report.Sources {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no report of %s", name)
	return SourceReport{}
}

// isLive fails unless the report says that the version is live, without an error.
func isLive(t *testing.T, report Report, name, version string) SourceReport {
	t.Helper()
	s := source(t, report, name)
	if s.Version != version || s.Error != nil {
		t.Fatalf("live is %s, error %+v; want %s", s.Version, s.Error, version)
	}
	return s
}

func (b *bench) start(workflowType string, args ...any) client.WorkflowRun {
	b.t.Helper()
	run, err := b.temporal.ExecuteWorkflow(b.t.Context(), client.StartWorkflowOptions{
		ID: uuid.NewString(), TaskQueue: b.project.TaskQueue, WorkflowExecutionTimeout: 2 * time.Minute,
	}, workflowType, args...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		_ = b.temporal.TerminateWorkflow(context.Background(), run.GetID(), run.GetRunID(), "the test is over") // it may have closed
	})
	return run
}

func (b *bench) signal(run client.WorkflowRun, name string) {
	b.t.Helper()
	if err := b.temporal.SignalWorkflow(b.t.Context(), run.GetID(), "", name, nil); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) result(run client.WorkflowRun) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	var out string
	if err := run.Get(ctx, &out); err != nil {
		b.t.Fatalf("%s: %v\n%s", run.GetID(), err, b.describe(run))
	}
	return out
}

func (b *bench) events(run client.WorkflowRun) []*historypb.HistoryEvent {
	b.t.Helper()
	var out []*historypb.HistoryEvent
	it := b.temporal.GetWorkflowHistory(context.Background(), run.GetID(), run.GetRunID(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		e, err := it.Next()
		if err != nil {
			b.t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

func (b *bench) describe(run client.WorkflowRun) string {
	var out strings.Builder
	for _, e := range b.events(run) {
		fmt.Fprintf(&out, "%d %s %s\n", e.GetEventId(), e.GetEventType(), e.GetWorkflowTaskCompletedEventAttributes().GetIdentity())
	}
	return out.String()
}

// on waits until the run's last completed task ran on the code.
func (b *bench) on(run client.WorkflowRun, hash string) {
	b.t.Helper()
	b.until(fmt.Sprintf("%s runs on %.12s", run.GetID(), hash), func() error {
		last := ""
		for _, e := range b.events(run) {
			if a := e.GetWorkflowTaskCompletedEventAttributes(); a != nil {
				last = a.GetIdentity()
			}
		}
		if !strings.Contains(last, " code="+hash) {
			return fmt.Errorf("the last is %q", last)
		}
		return nil
	})
}

func (b *bench) noFailedTasks(runs ...client.WorkflowRun) {
	b.t.Helper()
	for _, run := range runs {
		for _, e := range b.events(run) {
			if e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED && !wire.ServersOwn(e) {
				b.t.Errorf("%s: %v", run.GetID(), e)
			}
		}
	}
}

func (b *bench) until(what string, holds func() error) {
	b.t.Helper()
	stacktest.Eventually(b.t, what, holds)
}

// visible waits until Temporal's visibility knows so many open executions of the type.
func (b *bench) visible(workflowType string, n int) {
	b.t.Helper()
	b.until("visibility knows the executions", func() error {
		found, err := b.temporal.CountWorkflow(b.t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: fmt.Sprintf(
			"TaskQueue = '%s' AND ExecutionStatus = 'Running' AND WorkflowType = '%s'", b.project.TaskQueue, workflowType)})
		if err == nil && found.GetCount() != int64(n) {
			err = fmt.Errorf("it knows %d of %d", found.GetCount(), n)
		}
		return err
	})
}
