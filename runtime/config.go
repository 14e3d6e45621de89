package runtime

import (
	"errors"
	"log/slog"
	"os"
	"time"

	"go.temporal.io/sdk/client"

	"workflow-worker/activities"
	"workflow-worker/runtime/compile"
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
	// Observer hears what an operator counts. Default: nobody.
	Observer Observer
	// Meter makes what takes the measurements of a project's code, from when its worker starts
	// until it has stopped. Default: they go nowhere.
	Meter func(projectID string) Meter
	// Activities hears of every attempt of an activity. Default: nobody.
	Activities ActivityObserver
	// Failures hears of executions whose workflow tasks fail. Default: nobody.
	Failures FailureObserver
	// KeptCode hears of executions that keep their code although they were to go on with other.
	// Default: nobody.
	KeptCode KeptCodeObserver
}

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
