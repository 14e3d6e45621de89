package cell

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"workflow-worker/runtime"
	"workflow-worker/runtime/logkey"
	"workflow-worker/runtime/workflow/wire"
)

// Config of Cells. What has no default is required.
type Config struct {
	// Count is how many cells there are. Default 1.
	Count int
	// Arguments have the program be a cell, which calls Serve.
	Arguments []string
	// ProcessEnvironment is the whole environment of a cell's process. Default: none.
	ProcessEnvironment []string
	// Reads are paths that a cell may read, beside what any program does. Default: none.
	Reads []string
	// Environment and Handed are what the program hands to itself, over the connection.
	Environment, Handed map[string]string
	// ReadFile reads a file for a cell: one of those that it may have. Default: it may have none.
	ReadFile func(path string) ([]byte, error)
	// Memory is how much each cell may use, in bytes. Default: as much as there is.
	Memory int64
	// Silence is how long a cell may give no answer before it counts as dead. Default 10 s.
	Silence time.Duration
	// Level is the log's. Default: info.
	Level slog.Leveler

	// The rest is runtime.Config's. Store is required.
	Store      runtime.CodeStore
	Logger     *slog.Logger
	Observer   runtime.Observer
	Meter      func(projectID string) runtime.Meter
	Activities runtime.ActivityObserver
	Usage      runtime.UsageObserver
	Progress   runtime.ProgressObserver
	Steps      wire.StepObserver
	Failures   runtime.FailureObserver
	KeptCode   runtime.KeptCodeObserver

	// Gone hears of each cell whose process is no more, by its number; it is called before another has
	// that number. Default: nobody.
	Gone func(cell int)
	// Quarantine keeps what is known of code that ended cells. Default: this process's memory.
	Quarantine Quarantine
	// Moved hears of projects that are to be started again to go on elsewhere, and of those that may
	// start that waited. Default: nobody.
	Moved func(projectIDs []string)
	// Died hears of each cell that died; it is called before the next begins. Default: nobody.
	Died func(Death)
}

func (c Config) withDefaults() Config {
	none := runtime.Config{Logger: c.Logger, Observer: c.Observer, Meter: c.Meter, Activities: c.Activities, Usage: c.Usage, Progress: c.Progress, Failures: c.Failures, KeptCode: c.KeptCode}.WithObservers()
	c.Logger, c.Observer, c.Meter, c.Activities, c.Usage = none.Logger, none.Observer, none.Meter, none.Activities, none.Usage
	c.Progress, c.Failures, c.KeptCode = none.Progress, none.Failures, none.KeptCode
	c.Count = max(1, c.Count)
	if c.ReadFile == nil {
		c.ReadFile = func(string) ([]byte, error) { return nil, errors.New("a cell may have no files") }
	}
	if c.Silence == 0 {
		c.Silence = 10 * time.Second
	}
	if c.Level == nil {
		c.Level = slog.LevelInfo
	}
	if c.Gone == nil {
		c.Gone = func(int) {}
	}
	if c.Moved == nil {
		c.Moved = func([]string) {}
	}
	if c.Died == nil {
		c.Died = func(Death) {}
	}
	return c
}

// Cells run projects in child processes. They do what a runtime.Runner does.
type Cells struct {
	cfg   Config
	cells []*cell
	life  context.Context // ends with Close
	end   context.CancelCauseFunc
	work  sync.WaitGroup
	said  sync.Once // what the system lacks
	bell  chan struct{}

	learning sync.Mutex // is held while suspects are read

	mu       sync.Mutex // guards the rest
	projects map[string]*home
	suspects map[string]*runtime.Suspicion
	learned  time.Time           // when suspects were read; zero: never
	lonely   map[string]*process // by the project that each is for
	follow   following
	coming   map[string]int    // the number of the cell that each project which starts was given
	all      map[*process]bool // that live, or come up
}

// home is where a project runs.
type home struct {
	process *process
	meter   runtime.Meter
	code    string // see codeOf
	// leaves says that it is to go on in a cell of its own, or of all: who starts it again stops it
	// first. The calls for a project don't overlap, so it isn't stopped before.
	leaves bool
}

// New makes Cells; Warm starts them, Close ends them.
func New(cfg Config) (*Cells, error) {
	cfg = cfg.withDefaults()
	if cfg.Store == nil {
		return nil, errors.New("cell: Config.Store is required")
	}
	life, end := context.WithCancelCause(context.Background())
	c := &Cells{cfg: cfg, life: life, end: end, projects: map[string]*home{}, bell: make(chan struct{}, 1), suspects: map[string]*runtime.Suspicion{}, lonely: map[string]*process{}}
	c.follow, c.all, c.coming = following{Number: 1, All: true}, map[*process]bool{}, map[string]int{}
	for i := range cfg.Count {
		c.cells = append(c.cells, &cell{number: i + 1, changed: make(chan struct{})})
	}
	return c, nil
}

// cell is one of them, whatever process it is at the moment.
type cell struct {
	number int

	mu      sync.Mutex    // guards the rest
	now     *process      // nil between two
	changed chan struct{} // closed when now changes
}

func (c *cell) become(p *process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = p
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *cell) current() (*process, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now, c.changed
}

var errClosed = errors.New("the cells are closed")

// process gives the cell's process, and waits for it.
func (c *Cells) process(ctx context.Context, of *cell) (*process, error) {
	for {
		p, changed := of.current()
		if p != nil && p.lives() {
			return p, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-c.life.Done():
			return nil, context.Cause(c.life)
		}
	}
}

// Warm starts the cells and has each do what runtime.Runner's Warm does. Its error is of one that
// can't be started.
func (c *Cells) Warm(ctx context.Context) error {
	errs := make([]error, len(c.cells))
	var work sync.WaitGroup
	for i, one := range c.cells {
		work.Go(func() {
			for tries := 1; ; tries++ {
				p, err := c.launch(ctx, one.number, c.cfg.Memory, "")
				if err == nil {
					one.become(p)
					_, err = ask[ok](ctx, p.calls, cellService, methodWarm, ok{})
				}
				if err == nil {
					c.work.Go(func() { c.keep(one, p) })
					return
				}
				// One that was ended from outside says nothing of this build or machine.
				if lost := (*LinkError)(nil); !errors.As(err, &lost) || tries == warmTries || ctx.Err() != nil {
					errs[i] = err
					return
				}
				if p != nil {
					p.kill()
					one.become(nil)
				}
				c.cfg.Logger.Warn("a cell died as it began", slog.Int(logkey.Cell, one.number), slog.String(logkey.Error, err.Error()))
			}
		})
	}
	work.Wait()
	c.work.Go(c.heed)
	return errors.Join(errs...)
}

// warmTries is how often a cell is started at first: one may be ended as it begins.
const warmTries = 3

const (
	// A cell that dies comes back at once; one that dies soon again, and again, after longer pauses: what
	// ends it may be code, of which it is known by the second death whose, or come from outside, and
	// meanwhile the others are served. One that can't be started finds the same the next time.
	soon                             = 10 * time.Second
	firstPause, mostPause, longPause = 250 * time.Millisecond, 500 * time.Millisecond, 30 * time.Second
)

// keep has a cell come back whenever it dies, until the end.
func (c *Cells) keep(one *cell, p *process) {
	for failures := 0; ; {
		most := longPause
		if p != nil {
			most = mostPause
			select {
			case <-p.dead:
			case <-c.life.Done():
				return
			}
			one.become(nil)
			if time.Since(p.began) > soon {
				failures = 0
			}
			c.died(p)
		}
		if failures > 0 {
			pause := time.NewTimer(min(firstPause<<(failures-1), most))
			select {
			case <-pause.C:
			case <-c.life.Done():
				pause.Stop()
				return
			}
		}
		failures = min(failures+1, 10) // so that the pause doesn't overflow
		next, err := c.launch(c.life, one.number, c.cfg.Memory, "")
		switch {
		case c.life.Err() != nil:
			if next != nil {
				next.kill()
			}
			return
		case err != nil:
			c.cfg.Logger.Error("a cell can't be started", slog.String(logkey.ID, "cell.cant_start"), slog.Int(logkey.Cell, one.number), slog.String(logkey.Error, err.Error()))
			p = nil
			continue
		}
		p = next
		one.become(p)
		c.cfg.Logger.Info("a cell is back", slog.Int(logkey.Cell, one.number), slog.Int(logkey.Process, p.cmd.Process.Pid))
		// What the first project would wait for.
		c.work.Go(func() { _, _ = ask[ok](c.life, next.calls, cellService, methodWarm, ok{}) })
	}
}

// died says what a death means.
func (c *Cells) died(p *process) {
	defer p.noting.Do(func() { close(p.noted) })
	d := Death{Cell: p.cell, Cause: p.cause, Words: p.words.String(), Lived: time.Since(p.began), Inside: p.inside}
	c.mu.Lock()
	var suspicions []runtime.Suspicion
	if !p.wanted.Load() {
		suspicions = c.suspect(p, d)
	}
	for id, h := range c.projects {
		if h.process == p {
			d.Projects = append(d.Projects, id)
			h.meter.Close()
			delete(c.projects, id)
		}
	}
	c.mu.Unlock()
	var work sync.WaitGroup
	for _, s := range suspicions {
		work.Go(func() { c.note(s) })
	}
	work.Wait()
	slices.Sort(d.Projects)
	c.cfg.Gone(p.cell)
	if p.wanted.Load() {
		return
	}
	c.cfg.Logger.Error("a cell died", slog.String(logkey.ID, "cell.died"), slog.Int(logkey.Cell, p.cell), slog.Int(logkey.Process, p.cmd.Process.Pid), slog.String(logkey.Error, d.Cause),
		slog.Int(logkey.Projects, len(d.Projects)), slog.Int64(logkey.Lived, d.Lived.Milliseconds()), slog.String(logkey.Stack, d.Words))
	for _, s := range suspicions {
		c.cfg.Logger.Warn("a project's code was under way when a cell died", slog.String(logkey.Project, s.ProjectID), slog.Int(logkey.Cell, p.cell),
			slog.String(logkey.File, s.Entry.File), slog.String(logkey.Hash, s.Entry.Hash), slog.String(logkey.WorkflowID, s.Entry.WorkflowID), slog.String(logkey.RunID, s.Entry.RunID))
	}
	c.cfg.Died(d)
}

// lacks says once what the system can't do for cells.
func (c *Cells) lacks(what []string) {
	if len(what) == 0 {
		return
	}
	c.said.Do(func() {
		c.cfg.Logger.Warn("this system can't confine the cells as it should", slog.String(logkey.Missing, strings.Join(what, "; ")))
	})
}

// lateness is 1 of a cell that gives no answer at the moment, else 0. One that comes back is no such.
func (c *cell) lateness() int {
	if p, _ := c.current(); p != nil && p.late.Load() {
		return 1
	}
	return 0
}

// choose gives a project that starts the cell with the fewest, of those that answer; done says that its start is over.
func (c *Cells) choose(projectID string) (one *cell, done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	count := map[int]int{}
	for _, number := range c.coming {
		count[number]++
	}
	for id, h := range c.projects {
		if _, comes := c.coming[id]; !comes {
			count[h.process.cell]++
		}
	}
	one = slices.MinFunc(c.cells, func(a, b *cell) int {
		if d := a.lateness() - b.lateness(); d != 0 {
			return d
		}
		return count[a.number] - count[b.number]
	})
	c.coming[projectID] = one.number
	return one, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.coming, projectID)
	}
}

// Start is runtime.Runner's.
func (c *Cells) Start(ctx context.Context, p runtime.Project) (runtime.Report, error) {
	c.mu.Lock()
	h := c.projects[p.ID]
	c.mu.Unlock()
	switch {
	case h == nil:
	case h.leaves:
		if err := c.Stop(ctx, p.ID); err != nil {
			return runtime.Report{}, fmt.Errorf("stop a project that is to have another cell: %w", err)
		}
	default:
		return runtime.Report{}, errors.New("start project " + p.ID + ": it is running")
	}
	alone, err := c.judge(ctx, p)
	if err != nil {
		return runtime.Report{}, err
	}
	place := func() (*process, error) { return c.ownCell(ctx, p.ID) }
	if !alone {
		one, done := c.choose(p.ID)
		defer done()
		place = func() (*process, error) { return c.process(ctx, one) }
	}
	for again := !alone; ; again = false {
		on, err := place()
		if err != nil {
			return runtime.Report{}, err
		}
		c.runs(p, on) // it may tell of its end before the answer is here
		var report runtime.Report
		if err = c.hold(ctx, p.ID, on); err == nil {
			report, err = ask[runtime.Report](ctx, on.calls, cellService, methodStart, p)
		}
		if err == nil {
			return report, nil
		}
		lost := (*LinkError)(nil)
		died := errors.As(err, &lost)
		if died {
			c.gone(ctx, on) // it has to be known whose code ended it, and which
		}
		c.forget(p.ID, on)
		if alone {
			on.leave()
		}
		// A cell that died meanwhile is no fault of this project's: once.
		if !again || !died {
			return report, err
		}
	}
}

// gone waits until the death of a process that doesn't answer is dealt with, if it is dead.
func (c *Cells) gone(ctx context.Context, p *process) {
	late := time.NewTimer(leaveTimeout)
	defer late.Stop()
	select {
	case <-p.noted:
	case <-late.C:
	case <-ctx.Done():
	case <-c.life.Done():
	}
}

// Reload is runtime.Runner's.
func (c *Cells) Reload(ctx context.Context, p runtime.Project) (runtime.Report, error) {
	on, err := c.home(p.ID)
	if err != nil {
		return runtime.Report{}, err
	}
	report, err := ask[runtime.Report](ctx, on.calls, cellService, methodReload, p)
	if err != nil {
		return report, err
	}
	code := codeOf(p)
	c.mu.Lock()
	h := c.projects[p.ID]
	if h != nil && h.process == on {
		h.code = code
	}
	s := c.suspects[p.ID]
	if s == nil || s.Deaths+s.Alone == 0 || s.Code == code {
		c.mu.Unlock()
		return report, nil
	}
	back := h != nil && h.process.alone != ""
	if back {
		h.leaves = true
	}
	c.mu.Unlock()
	c.forgive(ctx, *s)
	if back {
		c.cfg.Moved([]string{p.ID})
	}
	return report, nil
}

// Stop is runtime.Runner's.
func (c *Cells) Stop(ctx context.Context, projectID string) error {
	on, err := c.home(projectID)
	if err != nil {
		return nil //nolint:nilerr // that isn't running is no error
	}
	_, err = ask[ok](ctx, on.calls, cellService, methodStop, id{projectID})
	if lost := (*LinkError)(nil); errors.As(err, &lost) {
		c.gone(ctx, on)
		err = nil // with its process the worker is gone
	}
	c.forget(projectID, on)
	if on.alone != "" {
		on.leave()
	}
	return err
}

// Running is runtime.Runner's.
func (c *Cells) Running() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]string, 0, len(c.projects))
	for id, h := range c.projects {
		if !h.leaves {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

// Check is runtime.Runner's.
func (c *Cells) Check(ctx context.Context, projectID string, q runtime.Check) (runtime.CheckResult, error) {
	on, err := c.home(projectID)
	if err != nil {
		return runtime.CheckResult{}, err
	}
	return ask[runtime.CheckResult](ctx, on.calls, cellService, methodCheck, check{projectID, q})
}

// askTimeout bounds what a cell only has to look up.
const askTimeout = 5 * time.Second

// FailingPolls is runtime.Runner's.
func (c *Cells) FailingPolls() map[string]runtime.PollFailure {
	out := map[string]runtime.PollFailure{}
	ctx, cancel := context.WithTimeout(c.life, askTimeout)
	defer cancel()
	for _, p := range c.living() {
		found, err := ask[polls](ctx, p.calls, cellService, methodPolls, ok{})
		if err != nil {
			continue // who doesn't answer is told of elsewhere
		}
		for id, f := range found.Failing {
			out[id] = f
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// Metrics gives what each cell measures, by its number, as Prometheus' families are sent. One that
// doesn't answer is left out.
func (c *Cells) Metrics(ctx context.Context) map[int][][]byte {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	out := map[int][][]byte{}
	for _, p := range c.living() {
		if m, err := ask[metrics](ctx, p.calls, cellService, methodMetrics, ok{}); err == nil {
			out[p.cell] = m.Families
		}
	}
	return out
}

// Processes gives the id of each cell's process, by its number.
func (c *Cells) Processes() map[int]int {
	out := map[int]int{}
	for _, p := range c.living() {
		out[p.cell] = p.cmd.Process.Pid
	}
	return out
}

// LogAt has the cells log from a level on.
func (c *Cells) LogAt(l slog.Level) {
	ctx, cancel := context.WithTimeout(c.life, askTimeout)
	defer cancel()
	for _, p := range c.living() {
		_, _ = ask[ok](ctx, p.calls, cellService, methodLevel, level{int(l)}) // one that comes up gets it then
	}
}

// Follow says whether somebody follows what becomes of all executions, or else on which task queues. Of
// the others cells keep for a moment what they would tell: somebody may come. At first all are followed.
func (c *Cells) Follow(everything bool, queues []string) {
	queues = slices.Sorted(slices.Values(queues))
	if everything {
		queues = nil
	}
	c.mu.Lock()
	if c.follow.All == everything && slices.Equal(c.follow.Queues, queues) {
		c.mu.Unlock()
		return
	}
	c.follow = following{c.follow.Number + 1, everything, queues}
	f, all := c.follow, slices.Collect(maps.Keys(c.all))
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(c.life, askTimeout)
	defer cancel()
	var work sync.WaitGroup
	for _, p := range all {
		// One that doesn't answer hears it with its first words.
		work.Go(func() { _, _ = ask[ok](ctx, p.calls, cellService, methodFollow, f) })
	}
	work.Wait()
}

// Used is how much memory the cells need for what they keep, in bytes.
func (c *Cells) Used() (bytes int64) {
	for _, p := range c.living() {
		bytes += p.used.Load()
	}
	return bytes
}

func (c *Cells) living() (list []*process) {
	for _, one := range c.cells {
		if p, _ := one.current(); p != nil && p.lives() {
			list = append(list, p)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.lonely {
		if p.dead != nil && p.lives() {
			list = append(list, p)
		}
	}
	return list
}

// Close stops all projects as runtime.Runner's does, and ends the cells.
func (c *Cells) Close(ctx context.Context) error {
	c.end(errClosed)
	c.work.Wait()
	living := c.living()
	errs := make([]error, len(living))
	var work sync.WaitGroup
	for i, p := range living {
		work.Go(func() {
			_, errs[i] = ask[ok](ctx, p.calls, cellService, methodClose, ok{})
			p.leave()
			c.died(p)
		})
	}
	work.Wait()
	return errors.Join(errs...)
}

func (c *Cells) home(projectID string) (*process, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.projects[projectID]
	if h == nil {
		return nil, runtime.ErrNotRunning
	}
	return h.process, nil
}

// runs notes where a project runs.
func (c *Cells) runs(p runtime.Project, on *process) {
	meter := c.cfg.Meter(p.ID)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.projects[p.ID] = &home{process: on, meter: meter, code: codeOf(p)}
}

// forget notes that a project runs no more, there.
func (c *Cells) forget(projectID string, on *process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h := c.projects[projectID]; h != nil && h.process == on {
		h.meter.Close()
		delete(c.projects, projectID)
	}
}
