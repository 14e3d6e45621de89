package workflow

import (
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/workflow/protocol"
	"workflow-worker/runtime/workflow/wire"
)

const benchmarked = `import { proxyActivities, condition, defineSignal, defineQuery, setHandler } from '@temporalio/workflow';
const { echo } = proxyActivities<any>({ startToCloseTimeout: '1 minute' });
export async function noop(x: any) { return x; }
export async function one(x: any) { return await echo(x); }
export async function many(n: number) { for (let i = 0; i < n; i++) await echo({ i, text: 'some text that goes along' }); return n; }
export async function waits() {
  let total = 0, done = false;
  setHandler(defineSignal<[number]>('add'), (x) => { total += x; });
  setHandler(defineQuery('total'), () => total);
  await condition(() => done);
}
`

func benchmarkProject(b testing.TB) *project {
	comp := compile.New(compile.Config{})
	b.Cleanup(comp.Close)
	p := &project{t: b, comp: comp, current: map[string]target{}, known: map[string]*Code{}, seen: &observations{}}
	p.opts = Options{ProjectID: "p1", Resolver: p, Logger: slog.New(slog.DiscardHandler)}
	program, err := comp.Compile(b.Context(), compile.Source{Name: "bench.ts", Kind: compile.Workflow, Text: benchmarked})
	if err != nil {
		b.Fatal(err)
	}
	code := NewCode(program, CodeOptions{})
	found, err := code.Check(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	p.known[code.Hash()] = code
	for _, n := range found.Functions {
		p.current[n] = target{code, n}
	}
	return p
}

// historyOf writes the history that a run of `many` leaves: every activity takes six events.
func historyOf(b testing.TB, p *project, workflowType string, activities int) *historypb.History {
	h := &historypb.History{}
	now := time.Now()
	add := func(e *historypb.HistoryEvent) int64 {
		e.EventId = int64(len(h.Events) + 1)
		now = now.Add(time.Millisecond)
		e.EventTime = timestamppb.New(now)
		h.Events = append(h.Events, e)
		return e.EventId
	}
	payloads := func(v any) *commonpb.Payloads {
		ps, err := converter.GetDefaultDataConverter().ToPayloads(v)
		if err != nil {
			b.Fatal(err)
		}
		return ps
	}
	task := func() int64 {
		s := add(&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, Attributes: &historypb.HistoryEvent_WorkflowTaskScheduledEventAttributes{
			WorkflowTaskScheduledEventAttributes: &historypb.WorkflowTaskScheduledEventAttributes{}}})
		st := add(&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED, Attributes: &historypb.HistoryEvent_WorkflowTaskStartedEventAttributes{
			WorkflowTaskStartedEventAttributes: &historypb.WorkflowTaskStartedEventAttributes{ScheduledEventId: s}}})
		return add(&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, Attributes: &historypb.HistoryEvent_WorkflowTaskCompletedEventAttributes{
			WorkflowTaskCompletedEventAttributes: &historypb.WorkflowTaskCompletedEventAttributes{ScheduledEventId: s, StartedEventId: st}}})
	}
	add(&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
		WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{
			WorkflowType: &commonpb.WorkflowType{Name: workflowType}, TaskQueue: &taskqueuepb.TaskQueue{Name: "q"}, Input: payloads(activities),
			OriginalExecutionRunId: "run", FirstExecutionRunId: "run", WorkflowTaskTimeout: durationpb.New(10 * time.Second), Attempt: 1,
		}}})
	done := task()
	target := p.current[workflowType]
	add(&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_MARKER_RECORDED, Attributes: &historypb.HistoryEvent_MarkerRecordedEventAttributes{
		MarkerRecordedEventAttributes: &historypb.MarkerRecordedEventAttributes{MarkerName: "SideEffect", WorkflowTaskCompletedEventId: done, Details: map[string]*commonpb.Payloads{
			"side-effect-id": payloads(1), "data": payloads(wire.Pin{Hash: target.code.Hash(), Export: target.export, Flags: []int{1, 2, 3, 4, 5, 6}}),
		}}}})
	for i := range activities {
		sch := add(&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, Attributes: &historypb.HistoryEvent_ActivityTaskScheduledEventAttributes{
			ActivityTaskScheduledEventAttributes: &historypb.ActivityTaskScheduledEventAttributes{
				ActivityId: fmt.Sprint(i + 1), ActivityType: &commonpb.ActivityType{Name: "echo"}, TaskQueue: &taskqueuepb.TaskQueue{Name: "q"}, WorkflowTaskCompletedEventId: done,
			}}})
		st := add(&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED, Attributes: &historypb.HistoryEvent_ActivityTaskStartedEventAttributes{
			ActivityTaskStartedEventAttributes: &historypb.ActivityTaskStartedEventAttributes{ScheduledEventId: sch}}})
		add(&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, Attributes: &historypb.HistoryEvent_ActivityTaskCompletedEventAttributes{
			ActivityTaskCompletedEventAttributes: &historypb.ActivityTaskCompletedEventAttributes{ScheduledEventId: sch, StartedEventId: st, Result: payloads(map[string]any{"i": i, "text": "an answer"})}}})
		done = task()
	}
	add(&historypb.HistoryEvent{EventType: enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, Attributes: &historypb.HistoryEvent_WorkflowExecutionCompletedEventAttributes{
		WorkflowExecutionCompletedEventAttributes: &historypb.WorkflowExecutionCompletedEventAttributes{WorkflowTaskCompletedEventId: done, Result: payloads(activities)}}})
	return h
}

func benchmarkReplay(b *testing.B, workflowType string, activities int) {
	p := benchmarkProject(b)
	h := historyOf(b, p, workflowType, activities)
	r := worker.NewWorkflowReplayer()
	r.RegisterDynamicWorkflow(NewFactory(p.opts), workflow.DynamicRegisterOptions{})
	logger := log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	b.ReportAllocs()
	began := processCPU(b)
	for b.Loop() {
		if err := r.ReplayWorkflowHistory(logger, h); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((processCPU(b)-began).Microseconds())/float64(b.N), "cpu-µs/op")
}

// processCPU is what this process has used; the clock says little on a busy machine.
func processCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkStartRun is a whole run without activities: the module's evaluation, one activation, the
// end.
func BenchmarkStartRun(b *testing.B) { benchmarkReplay(b, "noop", 0) }

// BenchmarkRunWithActivity is BenchmarkStartRun with one activity: two activations.
func BenchmarkRunWithActivity(b *testing.B) { benchmarkReplay(b, "one", 1) }

// BenchmarkActivation is a signal to a cached execution, without the SDK.
func BenchmarkActivation(b *testing.B) {
	d := waitingDefinition(b, benchmarkProject(b))
	defer d.Close()
	signal := protocol.Signal{Name: "add", Input: &commonpb.Payloads{Payloads: []*commonpb.Payload{protocol.JSONPayload([]byte("1"))}}}
	b.ReportAllocs()
	for b.Loop() {
		d.push(signal)
		d.OnWorkflowTaskStarted(0)
	}
}

// BenchmarkReplay1000Events is 166 activities one after the other.
func BenchmarkReplay1000Events(b *testing.B) { benchmarkReplay(b, "many", 166) }

// BenchmarkCachedRun reports the bytes that a waiting execution holds. With HEAP_PROFILE=file the
// profile is written there.
func BenchmarkCachedRun(b *testing.B) {
	p := benchmarkProject(b)
	const runs = 500
	for b.Loop() {
		before := heap()
		kept := make([]*definition, runs)
		for i := range kept {
			kept[i] = waitingDefinition(b, p)
		}
		b.ReportMetric(float64(heap()-before)/runs, "B/run")
		if file := os.Getenv("HEAP_PROFILE"); file != "" {
			writeHeap(b, file)
		}
		for _, d := range kept {
			d.Close()
		}
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkLoad is what the first execution of new code pays: a runtime with the bundle.
func BenchmarkLoad(b *testing.B) {
	p := benchmarkProject(b)
	var program *compile.Program
	for _, c := range p.known {
		program = c.program
	}
	b.ReportAllocs()
	began := processCPU(b)
	for b.Loop() {
		c := NewCode(program, CodeOptions{})
		if _, err := c.Check(b.Context()); err != nil {
			b.Fatal(err)
		}
		c.Discard()
	}
	b.ReportMetric(float64((processCPU(b)-began).Microseconds())/float64(b.N), "cpu-µs/op")
}
