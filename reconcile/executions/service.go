package executions

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"workflow-worker/migrations/database"
	"workflow-worker/reconcile/executions/shown"
	"workflow-worker/reconcile/executions/steps"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/runtime"
	"workflow-worker/runtime/workflow/wire"
)

// Observer is told what an operator counts.
type Observer interface {
	StartObserver
	FollowObserver
	trouble.Observer
}

// Config is what New needs. The zero value of a field with a default means the default.
type Config struct {
	// Pool reaches the database of the rows. Required.
	Pool *database.Pool
	// Temporal is the connection to the server. Required.
	Temporal Temporal
	// Namespace is Temporal's. Required.
	Namespace string
	// Identity names this process in Temporal's histories. Default "workflow-worker".
	Identity string
	// All records executions that somebody else started, where their project doesn't say.
	All bool
	// MaxValue is how many bytes of a value a row takes. Default 256 KB.
	MaxValue int
	// Steps says what is recorded of the steps that executions take. The default of MaxValue is 64
	// KB; nothing is recorded by default.
	Steps steps.Settings
	// HideValues leaves out of rows what executions give, HideFailures what their failures say: for
	// those that Temporal sees encrypted alone.
	HideValues, HideFailures bool
	// Keep is how long rows are kept after their end, where their project doesn't say. Default:
	// for good.
	Keep time.Duration
	// SweepInterval is how often Temporal is asked about all that isn't over. Default 30 s.
	SweepInterval time.Duration
	// QueryTimeout bounds each exchange with the database. Default 15 s.
	QueryTimeout time.Duration
	// Logger, default slog.Default().
	Logger *slog.Logger
	// Observer may be nil.
	Observer Observer
}

// DefaultMaxValue is that of Config.MaxValue.
const DefaultMaxValue = 256 << 10

// DefaultMaxStepValue is that of Config.Steps.MaxValue.
const DefaultMaxStepValue = 64 << 10

// Service is all parts together. It implements runtime.ProgressObserver and cdc.Messages.
type Service struct {
	starter   *Starter
	follower  *Follower
	recorder  *Recorder
	sweeper   *Sweeper
	requests  *Requests
	retention *Retention
	steps     *steps.Steps
}

// New returns one that does nothing until Run.
func New(c Config) *Service {
	c.Identity = cmp.Or(c.Identity, "workflow-worker")
	c.MaxValue = cmp.Or(c.MaxValue, DefaultMaxValue)
	if c.HideValues {
		c.MaxValue = shown.Hide
	}
	c.SweepInterval = cmp.Or(c.SweepInterval, 30*time.Second)
	c.Steps.Record = cmp.Or(c.Steps.Record, rows.StepsNone)
	c.Steps.MaxValue = cmp.Or(c.Steps.MaxValue, DefaultMaxStepValue)
	c.QueryTimeout = cmp.Or(c.QueryTimeout, 15*time.Second)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	if c.Observer == nil {
		c.Observer = deafObserver{}
	}
	b := Base{
		DB: rows.DB{Pool: c.Pool, Timeout: c.QueryTimeout}, Namespace: c.Namespace, Identity: c.Identity,
		Limits: shown.Limits{MaxValue: c.MaxValue, HideFailures: c.HideFailures}, Log: c.Logger, Trouble: trouble.NewLog(c.Logger, 10*time.Second).Telling(c.Observer),
	}
	s := &Service{}
	s.steps = steps.New(steps.Config{
		DB: b.DB, Temporal: c.Temporal, Namespace: c.Namespace, Limits: b.Limits, Settings: c.Steps, Interval: c.SweepInterval, Log: c.Logger, Trouble: b.Trouble,
	})
	b.Secrets = s.steps
	s.follower = NewFollower(b, c.All, c.Observer)
	s.sweeper = NewSweeper(b, c.Temporal, s.follower, c.SweepInterval)
	s.recorder = NewRecorder(b, c.Temporal, s.follower)
	s.starter = NewStarter(b, c.Temporal, s.follower, c.Observer)
	s.requests = NewRequests(b, c.Temporal, s.follower, s.sweeper)
	s.retention = &Retention{Base: b, Keep: c.Keep, Interval: max(time.Second, 10*c.SweepInterval)}
	return s
}

// Run works until ctx ends; then it writes what it still knows.
func (s *Service) Run(ctx context.Context) {
	// What one hears of last another writes down after it.
	endRecording := outliving(ctx, s.recorder.Run)
	endFollowing := outliving(ctx, s.follower.Run)
	var work sync.WaitGroup
	endSteps := outliving(ctx, s.steps.Run)
	work.Go(func() { s.steps.Settle(ctx) })
	for _, part := range []interface{ Run(context.Context) }{s.starter, s.sweeper, s.requests, s.retention} {
		work.Go(func() { part.Run(ctx) })
	}
	work.Wait()
	endFollowing()
	endSteps()
	endRecording()
}

// outliving runs until end is called, which waits for it.
func outliving(ctx context.Context, run func(context.Context)) (end func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { run(ctx) })
	return func() {
		cancel()
		running.Wait()
	}
}

// Steps hears what steps executions take.
func (s *Service) Steps() wire.StepObserver { return s.steps }

// ExecutionAdvanced implements runtime.ProgressObserver.
func (s *Service) ExecutionAdvanced(projectID string, a runtime.Advance) {
	s.follower.ExecutionAdvanced(projectID, a)
}

// The messages that the triggers of workflow_executions and workflow_execution_requests write.
const (
	toldOfStarts   = "executions"
	toldOfOthers   = "followed executions" // that somebody else started
	toldOfRequests = "requests"
)

// Told implements cdc.Messages.
func (s *Service) Told(content string, _ time.Time) {
	switch content {
	case toldOfStarts:
		s.starter.Bell.Ring()
	case toldOfOthers:
		s.sweeper.Bell.Ring()
	case toldOfRequests:
		s.requests.Bell.Ring()
	}
}

// LookAtAll has everything looked at that may wait.
func (s *Service) LookAtAll() {
	s.starter.Bell.Ring()
	s.sweeper.Bell.Ring()
	s.requests.Bell.Ring()
}

type deafObserver struct{}

func (deafObserver) ExecutionStarted(time.Duration) {}
func (deafObserver) ExecutionBacklog(int)           {}
func (deafObserver) Trouble(string, bool, error)    {}
