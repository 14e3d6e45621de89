package activity

import (
	"log/slog"
	"net/http"
	"time"

	"workflow-worker/activities"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/cores"
	"workflow-worker/runtime/sandbox"
)

// Types of the failures that executions end with when this package ends them; all others are what
// the code threw.
const (
	// NotFoundType: the module doesn't export a function of the name. Retryable: newer code may.
	NotFoundType = "NotFoundError"
	// LoadErrorType: evaluating the module threw or didn't end. Not retryable.
	LoadErrorType = "ModuleLoadError"
	// InterruptedType: the code ran longer than CodeOptions.SliceBudget without yielding, or than
	// CodeOptions.CPUBudget in all. Not retryable.
	InterruptedType = "JavaScriptInterrupted"
	// MemoryType: the code keeps more memory than CodeOptions.Sandbox.Memory lets it. Not
	// retryable.
	MemoryType = "MemoryLimit"
	// ShortOfMemoryType: the process has too little, and the code was what kept the most.
	// Retryable.
	ShortOfMemoryType = "ShortOfMemory"
	// StalledType: the code awaits a promise that nothing can settle any more. Retryable, as
	// Temporal's timeout would be.
	StalledType = "ActivityStalled"
	// EndedType: Temporal ended the attempt and the code didn't end within CodeOptions.Grace.
	// Retryable.
	EndedType = "ActivityEnded"
	// QuarantinedType: with this code the execution ended the process that it ran in, and waits.
	// Retryable, then.
	QuarantinedType = "Quarantined"
	// ResultType: the result has no payload (a BigInt, a function, a cycle). Retryable, as in
	// Temporal's own worker.
	ResultType = "ValueError"
	// ResultTooLargeType: the result is beyond CodeOptions.MaxResultBytes. Not retryable.
	ResultTooLargeType = "ResultTooLarge"
)

// Defaults of CodeOptions that settings of the service repeat, for people to read.
const (
	DefaultSliceBudget      = 5 * time.Second
	DefaultCPUBudget        = 5 * time.Minute
	DefaultMaxResultBytes   = 2 << 20
	DefaultMaxResponseBytes = 16 << 20
	DefaultMaxRequests      = 64
)

// CodeOptions configures a Code.
type CodeOptions struct {
	// Logger receives the console's lines and the SDK's log. Give it the project's attributes;
	// those of the activity and its workflow are added. Default: none.
	Logger *slog.Logger

	// HTTP carries out fetch. Default: activities.HTTPClient(activities.GuardOptions{}), which
	// reaches public addresses only.
	HTTP *http.Client

	// Env is what process.env shows. Default: nothing.
	Env map[string]string

	// Sandbox sets the limits of each runtime.
	Sandbox sandbox.Options

	// SliceBudget is how long JavaScript may run without yielding to the event loop, in CPU time
	// where the system tells it and ten times that on the clock. It must stay below the 10 s after
	// which a regular expression gives up. Default: 5 s.
	SliceBudget time.Duration

	// CPUBudget is how much CPU time one execution may take in all, counted as for SliceBudget.
	// Default: 5 minutes.
	CPUBudget time.Duration

	// Grace is how long code may go on after Temporal has ended its attempt (cancelled, timed out,
	// shut down). Default: 10 s.
	Grace time.Duration

	// MaxResultBytes bounds a result and a heartbeat's details. Default: 2 MiB, Temporal's own
	// limit for a payload.
	MaxResultBytes int

	// MaxResponseBytes bounds the body of each response of fetch, after decompression. Default: 16
	// MiB.
	MaxResponseBytes int64

	// MaxRequests is how many requests of fetch one execution may have open. Default: 64.
	MaxRequests int

	// MaxTimers is how many timers one execution may have set. Default: 10,000.
	MaxTimers int

	// MaxLogLines is how many lines one execution may log; the rest is counted. Default: 1,000.
	MaxLogLines int

	// Warm is how many runtimes are kept ready for the next executions, once there were two within
	// Idle. Default: 1. Below 0: none.
	Warm int

	// Machines is how many runtimes executions may share, one after the other; more executions at
	// once have runtimes of their own. Default: 2.
	Machines int

	// MachineAfter is how many executions without a pause of Idle come first: a machine costs as
	// much as some dozens. Default: 50.
	MachineAfter int

	// Idle is how long ready runtimes are kept without an execution. Default: 1 minute.
	Idle time.Duration

	// Observer is told what an operator counts. Default: none.
	Observer Observer

	// Meter takes what the code measures with metricMeter. Default: that goes nowhere.
	Meter Meter

	// Used hears of the CPU time that each entry into JavaScript took. It is cheap and doesn't block.
	// Default: nobody.
	Used func(time.Duration)
	// Turns are the project's. Default: no limit.
	Turns *cores.Turns
	// Held and Entered are workflow.CodeOptions'.
	Held    func(runID, hash string) (why string, until time.Time)
	Entered func(p *compile.Program, workflowID, runID string) (left func())
}

// Meter takes what activities measure. Its method is cheap and doesn't block.
type Meter interface {
	// Measure takes one value; kind is counter, up-down-counter, gauge or histogram. The error says
	// why the value isn't kept.
	Measure(kind, name, description string, value float64, tags map[string]string) error
}

// Observer is told by activities what an operator counts. Its method is cheap and doesn't block.
type Observer interface {
	// JSInterrupted counts JavaScript that was cut off; where is Interrupted.
	JSInterrupted(where string)
}

// Interrupted is what was cut off.
const Interrupted = "activity"

type noObserver struct{}

func (noObserver) JSInterrupted(string) {}

func (o CodeOptions) withDefaults() CodeOptions {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.HTTP == nil {
		o.HTTP = activities.HTTPClient(activities.GuardOptions{})
	}
	if o.Observer == nil {
		o.Observer = noObserver{}
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
	o.SliceBudget = orDefault(o.SliceBudget, DefaultSliceBudget)
	o.CPUBudget = orDefault(o.CPUBudget, DefaultCPUBudget)
	o.Grace = orDefault(o.Grace, 10*time.Second)
	o.Idle = orDefault(o.Idle, time.Minute)
	o.MaxResultBytes = orDefault(o.MaxResultBytes, DefaultMaxResultBytes)
	o.MaxResponseBytes = orDefault(o.MaxResponseBytes, DefaultMaxResponseBytes)
	o.MaxRequests = orDefault(o.MaxRequests, DefaultMaxRequests)
	o.MaxTimers = orDefault(o.MaxTimers, 10_000)
	o.MaxLogLines = orDefault(o.MaxLogLines, 1_000)
	o.Machines = orDefault(o.Machines, 2)
	o.MachineAfter = orDefault(o.MachineAfter, 50)
	if o.Warm == 0 {
		o.Warm = 1
	}
	return o
}

func orDefault[T int | int64 | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}
