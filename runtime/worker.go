package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	sdkactivity "go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/worker"
	sdkworkflow "go.temporal.io/sdk/workflow"

	"workflow-worker/activities"
	"workflow-worker/runtime/workflow"
	"workflow-worker/runtime/workflow/wire"
)

// project is one running project: its worker and what it serves now.
type project struct {
	r         *Runner
	id        string
	taskQueue string
	log       *slog.Logger
	builtIn   *activities.Set
	meter     Meter
	worker    worker.Worker

	// live is what new executions and activities resolve. Everything else may be read at any time.
	live atomic.Pointer[live]
	old  *superseded
	// isolated is Project.Isolated.
	isolated atomic.Bool
}

func newProject(r *Runner, p Project, l *live) *project {
	log := r.logger(p.ID)
	pr := &project{
		r:         r,
		id:        p.ID,
		taskQueue: p.TaskQueue,
		log:       log,
		builtIn: activities.New(activities.Options{
			Logger: log, HTTP: r.http.Of(p.ID), MaxResultBytes: r.cfg.MaxActivityResultBytes, MaxResponseBytes: r.cfg.MaxActivityResponseBytes}),
	}
	pr.meter = r.cfg.Meter(p.ID)
	r.meters.put(p.ID, pr.meter)
	pr.old = newSuperseded(func(ctx context.Context, hash string) (*module, error) { return r.loadPinned(ctx, p.ID, hash) })
	pr.live.Store(l)
	pr.isolate(p.Isolated)
	return pr
}

// isolate says with whom the project's workflow code shares runtimes.
func (p *project) isolate(isolated bool) {
	p.isolated.Store(isolated)
	for _, m := range append(p.old.all(), p.live.Load().modules...) {
		if m.Workflow != nil {
			m.Workflow.Isolate(p.r.cfg.IsolateProjects || isolated)
		}
	}
}

// isolated tells whether new code of a project is to share no runtime with that of others.
func (r *Runner) isolated(projectID string) bool {
	pr := r.running(projectID)
	return r.cfg.IsolateProjects || pr != nil && pr.isolated.Load()
}

// heartbeatThrottle is the least time between two heartbeats of an attempt that reach the server.
const heartbeatThrottle = time.Second

// start starts polling. It fails if the server can't be reached or doesn't know the namespace.
func (p *project) start() error {
	polls := func() worker.PollerBehavior {
		// An idle project must be cheap: a namespace allows some 1,200 polls at once by default,
		// and fixed pollers would be twice as many as autoscaled ones at their minimum.
		return worker.NewPollerBehaviorAutoscaling(worker.PollerBehaviorAutoscalingOptions{
			InitialNumberOfPollers: 1,
			MinimumNumberOfPollers: 1,
			MaximumNumberOfPollers: p.r.cfg.MaxPollers,
		})
	}
	p.worker = worker.New(p.r.cfg.Client, p.taskQueue, worker.Options{
		Identity:                               wire.Identity(p.id, p.r.cfg.Replica),
		MaxConcurrentActivityExecutionSize:     p.r.cfg.MaxConcurrentActivities,
		MaxConcurrentWorkflowTaskExecutionSize: p.r.cfg.MaxConcurrentWorkflowTasks,
		WorkflowTaskPollerBehavior:             polls(),
		ActivityTaskPollerBehavior:             polls(),
		WorkerStopTimeout:                      p.r.cfg.StopTimeout,
		// An attempt learns of its cancellation by a heartbeat's answer: not only after the SDK's
		// 30 s.
		DefaultHeartbeatThrottleInterval: heartbeatThrottle,
		MaxHeartbeatThrottleInterval:     heartbeatThrottle,
		DisableRegistrationAliasing:      true,
		Interceptors:                     []interceptor.WorkerInterceptor{&codeHeader{tracer: p.r.cfg.Tracer, projectID: p.id}},
		OnFatalError:                     func(err error) { p.r.died(p, err) },
	})
	p.worker.RegisterDynamicWorkflow(workflow.NewFactory(workflow.Options{
		ProjectID:   p.id,
		TaskQueue:   p.taskQueue,
		Resolver:    p,
		Tasks:       p.r.cfg.Tasks,
		Logger:      p.r.cfg.Logger,
		Observer:    p.r.cfg.Observer,
		Meter:       p.r.meters.of(p.id),
		TaskTimeout: p.r.cfg.WorkflowTaskTimeout,

		LocalActivity:   p.local,
		MissingActivity: p.missingActivity,
		KeptCode:        p.keepsCode,
		Ends:            p,
		Tracer:          p.r.cfg.Tracer,
	}), sdkworkflow.DynamicRegisterOptions{})
	p.worker.RegisterDynamicActivity(p.execute, sdkactivity.DynamicRegisterOptions{})
	time.Sleep(p.r.untilBeat(time.Now()))
	return p.worker.Start()
}

const (
	// beat divides the tenth of a second after which each of a worker's three autoscaling pollers
	// looks at its figures, for ever, idle or not. By themselves the pollers of a fleet do so at
	// moments of their own, and a thousand projects wake the process thirty thousand times a second:
	// a quarter of a core for nothing. Started on the beat they do it together, forty times.
	beat = 25 * time.Millisecond
	// fleet is how many projects run before another one waits for the beat.
	fleet = 50
)

// untilBeat is how long a worker is to wait until it starts.
func (r *Runner) untilBeat(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.projects) < fleet {
		return 0
	}
	return beat - now.Sub(r.began)%beat
}

// swap makes l what the project serves.
func (p *project) swap(l *live) {
	before := p.live.Swap(l)
	for _, m := range before.modules {
		if m.Text.Kind == KindWorkflow {
			p.old.put(m)
		}
	}
}

// stop ends the worker. The SDK's Stop can't be given up, so with ctx its end isn't awaited any
// longer.
func (p *project) stop(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.r.cfg.Tasks.StopPolls(p.taskQueue)
		p.worker.Stop()
		p.old.close()
		p.discard()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop the worker of project %s: tasks are still running: %w", p.id, context.Cause(ctx))
	}
}

// discard drops all runtimes: the SDK's cache of executions is the process's, and would keep those
// of a stopped project.
func (p *project) discard() {
	for _, m := range append(p.live.Load().modules, p.old.all()...) {
		if m.Workflow != nil {
			m.Workflow.Discard()
		}
		if m.Activity != nil {
			m.Activity.Close()
		}
	}
	p.r.cfg.Tasks.Forget(p.taskQueue)
	p.r.http.Drop(p.id)
	p.r.meters.close(p.id, p.meter)
}

// Current implements workflow.Resolver: what a new execution starts on.
func (p *project) Current(workflowType string) (*workflow.Code, string, error) {
	l := p.live.Load()
	if t, ok := l.target(workflowType); ok {
		return t.module.Workflow, t.export, nil
	}
	if problem, ok := l.brokenWorkflows[workflowType]; ok {
		return nil, "", errors.New(problem)
	}
	return nil, "", &UnknownTypeError{Kind: KindWorkflow, Type: workflowType, Known: names(l.workflows)}
}
