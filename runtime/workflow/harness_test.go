package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"workflow-worker/runtime/workflow/wire"

	enumspb "go.temporal.io/api/enums/v1"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/runtime/compile"
)

// withoutCache makes this binary run its workers without the SDK's cache: every task replays from
// the beginning. The cache is the process's, so TestAllAgainWithoutTheCache starts the binary anew.
const withoutCache = "WORKFLOW_TEST_WITHOUT_CACHE"

func TestMain(m *testing.M) {
	if os.Getenv(withoutCache) != "" {
		worker.SetStickyWorkflowCacheSize(0)
	}
	stacktest.Main(m)
}

// prelude spares the tests' sources the imports.
const prelude = `import * as wf from '@temporalio/workflow';
import { proxyActivities, sleep, condition, defineSignal, defineQuery, defineUpdate, setHandler, patched, deprecatePatch, workflowInfo,
  CancellationScope, isCancellation, ApplicationFailure, ActivityFailure, ChildWorkflowFailure, CancelledFailure, TimeoutFailure, uuid4, log,
  startChild, executeChild, continueAsNew, makeContinueAsNewFunc, currentUpdateInfo, allHandlersFinished, Trigger,
  getExternalWorkflowHandle, upsertMemo, upsertSearchAttributes, ParentClosePolicy } from '@temporalio/workflow';
`

// project is a worker whose codes come from texts of the test: a Resolver in memory.
type project struct {
	t     testing.TB
	c     client.Client
	queue string
	opts  Options
	codes CodeOptions
	comp  *compile.Compiler
	seen  *observations

	// answered is told, if it is set before the worker starts, what tasks are answered with.
	answered func(*workflowservice.RespondWorkflowTaskCompletedRequest)

	stopWorker func()
	replayOnce sync.Once

	mu      sync.Mutex
	current map[string]target // by workflow type
	moves   map[string]string // hashes by run id
	known   map[string]*Code
	missing bool // Pinned finds nothing
	runs    []client.WorkflowRun
}

type target struct {
	code   *Code
	export string
}

type observations struct {
	mu          sync.Mutex
	interrupted []string
	failed      []string
	stuck       []wire.RunInfo
	lines       []string
}

// TaskFailed implements TaskEnds.
func (o *observations) TaskFailed(x wire.RunInfo, _ *wire.TaskFailure) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stuck = append(o.stuck, x)
}

// TaskCompleted implements TaskEnds.
func (o *observations) TaskCompleted(wire.RunInfo, wire.Progress) {}

// stuckIn reports that an execution was told to get no further.
func (o *observations) stuckIn(runID string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.ContainsFunc(o.stuck, func(x wire.RunInfo) bool { return x.RunID == runID })
}

func (o *observations) JSInterrupted(where string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.interrupted = append(o.interrupted, where)
}

func (o *observations) WorkflowTaskFailed(reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failed = append(o.failed, reason)
}

func (o *observations) failures() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.failed)
}

// Write takes the log lines of workflows.
func (o *observations) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, string(line))
	return len(line), nil
}

func (o *observations) logged() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.lines)
}

// newProject deploys the text and starts a worker. At the test's end every history is replayed from
// the beginning.
func newProject(t testing.TB, text string) *project {
	p := unstarted(t)
	p.deploy(text)
	p.startWorker()
	return p
}

// patientProject is newProject for code that computes a lot: how fast the machine is plays no part.
func patientProject(t testing.TB, text string) *project {
	p := unstarted(t)
	p.patiently()
	p.deploy(text)
	p.startWorker()
	return p
}

// patiently gives code that is deployed from now on nearly the time that the server waits for a
// task.
func (p *project) patiently() {
	p.opts.TaskTimeout, p.codes.CheckTimeout = 8*time.Second, 8*time.Second
}

func unstarted(t testing.TB) *project {
	t.Helper()
	o := &observations{}
	logger := slog.New(slog.NewTextHandler(o, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p := &project{
		t: t, queue: stacktest.TaskQueue(t), seen: o, current: map[string]target{}, moves: map[string]string{}, known: map[string]*Code{},
		comp: compile.New(compile.Config{}), opts: Options{ProjectID: "p1", Logger: logger, Observer: o, Ends: o, LocalActivity: testLocalActivity},
	}
	t.Cleanup(p.comp.Close)
	p.opts.Tasks = wire.NewTasks()
	overhear := func(ctx context.Context, method string, request, answer any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, o ...grpc.CallOption) error {
		if done, ok := request.(*workflowservice.RespondWorkflowTaskCompletedRequest); ok && p.answered != nil {
			p.answered(done)
		}
		return invoke(ctx, method, request, answer, conn, o...)
	}
	c, err := client.Dial(client.Options{
		HostPort: stacktest.TemporalAddress(t), Logger: wire.Logger(stacktest.Logger(t)), FailureConverter: wire.FailureConverter(nil),
		ConnectionOptions: client.ConnectionOptions{DialOptions: []grpc.DialOption{p.opts.Tasks.DialOption(), grpc.WithChainUnaryInterceptor(overhear)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	p.c = c
	return p
}

func (p *project) startWorker() {
	p.t.Helper()
	p.opts.TaskQueue, p.opts.Resolver = p.queue, p
	w := worker.New(p.c, p.queue, worker.Options{})
	w.RegisterDynamicWorkflow(NewFactory(p.opts), workflow.DynamicRegisterOptions{})
	w.RegisterDynamicActivity(testActivity, activity.DynamicRegisterOptions{})
	if err := w.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.stopWorker = sync.OnceFunc(w.Stop)
	p.t.Cleanup(p.stopWorker)
	p.replayOnce.Do(func() {
		p.t.Cleanup(func() {
			if !p.t.Failed() {
				p.replayAll()
			}
		})
	})
}

// restartWorker makes another worker, which has no cache of the executions.
func (p *project) restartWorker() {
	p.t.Helper()
	p.stopWorker()
	p.startWorker()
}

func (p *project) compiled(text string) *compile.Program {
	p.t.Helper()
	program, err := p.comp.Compile(context.Background(), compile.Source{Name: "test.ts", Kind: compile.Workflow, Text: prelude + text})
	if err != nil {
		p.t.Fatal(err)
	}
	return program
}

// deploy makes the text's functions the current workflows of their names.
func (p *project) deploy(text string) *Code {
	p.t.Helper()
	code := NewCode(p.compiled(text), p.codes)
	found, err := code.Check(context.Background())
	if err != nil {
		p.t.Fatalf("%+v", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[code.Hash()] = code
	code.SetLive(time.Now())
	for _, n := range found.Functions {
		p.current[n] = target{code, n}
	}
	return code
}

func (p *project) Current(workflowType string) (*Code, string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t, ok := p.current[workflowType]; ok {
		return t.code, t.export, nil
	}
	return nil, "", fmt.Errorf("unknown workflow type %q; this project has %d types", workflowType, len(p.current))
}

func (p *project) Pinned(_ context.Context, hash string) (*Code, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.known[hash]; c != nil && !p.missing {
		return c, nil
	}
	return nil, fmt.Errorf("code %.12s is not stored", hash)
}

// Wanted moves executions whose code asks for it to what is current, and those that were told to.
func (p *project) Wanted(x wire.RunInfo, last wire.LastCode) wire.LastCode {
	p.mu.Lock()
	defer p.mu.Unlock()
	if hash, moves := p.moves[x.RunID]; moves {
		return wire.LastCode{Hash: hash}
	}
	if t, ok := p.current[x.Type]; ok && last.AutoUpgrade && !last.Since.After(t.code.liveSince()) {
		return wire.LastCode{Hash: t.code.Hash(), Since: t.code.liveSince()}
	}
	return last
}

// move tells an execution to go on with other code.
func (p *project) move(run client.WorkflowRun, c *Code) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moves[run.GetRunID()] = c.Hash()
}

func (p *project) Moved(ctx context.Context, hash, workflowType string) (*Code, string, error) {
	c, err := p.Pinned(ctx, hash)
	return c, workflowType, err
}

func (p *project) start(workflowType string, args ...any) client.WorkflowRun {
	p.t.Helper()
	return p.startWith(client.StartWorkflowOptions{}, workflowType, args...)
}

func (p *project) startWith(o client.StartWorkflowOptions, workflowType string, args ...any) client.WorkflowRun {
	p.t.Helper()
	o.TaskQueue = p.queue
	if o.WorkflowExecutionTimeout == 0 {
		o.WorkflowExecutionTimeout = time.Minute
	}
	run, err := p.c.ExecuteWorkflow(p.t.Context(), o, workflowType, args...)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs = append(p.runs, run)
	return run
}

// result waits for the run's result as JSON text.
func (p *project) result(run client.WorkflowRun) string {
	p.t.Helper()
	text, err := p.outcome(run)
	if err != nil {
		for _, f := range p.taskFailures(run) {
			p.t.Log(f.GetMessage())
		}
		p.t.Fatalf("%s: %v", run.GetID(), err)
	}
	return text
}

func (p *project) outcome(run client.WorkflowRun) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Second)
	defer cancel()
	var raw converter.RawValue
	if err := run.Get(ctx, &raw); err != nil {
		return "", err
	}
	return string(raw.Payload().GetData()), nil
}

// run starts a workflow and gives its result.
func (p *project) run(workflowType string, args ...any) string {
	p.t.Helper()
	return p.result(p.start(workflowType, args...))
}

func (p *project) signal(run client.WorkflowRun, name string, arg any) {
	p.t.Helper()
	if err := p.c.SignalWorkflow(p.t.Context(), run.GetID(), run.GetRunID(), name, arg); err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) query(run client.WorkflowRun, name string, args ...any) string {
	p.t.Helper()
	text, err := p.tryQuery(run, name, args...)
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

func (p *project) tryQuery(run client.WorkflowRun, name string, args ...any) (string, error) {
	value, err := p.c.QueryWorkflow(p.t.Context(), run.GetID(), run.GetRunID(), name, args...)
	if err != nil {
		return "", err
	}
	var raw converter.RawValue
	if err := value.Get(&raw); err != nil {
		return "", err
	}
	return string(raw.Payload().GetData()), nil
}

func (p *project) history(run client.WorkflowRun) *historypb.History {
	p.t.Helper()
	h := &historypb.History{}
	it := p.c.GetWorkflowHistory(context.Background(), run.GetID(), run.GetRunID(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for it.HasNext() {
		e, err := it.Next()
		if err != nil {
			p.t.Fatal(err)
		}
		h.Events = append(h.Events, e)
	}
	return h
}

// events gives the types of the run's events, without those of tasks.
func (p *project) events(run client.WorkflowRun) string {
	p.t.Helper()
	var out []string
	for _, e := range p.history(run).Events {
		if name := e.GetEventType().String(); !strings.HasPrefix(name, "WorkflowTask") {
			out = append(out, strings.TrimPrefix(name, "WorkflowExecution"))
		}
	}
	return strings.Join(out, " ")
}

// until waits for a condition, by asking again.
func (p *project) until(what string, holds func() bool) {
	p.t.Helper()
	waitUntil(p.t, what, holds)
}

func waitUntil(t testing.TB, what string, holds func() bool) {
	t.Helper()
	stacktest.Eventually(t, what, func() error {
		if !holds() {
			return errors.New("not yet")
		}
		return nil
	})
}

func (p *project) replayAll() {
	for _, run := range p.runs {
		if err := p.replay(run, p.history(run)); err != nil {
			p.t.Errorf("replay %s: %v", run.GetID(), err)
		}
	}
}

func (p *project) replay(run client.WorkflowRun, h *historypb.History) error {
	return p.replayAs(workflow.Execution{ID: run.GetID(), RunID: run.GetRunID()}, h)
}

func (p *project) replayAs(x workflow.Execution, h *historypb.History) error {
	o := p.opts
	o.Tasks = wire.NewTasks()
	defer o.Tasks.Replay(x.RunID, h.Events)()
	r := worker.NewWorkflowReplayer()
	r.RegisterDynamicWorkflow(NewFactory(o), workflow.DynamicRegisterOptions{})
	return r.ReplayWorkflowHistoryWithOptions(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)), h, worker.ReplayWorkflowHistoryOptions{OriginalExecution: x})
}

func jsonEqual(t testing.TB, a, b string) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal([]byte(a), &x); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(b), &y); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}

// searchAttributes registers WfKeyword and WfInt, once per server.
func (p *project) searchAttributes() {
	p.t.Helper()
	_, err := p.c.OperatorService().AddSearchAttributes(p.t.Context(), &operatorservice.AddSearchAttributesRequest{
		Namespace: "default",
		SearchAttributes: map[string]enumspb.IndexedValueType{
			"WfKeyword": enumspb.INDEXED_VALUE_TYPE_KEYWORD, "WfInt": enumspb.INDEXED_VALUE_TYPE_INT,
		},
	})
	var exists *serviceerror.AlreadyExists
	if err != nil && !errors.As(err, &exists) {
		p.t.Fatal(err)
	}
	p.until("the search attributes are known", func() bool {
		r, err := p.c.OperatorService().ListSearchAttributes(p.t.Context(), &operatorservice.ListSearchAttributesRequest{Namespace: "default"})
		return err == nil && r.GetCustomAttributes()["WfInt"] != 0
	})
}
