package runtime

import (
	"errors"
	"log/slog"
	"os"
	"time"

	"go.temporal.io/sdk/client"

	"workflow-worker/activities"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/workflow"
	"workflow-worker/runtime/workflow/wire"
)

// Config of a Runner. Fields without a default are required.
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
	// once. Default 10 each; at least 2 for workflow tasks, as the SDK demands.
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
	// Default 1 s.
	WorkflowTaskTimeout time.Duration
	// ActivitySliceTimeout is how long JavaScript of an activity may run without yielding to its
	// event loop, in CPU time. Default 5 s.
	ActivitySliceTimeout time.Duration
	// MaxActivityResultBytes bounds the result of an activity, as JSON. Default 2 MiB, the server's
	// own limit.
	MaxActivityResultBytes int
	// MaxActivityResponseBytes bounds the body of each response of fetch. Default 16 MiB.
	MaxActivityResponseBytes int64
	// MaxActivityRequests is how many requests of fetch one activity may have open. Default 64.
	MaxActivityRequests int
	// ActivityCPUBudget is how much CPU time one activity may take in all. Default 5 minutes.
	ActivityCPUBudget time.Duration
	// MaxActivityMemory is how much memory the JavaScript of one activity may keep, in bytes. It is
	// an estimate: see sandbox.Memory. Default 128 MiB.
	MaxActivityMemory int64
	// MaxMemory is how much of the process's memory may be in use before the activity that keeps
	// the most is ended. Default: no limit.
	MaxMemory int64
	// StopTimeout is how long in-flight tasks may take to finish when a worker stops. Default 10 s.
	StopTimeout time.Duration
	Logger      *slog.Logger
	// Observer hears of interrupted JavaScript and failed workflow tasks. Default: nobody.
	Observer workflow.Observer
	// Meter makes what takes the measurements of a project's code, from when its worker starts
	// until it has stopped. Default: they go nowhere.
	Meter func(projectID string) Meter
	// Activities hears of every attempt of an activity. Default: nobody.
	Activities ActivityObserver
	// Failures hears of executions whose workflow tasks fail. Default: nobody.
	Failures FailureObserver
	// Stays hears of executions that keep their code although they were to go on with other.
	// Default: nobody.
	Stays StayObserver
}

// Meter takes what the code of one project measures with metricMeter.
type Meter interface {
	// Measure takes one value; kind is counter, up-down-counter, gauge or histogram. It is cheap
	// and doesn't block. The error says why the value isn't kept.
	Measure(kind, name, description string, value float64, tags map[string]string) error
	// Close ends it.
	Close()
}

type noMeter struct{}

func (noMeter) Measure(string, string, string, float64, map[string]string) error { return nil }
func (noMeter) Close()                                                           {}

// StayObserver notes executions that keep their code. Its method is cheap and doesn't block.
type StayObserver interface {
	// ExecutionStayed reports one; again for each code that it was to go on with, and after a
	// restart of the process.
	ExecutionStayed(projectID string, s Stay)
}

// Stay is an execution that was to go on with other code and keeps its own, because its history
// doesn't fit.
type Stay struct {
	BrokenExecution
	// CodeOf is the workflows.id of the code that it was to go on with.
	CodeOf string
	// From and To are hashes: of the code that it keeps, and of the other.
	From, To string
}

type noStayObserver struct{}

func (noStayObserver) ExecutionStayed(string, Stay) {}

// ActivityObserver counts attempts of activities. Its methods are cheap and don't block.
type ActivityObserver interface {
	// ActivityExecuted reports one attempt: how long it took and whether it failed. name is one
	// that the project serves.
	ActivityExecuted(projectID, name string, took time.Duration, failed bool)
}

type noActivityObserver struct{}

func (noActivityObserver) ActivityExecuted(string, string, time.Duration, bool) {}

func (c Config) withDefaults() Config {
	setDefault(&c.MaxConcurrentActivities, 10)
	setDefault(&c.MaxConcurrentWorkflowTasks, 10)
	c.MaxConcurrentWorkflowTasks = max(2, c.MaxConcurrentWorkflowTasks)
	setDefault(&c.MaxPollers, 5)
	setDefault(&c.WorkflowTaskTimeout, time.Second)
	setDefault(&c.ActivitySliceTimeout, 5*time.Second)
	setDefault(&c.ActivityCPUBudget, 5*time.Minute)
	setDefault(&c.MaxActivityMemory, 128<<20)
	setDefault(&c.StopTimeout, 10*time.Second)
	if c.Replica == "" {
		c.Replica, _ = os.Hostname() // only a label
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Meter == nil {
		c.Meter = func(string) Meter { return noMeter{} }
	}
	if c.Activities == nil {
		c.Activities = noActivityObserver{}
	}
	if c.Failures == nil {
		c.Failures = noFailureObserver{}
	}
	if c.Stays == nil {
		c.Stays = noStayObserver{}
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
