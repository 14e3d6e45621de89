package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/client"

	"workflow-worker/activities"
	"workflow-worker/activities/userlog"
	"workflow-worker/runtime/activity"
	"workflow-worker/runtime/build"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/logkey"
	"workflow-worker/runtime/sandbox"
	"workflow-worker/runtime/workflow"
)

// ErrNothingLive is Start's error for a project none of whose workflow rows can be run. The report
// says why.
var ErrNothingLive = errors.New("no workflow of the project can be run")

// ErrNotRunning is Reload's error for a project without a worker here.
var ErrNotRunning = errors.New("the project is not running here")

// Runner runs projects in this process. It is safe for concurrent use; calls for one project must
// not overlap.
type Runner struct {
	cfg     Config
	builder *build.Builder
	http    activities.Clients
	meters  meters
	memory  *sandbox.Memory // of all code
	// runtimes are those that the workflow code of all projects shares.
	runtimes *workflow.Runtimes
	shares   shares
	holds    holds
	// gates has a place for each replay gate that may be under way at once, whatever the projects.
	gates chan struct{}
	began time.Time

	mu       sync.Mutex // guards projects
	projects map[string]*project
}

// New makes a Runner. Close stops what it started.
func New(cfg Config) (*Runner, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return newRunner(cfg), nil
}

func newRunner(cfg Config) *Runner {
	runtimes := workflow.NewRuntimes(workflow.RuntimesOptions{Shared: cfg.WorkflowRuntimes, Probe: cfg.Compiler.Probe})
	r := &Runner{
		cfg:      cfg,
		http:     activities.Clients{Guard: cfg.HTTP, Around: cfg.Tracer.Transport},
		memory:   sandbox.NewMemory(sandbox.MemoryOptions{Process: cfg.MaxMemory, Relieve: runtimes.LetGo}),
		runtimes: runtimes,
		gates:    make(chan struct{}, maxGates),
		began:    time.Now(),
		projects: make(map[string]*project),
	}
	if cfg.Steps != nil {
		cfg.Tasks.ObserveSteps(cfg.Steps)
	}
	r.builder = build.New(build.Options{Compiler: cfg.Compiler, Packages: r.storedPackages, Workflows: r.workflowOptions, Activities: r.activityOptions})
	return r
}

// storedPackages gives the npm packages that the store has under a hash.
func (r *Runner) storedPackages(ctx context.Context, hash string) (compile.StoredPackages, error) {
	kept, err := r.cfg.Store.GetPackages(ctx, hash)
	return kept.packages(), err
}

// Warm does once, without a project, what every first use would wait for: the compiler's process
// starts, Temporal's TypeScript SDK is parsed and run, the connection to Temporal is made if it
// answers at once. Its error says what this build or machine lacks to run any project.
func (r *Runner) Warm(ctx context.Context) error {
	connected := make(chan struct{})
	go func() {
		defer close(connected)
		ctx, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		_, _ = r.cfg.Client.CheckHealth(ctx, &client.CheckHealthRequest{}) // who needs it says what is wrong
	}()
	defer func() { <-connected }()
	err := r.builder.Warm(ctx)
	if err == nil {
		err = r.runtimes.Fill()
	}
	if err != nil {
		return fmt.Errorf("run a program that does nothing, to see that the service works: %w", err)
	}
	return nil
}

// connectTimeout bounds Warm's wait for Temporal.
const connectTimeout = time.Second

// Start compiles a project and starts its worker. A row that can't be run is an entry in the
// report; the error is ErrNothingLive if there is no row that can.
func (r *Runner) Start(ctx context.Context, p Project) (Report, error) {
	if r.running(p.ID) != nil {
		return Report{}, fmt.Errorf("start project %s: it is running", p.ID)
	}
	l, report, err := r.prepare(ctx, p, nil)
	if err != nil {
		return report, fmt.Errorf("start project %s: %w", p.ID, err)
	}
	if !slices.ContainsFunc(l.modules, func(m *module) bool { return m.Text.Kind == KindWorkflow }) {
		return report, ErrNothingLive
	}
	pr := newProject(r, p, l)
	if err := pr.start(); err != nil {
		r.meters.close(pr.id, pr.meter)
		return report, fmt.Errorf("start the worker of project %s on task queue %q: %w", p.ID, p.TaskQueue, err)
	}
	r.mu.Lock()
	r.projects[p.ID] = pr
	r.mu.Unlock()
	return report, nil
}

// Reload makes a running project serve what p says: one atomic change, after everything that can
// fail. After an error the former code is still live.
func (r *Runner) Reload(ctx context.Context, p Project) (Report, error) {
	pr := r.running(p.ID)
	if pr == nil {
		return Report{}, fmt.Errorf("reload project %s: %w", p.ID, ErrNotRunning)
	}
	l, report, err := r.prepare(ctx, p, pr.live.Load())
	if err != nil {
		return report, fmt.Errorf("reload project %s: %w", p.ID, err)
	}
	pr.swap(l)
	pr.isolate(p.Isolated)
	return report, nil
}

// Stop stops polling for the project, waits for its tasks as long as Config.StopTimeout and ctx
// allow, and forgets it. A project that isn't running is no error.
func (r *Runner) Stop(ctx context.Context, projectID string) error {
	r.mu.Lock()
	pr := r.projects[projectID]
	delete(r.projects, projectID)
	r.mu.Unlock()
	if pr == nil {
		return nil
	}
	return pr.stop(ctx)
}

// Running gives the ids of the projects with a worker, sorted.
func (r *Runner) Running() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := names(r.projects)
	slices.Sort(ids)
	return ids
}

// Close stops all projects at once and waits as Stop does.
func (r *Runner) Close(ctx context.Context) error {
	defer r.runtimes.Close()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for _, id := range r.Running() {
		wg.Go(func() {
			if err := r.Stop(ctx, id); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (r *Runner) running(id string) *project {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.projects[id]
}

// died forgets a project whose worker ended by itself, so that the next look at it starts it again.
func (r *Runner) died(pr *project, err error) {
	r.mu.Lock()
	if r.projects[pr.id] == pr {
		delete(r.projects, pr.id)
	}
	r.mu.Unlock()
	r.meters.close(pr.id, pr.meter)
	r.cfg.Ended(pr.id)
	pr.log.Error("the worker ended", slog.String(logkey.ID, "project.worker_ended"), slog.String(logkey.Error, err.Error()))
}

// share is a project's.
func (r *Runner) share(projectID string) *share {
	return r.shares.of(projectID, func(id string) bool { return r.running(id) != nil })
}

// logger is a project's, for what is said of it and for what its code says.
func (r *Runner) logger(projectID string) *slog.Logger {
	within := userlog.Within(r.share(projectID).log, r.cfg.Logger.Handler(), logkey.Dropped)
	return slog.New(within).With(slog.String(logkey.Project, projectID))
}

// workflowOptions say on what runtimes a project's workflow code runs.
func (r *Runner) workflowOptions(projectID string) workflow.CodeOptions {
	return workflow.CodeOptions{
		Runtimes: r.runtimes, Isolated: r.isolated(projectID), Probe: r.cfg.Compiler.Probe,
		Memory: r.memory, Budget: sandbox.Budget{Bytes: r.cfg.MaxWorkflowMemory, Setting: workflow.MaxMemorySetting},
		Used:    func(d time.Duration) { r.cfg.Usage.ProjectUsedCPU(projectID, d) },
		Turns:   r.share(projectID).turns,
		Entered: r.entered(projectID), Held: r.heldBack(projectID),
	}
}

// entered tells whose code is entered.
func (r *Runner) entered(projectID string) func(p *compile.Program, workflowID, runID string) (left func()) {
	return func(p *compile.Program, workflowID, runID string) func() {
		r.shares.enters(projectID)
		return r.cfg.Entered(Entry{ProjectID: projectID, Hash: p.Hash, File: p.Name, WorkflowID: workflowID, RunID: runID})
	}
}

func (r *Runner) activityOptions(projectID string) activity.CodeOptions {
	return activity.CodeOptions{
		Logger:      r.logger(projectID),
		HTTP:        r.http.Of(projectID),
		Env:         r.cfg.Env,
		SliceBudget: r.cfg.ActivitySliceTimeout,
		Turns:       r.share(projectID).turns,
		CPUBudget:   r.cfg.ActivityCPUBudget,
		Sandbox: sandbox.Options{
			Memory: r.memory, Probe: r.cfg.Compiler.Probe,
			Budget: sandbox.Budget{Bytes: r.cfg.MaxActivityMemory, Setting: activities.MaxMemorySetting},
		},

		MaxResultBytes:   r.cfg.MaxActivityResultBytes,
		MaxResponseBytes: r.cfg.MaxActivityResponseBytes,
		MaxRequests:      r.cfg.MaxActivityRequests,

		// Before the worker gives up waiting: what is cut off is still reported then, and tried
		// again elsewhere at once.
		Grace:    max(r.cfg.StopTimeout-time.Second, r.cfg.StopTimeout/2),
		Observer: r.cfg.Observer,
		Meter:    r.meters.of(projectID),
		Used:     func(d time.Duration) { r.cfg.Usage.ProjectUsedCPU(projectID, d) },
		Entered:  r.entered(projectID),
		Held:     r.heldBack(projectID),
	}
}

// PollFailure says since when a project's worker can't ask Temporal for tasks, and why.
type PollFailure struct {
	Since time.Time // the first of the attempts in a row that failed, by this process's clock
	Error string    // the latest
}

// FailingPolls gives the running projects whose workers can't ask Temporal for tasks: it is out of
// reach, has no such namespace, or refuses.
func (r *Runner) FailingPolls() map[string]PollFailure {
	byQueue := r.cfg.Tasks.FailingPolls()
	if len(byQueue) == 0 {
		return nil
	}
	out := map[string]PollFailure{}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, p := range r.projects {
		if f, fails := byQueue[p.taskQueue]; fails {
			out[id] = PollFailure(f)
		}
	}
	return out
}
