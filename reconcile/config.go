package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"time"

	"workflow-worker/migrations/database"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/reconcile/upkeep"
	"workflow-worker/runtime"
	"workflow-worker/runtime/tracing"
)

// Runner runs projects. runtime.Runner is the real one. It must be safe for
// use from many goroutines; calls for one project never overlap.
type Runner interface {
	// Start starts a project's worker. A source that doesn't compile is an
	// entry in the report, not an error; an error means that no worker runs,
	// with whatever report there is.
	Start(ctx context.Context, p runtime.Project) (runtime.Report, error)
	// Reload puts new code under a running worker. After an error the former
	// code is still live.
	Reload(ctx context.Context, p runtime.Project) (runtime.Report, error)
	// Stop drains a project's worker, up to a deadline of the runner's own or
	// ctx's. When it returns the worker is gone, unless Running still names it.
	Stop(ctx context.Context, projectID string) error
	// Running names the projects with a live worker.
	Running() []string
	// Check replays histories of a running project's executions against other
	// code and changes nothing. A replay.RefusedError is final; other errors are
	// worth another try. Unlike the others it may be called at any time.
	Check(ctx context.Context, projectID string, c runtime.Check) (runtime.CheckResult, error)
}

// Observer is told what happens: each part of it by who knows it. Its methods must be cheap and must
// not block.
type Observer interface {
	PassObserver
	StateObserver
	upkeep.CensusObserver
	upkeep.KeptCodeObserver
	upkeep.FailuresObserver
	trouble.Observer
}

// PassObserver is told by a pass over one project what it did.
type PassObserver interface {
	// Reconciled reports one pass: how long it took and how it failed, if it did.
	Reconciled(d time.Duration, err error)
	// Reloaded reports that code went live; action is one of ReloadActions, the time is
	// that of rows.ReloadState.
	Reloaded(action string, commitToLive time.Duration)
	// GateRefused reports that code didn't fit running executions; what is one of
	// Refusals.
	GateRefused(what string)
}

// StateObserver is told by the Reconciler how all projects of this replica are.
type StateObserver interface {
	// QueueDepth is the number of projects waiting for a pass.
	QueueDepth(n int)
	// ProjectsByStatus counts this replica's projects by the status of their
	// workflow_workers row; one that isn't meant to run counts as stopped, row
	// or not. Statuses without projects are absent.
	ProjectsByStatus(map[string]int)
	// Placed tells how many projects this replica should run, and how many replicas it counts on,
	// itself included; 0 where each runs all.
	Placed(wanted, replicas int)
	// CompileErrors is the number of workflows and components, over all
	// projects of this replica, whose newest text isn't what is live.
	CompileErrors(n int)
}

// What the replay gate refuses.
const (
	refusedEdit    = "edit"    // which then isn't live
	refusedRequest = "request" // the code that it named
)

// Refusals are what Observer.GateRefused tells.
func Refusals() []string { return []string{refusedEdit, refusedRequest} }

// ReloadActions are what Observer.Reloaded tells.
func ReloadActions() []string { return []string{actStart.String(), actReload.String()} }

// Config is what New needs. The zero value of a field with a default means
// the default.
type Config struct {
	// Pool reaches the database of the rows. Required. A pass holds one
	// connection at a time.
	Pool *database.Pool

	// Runner runs the projects. Required.
	Runner Runner

	// Tracer makes spans of the passes. Nil: nobody does.
	Tracer *tracing.Tracer

	// Replica names this process among those that work on the same database.
	// Two that run at once must not share a name. A process that comes back
	// under its old name takes its old rows over at once, instead of leaving
	// them until their heartbeat has aged. Default: "<hostname>/<process id>",
	// which in a container is the same after each restart.
	Replica string

	// ProjectReplicas is on how many of the living replicas a project runs; all should have the
	// same. 0: on all.
	ProjectReplicas int

	// Capacity is this replica's share of the projects beside the others'. Default 1.
	Capacity float64

	// Memory tells how much of its memory this process needs for what it keeps, and how much it
	// may use; 0 if unknown. With ProjectReplicas nothing more is taken on when it runs short. Nil:
	// it never does.
	Memory func() (used, limit int64)

	// Host is what workflow_workers.host says. Default: the host's name.
	Host string

	// Workers is how many projects are worked on at once. Stopping a project
	// doesn't count: draining may take long. Default 16.
	Workers int

	// RemovalGrace is how long code that vanished stays live, because the UI
	// replaces code in two transactions. Default 5 s. Negative: not at all.
	RemovalGrace time.Duration

	// HeartbeatInterval is how often this replica refreshes its rows. A
	// replica whose heartbeat is three intervals old counts as dead, so all
	// replicas should use the same. Default 30 s.
	HeartbeatInterval time.Duration

	// RequestDeadline is how long a claimed worker_requests row may stay
	// processing before it is failed with the reason that holds it up (the
	// desired state is pursued all the same). Default four heartbeat
	// intervals: long enough to find out that a silent replica is dead.
	RequestDeadline time.Duration

	// BackoffBase and BackoffLimit bound the wait before a project that failed
	// is tried again; it doubles from the one to the other. Defaults 500 ms
	// and 30 s.
	BackoffBase, BackoffLimit time.Duration

	// QueryTimeout bounds each exchange with the database. Default 15 s.
	QueryTimeout time.Duration

	// StartTimeout bounds each Start and Reload of the runner. Default 60 s.
	StartTimeout time.Duration

	// CheckTimeout bounds each attempt at a check or migrate request. Below three
	// heartbeat intervals no other replica takes it for abandoned. Default 60 s.
	CheckTimeout time.Duration

	// ShutdownTimeout bounds Run's way out: finishing passes, draining
	// workers, writing the rows. Default 30 s.
	ShutdownTimeout time.Duration

	// RowRetention is how long the rows of replicas that are gone are kept.
	// Default 24 h.
	RowRetention time.Duration

	// Store is where the runner keeps code. Default: NewCodeStore(Pool), which
	// is enough for a runner that doesn't use it.
	Store *rows.CodeStore

	// Executions says whether code that isn't live any more is still needed.
	// Nil: it is kept for good.
	Executions upkeep.Executions

	// KeptCode is told by the runner of executions that keep their code. Default: one
	// of its own, which is enough for a runner that doesn't tell.
	KeptCode *upkeep.KeptCodeReports

	// Polls knows which workers can't ask Temporal for tasks. Nil: nobody does.
	Polls upkeep.FailingPolls

	// Quarantine knows who isn't tried because of how its code ended processes. Nil: nobody.
	Quarantine upkeep.Quarantine

	// Failures is told by the runner of executions whose workflow tasks fail.
	// Default: one of its own, which is enough for a runner that doesn't tell.
	Failures *upkeep.FailureReports

	// CodeRetention is how long after their end executions still find their
	// code, for queries and resets. Default 72 h, a namespace's usual
	// retention. Negative: not at all.
	CodeRetention time.Duration

	// CodeMargin is how long after code was superseded, or last used,
	// executions may still have begun on it: on a replica that hadn't heard,
	// or by a reset that isn't known yet. It is kept at least as long. Must be
	// at least CodeInterval, whose clean-ups write down what was used. Default
	// 1 h.
	CodeMargin time.Duration

	// CodeInterval is how often superseded code is looked at. Default 10 min.
	CodeInterval time.Duration

	// CensusInterval is how often the executions on superseded code are counted,
	// and those that keep their code, or get no further, looked at.
	// Default 1 min.
	CensusInterval time.Duration

	// Logger, default slog.Default().
	Logger *slog.Logger

	// Observer may be nil.
	Observer Observer
}

// Defaults of Config that settings of the service repeat, for people to read.
const (
	DefaultCapacity          = 1.0
	DefaultRemovalGrace      = 5 * time.Second
	DefaultHeartbeatInterval = 30 * time.Second
	DefaultShutdownTimeout   = 30 * time.Second
	DefaultCodeRetention     = 72 * time.Hour
)

func (c Config) withDefaults() Config {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	setDefault(&c.Host, host)
	setDefault(&c.Replica, fmt.Sprintf("%s/%d", c.Host, os.Getpid()))
	setDefault(&c.Workers, 16)
	setDefault(&c.Capacity, DefaultCapacity)
	if c.Memory == nil {
		c.Memory = func() (used, limit int64) { return 0, 0 }
	}
	setDefault(&c.RemovalGrace, DefaultRemovalGrace)
	if c.RemovalGrace < 0 {
		c.RemovalGrace = 0
	}
	setDefault(&c.HeartbeatInterval, DefaultHeartbeatInterval)
	setDefault(&c.RequestDeadline, 4*c.HeartbeatInterval)
	setDefault(&c.BackoffBase, 500*time.Millisecond)
	setDefault(&c.BackoffLimit, 30*time.Second)
	setDefault(&c.QueryTimeout, 15*time.Second)
	setDefault(&c.StartTimeout, time.Minute)
	setDefault(&c.CheckTimeout, time.Minute)
	setDefault(&c.ShutdownTimeout, DefaultShutdownTimeout)
	setDefault(&c.RowRetention, 24*time.Hour)
	setDefault(&c.CodeRetention, DefaultCodeRetention)
	if c.CodeRetention < 0 {
		c.CodeRetention = 0
	}
	setDefault(&c.CodeMargin, time.Hour)
	setDefault(&c.CodeInterval, 10*time.Minute)
	setDefault(&c.CensusInterval, time.Minute)
	if c.Store == nil && c.Pool != nil {
		c.Store = rows.NewCodeStore(c.Pool)
	}
	if c.KeptCode == nil {
		c.KeptCode = upkeep.NewKeptCodeReports()
	}
	if c.Failures == nil {
		c.Failures = upkeep.NewFailureReports()
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Observer == nil {
		c.Observer = deafObserver{}
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// validate names every mistake at once.
func (c Config) validate() error {
	var errs []error
	if c.Pool == nil {
		errs = append(errs, errors.New("Pool is required"))
	}
	if c.Runner == nil {
		errs = append(errs, errors.New("Runner is required"))
	}
	if c.Workers < 0 {
		errs = append(errs, fmt.Errorf("Workers is %d, must be positive", c.Workers))
	}
	if c.ProjectReplicas < 0 {
		errs = append(errs, fmt.Errorf("ProjectReplicas is %d, must not be negative", c.ProjectReplicas))
	}
	if !(c.Capacity > 0) || math.IsInf(c.Capacity, 0) {
		errs = append(errs, fmt.Errorf("Capacity is %v, must be positive", c.Capacity))
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"HeartbeatInterval", c.HeartbeatInterval},
		{"RequestDeadline", c.RequestDeadline},
		{"BackoffBase", c.BackoffBase},
		{"BackoffLimit", c.BackoffLimit},
		{"QueryTimeout", c.QueryTimeout},
		{"StartTimeout", c.StartTimeout},
		{"CheckTimeout", c.CheckTimeout},
		{"ShutdownTimeout", c.ShutdownTimeout},
		{"RowRetention", c.RowRetention},
		{"CodeMargin", c.CodeMargin},
		{"CodeInterval", c.CodeInterval},
		{"CensusInterval", c.CensusInterval},
	} {
		if d.value < 0 {
			errs = append(errs, fmt.Errorf("%s is %s, must be positive", d.name, d.value))
		}
	}
	if c.BackoffBase > c.BackoffLimit {
		errs = append(errs, fmt.Errorf("BackoffBase %s is above BackoffLimit %s", c.BackoffBase, c.BackoffLimit))
	}
	if c.CodeMargin < c.CodeInterval {
		errs = append(errs, fmt.Errorf("CodeMargin %s is below CodeInterval %s", c.CodeMargin, c.CodeInterval))
	}
	if len(errs) > 0 {
		return fmt.Errorf("reconcile config: %w", errors.Join(errs...))
	}
	return nil
}

// deadAfter is the age at which a heartbeat means that its replica is dead.
func (c Config) deadAfter() time.Duration { return 3 * c.HeartbeatInterval }

// backoff is how long to wait after so many failures.
func (c Config) backoff(failures int) time.Duration {
	return min(c.BackoffBase<<min(failures, 10), c.BackoffLimit)
}

// deafObserver stands in for a missing one.
type deafObserver struct{}

func (deafObserver) QueueDepth(int)                  {}
func (deafObserver) Reconciled(time.Duration, error) {}
func (deafObserver) Reloaded(string, time.Duration)  {}
func (deafObserver) ProjectsByStatus(map[string]int) {}
func (deafObserver) CompileErrors(int)               {}
func (deafObserver) Placed(int, int)                 {}
func (deafObserver) GateRefused(string)              {}
func (deafObserver) VersionsInUse(map[int]int)       {}
func (deafObserver) ExecutionsStayed(int)            {}
func (deafObserver) ExecutionsFailing(int)           {}
func (deafObserver) Trouble(string, bool, error)     {}
func (deafObserver) StoredCode(int64, int64)         {}
