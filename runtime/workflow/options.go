package workflow

import (
	"context"
	"log/slog"
	"time"

	"workflow-worker/runtime/tracing"
	"workflow-worker/runtime/workflow/wire"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/temporal"

	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/cores"
	"workflow-worker/runtime/sandbox"
)

// Resolver finds the code of executions, for one project. Its methods are called during workflow
// tasks, from many goroutines.
type Resolver interface {
	// Current gives the code that a new execution of the type starts on, and the name of the export
	// that is its function. The error says which types there are.
	Current(workflowType string) (code *Code, export string, err error)
	// Pinned gives the code that an execution recorded. It may read a store, until ctx ends. An
	// error fails the workflow task, never the execution: the server asks again.
	Pinned(ctx context.Context, hash string) (*Code, error)
	// Wanted says which code an execution goes on with after the one that ran its last task: that
	// one, if it stays. It is asked at every task, and cheap.
	Wanted(x wire.RunInfo, last wire.LastCode) wire.LastCode
	// Moved gives the code of a hash that Wanted named, or that ran, and the export that serves the
	// type in it. It may read a store, as Pinned.
	Moved(ctx context.Context, hash, workflowType string) (code *Code, export string, err error)
}

// LocalActivity is what the author said of a local activity: what the SDK tells of it are the
// values that make it do as we want.
type LocalActivity struct {
	Name string
	// ID is the package's, which counts a run's activities.
	ID string
	// ScheduleToClose is 0 for none.
	StartToClose, ScheduleToClose time.Duration
	Retry                         temporal.RetryPolicy
}

// Observer is told by executions what an operator counts. Its methods are cheap and don't block.
type Observer interface {
	// JSInterrupted counts JavaScript that was cut off; where is InterruptedTask or
	// InterruptedQuery.
	JSInterrupted(where string)
	wire.Observer // how tasks fail
}

// What was cut off.
const (
	InterruptedTask  = "task"
	InterruptedQuery = "query"
)

// Meter takes what workflows measure with metricMeter. Its method is cheap and doesn't block.
type Meter interface {
	// Measure takes one value; kind is counter, gauge or histogram. The error says why the value
	// isn't kept.
	Measure(kind, name, description string, value float64, tags map[string]string) error
}

// Options of a factory.
type Options struct {
	ProjectID string
	// TaskQueue is the project's; it is only shown.
	TaskQueue string
	Resolver  Resolver
	// Tasks belongs to the connection of the worker that gets the factory. Nil: executions are
	// never moved, and nothing is known of them that the bindings don't tell.
	Tasks *wire.Tasks
	// LocalActivity runs one attempt of a local activity. Nil: local activities are refused.
	LocalActivity func(ctx context.Context, a LocalActivity, args *commonpb.Payloads) (*commonpb.Payloads, error)
	// MissingActivity says what activities there are if there is none of the name, also not in the
	// code of that hash; nil if there is one. It is asked before a local activity is scheduled,
	// within a workflow task: what nobody has would be tried again where nobody sees it. Default:
	// there are all.
	MissingActivity func(name, code string) error
	// Logger takes what workflows log, with the project's id added. Default: none.
	Logger *slog.Logger
	// Observer may be nil.
	Observer Observer
	// Meter may be nil: then what workflows measure goes nowhere.
	Meter Meter
	// KeptCode hears of an execution that was to go on with code and keeps its own, because its
	// history doesn't fit: once for each code, within a workflow task. It is cheap and doesn't
	// block. Default: nobody.
	KeptCode func(x wire.RunInfo, from wire.LastCode, to *Code, why Misfit)
	// Ends hears how tasks end. Default: nobody.
	Ends wire.TaskEnds
	// Tracer makes spans of executions and their tasks. Default: nobody does.
	Tracer *tracing.Tracer
	// TaskTimeout is the CPU time that JavaScript may take without returning to Go: for one
	// workflow task's jobs, for one query. Default 1 s. On the clock it may take ten times that.
	TaskTimeout time.Duration
	// ResolveTimeout bounds Resolver.Pinned. Default 5 s, half of a workflow task's usual time.
	ResolveTimeout time.Duration

	// maxStarted is maxStarted, but for tests.
	maxStarted int
	// unproven is for a replay of code that may turn out to be anything.
	unproven bool
	// giveUp, if it isn't nil, ends a replay at the next task that it gives an error for.
	giveUp func() error
	// end, if it isn't nil, is called with a definition that is about to be closed.
	end func(*definition)
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = noObserver{}
	}
	if o.KeptCode == nil {
		o.KeptCode = func(wire.RunInfo, wire.LastCode, *Code, Misfit) {}
	}
	if o.Ends == nil {
		o.Ends = noTaskEnds{}
	}
	if o.TaskTimeout <= 0 {
		o.TaskTimeout = time.Second
	}
	if o.MissingActivity == nil {
		o.MissingActivity = func(string, string) error { return nil }
	}
	if o.ResolveTimeout <= 0 {
		o.ResolveTimeout = 5 * time.Second
	}
	if o.maxStarted <= 0 {
		o.maxStarted = maxStarted
	}
	return o
}

// hears is who hears of the executions.
func (o Options) hears() wire.Project {
	return wire.Project{Logger: o.Logger, Observer: o.Observer, Ends: o.Ends}
}

type noTaskEnds struct{}

func (noTaskEnds) TaskFailed(wire.RunInfo, *wire.TaskFailure) {}
func (noTaskEnds) TaskCompleted(wire.RunInfo, wire.Progress)  {}

type noObserver struct{}

func (noObserver) JSInterrupted(string)      {}
func (noObserver) WorkflowTaskFailed(string) {}

// CodeOptions of a Code.
type CodeOptions struct {
	// Runtimes are what its executions share with those of other codes: its Probe must be this one.
	// Default: it has runtimes of its own alone.
	Runtimes *Runtimes
	// Isolated keeps its executions from sharing runtimes with those of other codes. See Isolate.
	Isolated bool
	// CheckTimeout is the CPU time that evaluating the module may take in Check. Default 1 s.
	CheckTimeout time.Duration
	// CallDepth and MaxBytes are the sandbox's. 0 means its defaults; with other values it has
	// runtimes of its own.
	CallDepth int
	MaxBytes  int64
	// Probe is the sandbox's.
	Probe func(text string) error
	// Used hears of the CPU time that each entry into its JavaScript took. It is cheap and doesn't
	// block. Default: nobody.
	Used func(time.Duration)
	// Turns are the project's. Default: no limit.
	Turns *cores.Turns
	// Entered hears of each entry into its JavaScript before it begins, of which execution it is, ""
	// for none, and is told when it is over. It is cheap and doesn't block. Default: nobody.
	Entered func(p *compile.Program, workflowID, runID string) (left func())
	// Held says of an execution that isn't to enter its JavaScript yet why, and until when; "" of any
	// other. It is cheap and doesn't block. Default: none is.
	Held func(runID, hash string) (why string, until time.Time)
	// Memory is charged with what its executions keep, and each of them may keep Budget; its setting
	// is MaxMemorySetting. Default: nobody counts.
	Memory *sandbox.Memory
	Budget sandbox.Budget
}

// MaxMemorySetting is the setting of the service that says what an execution may keep.
const MaxMemorySetting = "WORKFLOW_MAX_MEMORY"

func (o CodeOptions) withDefaults() CodeOptions {
	if o.CheckTimeout <= 0 {
		o.CheckTimeout = time.Second
	}
	if o.Used == nil {
		o.Used = func(time.Duration) {}
	}
	if o.Held == nil {
		o.Held = func(string, string) (string, time.Time) { return "", time.Time{} }
	}
	if o.Entered == nil {
		o.Entered = func(*compile.Program, string, string) func() { return func() {} }
	}
	return o
}
