package runtime

import (
	"errors"
	"log/slog"
	"os"
	"time"

	"go.temporal.io/sdk/client"

	"workflow-worker/activities"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/tracing"
	"workflow-worker/runtime/workflow"
	"workflow-worker/runtime/workflow/wire"
)

// Defaults of Config that settings of the service repeat, for people to read.
const (
	DefaultConcurrency       = 10
	DefaultMaxActivityMemory = 128 << 20
	DefaultMaxWorkflowMemory = 128 << 20
)

// MaxWorkflowMemorySetting is the setting that failures name for Config.MaxWorkflowMemory.
const MaxWorkflowMemorySetting = workflow.MaxMemorySetting

// Config of a Runner. Fields without a default are required. Those that it only hands on have their
// default where they are used, which their comments name.
type Config struct {
	// Client is the Temporal connection that all workers share. It must have been made with the
	// options of ClientOptions.
	Client client.Client
	// Tasks is what ClientOptions gave for Client. Default: executions are never moved, and
	// workflowInfo() is less complete.
	Tasks *wire.Tasks
	// Store keeps the text of code that executions are pinned to.
	Store CodeStore
	// Compiler compiles rows. The Runner doesn't close it.
	Compiler *compile.Compiler
	// HTTP says what httpRequest and fetch may reach. Each project has a client of its own.
	// Default: public addresses only.
	HTTP activities.GuardOptions
	// Env is what activity code sees as process.env. Default: nothing.
	Env map[string]string
	// Replica names this process in the workers' identities. Default: the host's name and the
	// process id.
	Replica string
	// MaxConcurrentActivities and MaxConcurrentWorkflowTasks bound what one project executes at
	// once. Default DefaultConcurrency each; at least 2 for workflow tasks, as the SDK demands.
	MaxConcurrentActivities, MaxConcurrentWorkflowTasks int
	// MaxPollers is how many polls of each kind (workflow tasks, sticky workflow tasks, activities)
	// a busy project scales up to; an idle one has one of each. Default 5.
	MaxPollers int
	// WorkflowRuntimes is how many JavaScript runtimes the workflow code of all projects shares; see
	// workflow.Runtimes. Default GOMAXPROCS.
	WorkflowRuntimes int
	// IsolateProjects has each project's workflow code run on runtimes of its own, as
	// Project.Isolated does for one.
	IsolateProjects bool
	// WorkflowTaskTimeout is how long JavaScript may run within one workflow task, in CPU time.
	// Default: workflow.Options.TaskTimeout's.
	WorkflowTaskTimeout time.Duration
	// ActivitySliceTimeout is how long JavaScript of an activity may run without yielding to its
	// event loop, in CPU time. Default: activity.CodeOptions.SliceBudget's.
	ActivitySliceTimeout time.Duration
	// MaxActivityResultBytes bounds the result of an activity, as JSON, in bytes. Default:
	// activity.CodeOptions.MaxResultBytes', and for the built-in ones activities.Options'.
	MaxActivityResultBytes int
	// MaxActivityResponseBytes bounds the body of each response of fetch and httpRequest, in bytes.
	// Default: activity.CodeOptions.MaxResponseBytes', and for httpRequest activities.Options'.
	MaxActivityResponseBytes int64
	// MaxActivityRequests is how many requests of fetch one activity may have open. Default:
	// activity.CodeOptions.MaxRequests'.
	MaxActivityRequests int
	// ActivityCPUBudget is how much CPU time one activity may take in all. Default:
	// activity.CodeOptions.CPUBudget's.
	ActivityCPUBudget time.Duration
	// MaxActivityMemory is how much memory the JavaScript of one activity may keep, in bytes. It is
	// an estimate: see sandbox.Memory. Default DefaultMaxActivityMemory.
	MaxActivityMemory int64
	// MaxWorkflowMemory is how much memory one workflow execution may keep, in bytes; likewise an
	// estimate. Default DefaultMaxWorkflowMemory.
	MaxWorkflowMemory int64
	// MaxMemory is how much of the process's memory may be in use before cached executions are let
	// go of and, if that isn't enough, the code that keeps the most is ended, in bytes. Default: no
	// limit.
	MaxMemory int64
	// StopTimeout is how long in-flight tasks may take to finish when a worker stops. Default 10 s.
	StopTimeout time.Duration
	// Logger takes what an operator would act on, and what code logs, with the project's id. Default:
	// none.
	Logger *slog.Logger
	// Meter makes what takes the measurements of a project's code, from when its worker starts
	// until it has stopped. Default: they go nowhere.
	Meter func(projectID string) Meter
	// Observer hears what an operator counts. Default: nobody.
	Observer Observer
	// Activities hears of every attempt of an activity. Default: nobody.
	Activities ActivityObserver
	// Usage adds up what projects do and take. Default: nobody.
	Usage UsageObserver
	// Progress hears how executions get on. Default: nobody.
	Progress ProgressObserver
	// Steps hears what steps executions take. Default: nobody.
	Steps wire.StepObserver
	// Failures hears of executions whose workflow tasks fail. Default: nobody.
	Failures FailureObserver
	// Tracer makes spans of what runs and of what goes live, and hands traces on. Default: nobody
	// does.
	Tracer *tracing.Tracer
	// KeptCode hears of executions that keep their code although they were to go on with other.
	// Default: nobody.
	KeptCode KeptCodeObserver
	// Entered hears of each entry into a project's JavaScript before it begins, and is told when it is
	// over. It is cheap and doesn't block. Default: nobody.
	Entered func(Entry) (left func())
	// Ended hears of projects whose worker ended by itself. Default: nobody.
	Ended func(projectID string)
}

func (c Config) withDefaults() Config {
	setDefault(&c.MaxConcurrentActivities, DefaultConcurrency)
	setDefault(&c.MaxConcurrentWorkflowTasks, DefaultConcurrency)
	c.MaxConcurrentWorkflowTasks = max(2, c.MaxConcurrentWorkflowTasks)
	setDefault(&c.MaxPollers, 5)
	setDefault(&c.MaxActivityMemory, DefaultMaxActivityMemory)
	setDefault(&c.MaxWorkflowMemory, DefaultMaxWorkflowMemory)
	setDefault(&c.StopTimeout, 10*time.Second)
	if c.Replica == "" {
		c.Replica, _ = os.Hostname() // only a label
	}
	return c.WithObservers()
}

// WithObservers has somebody hear, and log, what nobody does.
func (c Config) WithObservers() Config {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Entered == nil {
		c.Entered = func(Entry) func() { return func() {} }
	}
	if c.Ended == nil {
		c.Ended = func(string) {}
	}
	if c.Meter == nil {
		c.Meter = func(string) Meter { return noMeter{} }
	}
	if c.Observer == nil {
		c.Observer = noObserver{}
	}
	if c.Usage == nil {
		c.Usage = noUsageObserver{}
	}
	if c.Activities == nil {
		c.Activities = noActivityObserver{}
	}
	if c.Progress == nil {
		c.Progress = noProgressObserver{}
	}
	if c.Failures == nil {
		c.Failures = noFailureObserver{}
	}
	if c.KeptCode == nil {
		c.KeptCode = noKeptCodeObserver{}
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c Config) validate() error {
	switch {
	case c.Client == nil:
		return errors.New("runtime: Config.Client is required")
	case c.Store == nil:
		return errors.New("runtime: Config.Store is required")
	case c.Compiler == nil:
		return errors.New("runtime: Config.Compiler is required")
	}
	return nil
}
