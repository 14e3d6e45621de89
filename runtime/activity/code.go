package activity

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/cores"
	"workflow-worker/runtime/sandbox"
)

// Code is one version of a module of one project, with the runtimes that are ready for its
// executions. It is safe for concurrent use.
type Code struct {
	program *compile.Program
	opts    CodeOptions
	modules func() *modules // the platform, made for the first execution
	unkept  sync.Once       // says that measurements are left out
	habit   cores.Habit

	mu       sync.Mutex // guards what follows
	ready    []*instance
	making   int // instances on their way to ready
	machines []*machine
	lent     int         // machines that serve an execution
	building int         // machines on their way
	calls    int         // since it last idled
	apart    bool        // no machine serves it
	used     time.Time   // when one was last asked for
	idle     *time.Timer // drops ready and machines
	closed   bool
	wg       sync.WaitGroup // the makers
}

// NewCode is cheap: runtimes are made from the first execution on.
func NewCode(p *compile.Program, o CodeOptions) *Code {
	o = o.withDefaults()
	modules := sync.OnceValue(func() *modules { return newModules(o) })
	return &Code{program: p, opts: o, modules: modules, apart: p.WantsOwnBuiltins || p.Packages != nil}
}

// Hash is the program's content hash.
func (c *Code) Hash() string { return c.program.Hash }

// Name is the file name that stacks show.
func (c *Code) Name() string { return c.program.Name }

// Check evaluates the module once and names the functions that it exports, "default" among them.
// What the evaluation threw comes back as a *sandbox.Thrown with its place in the author's text,
// and one that didn't end in time as a *sandbox.Interrupted.
func (c *Code) Check(ctx context.Context) (functions []string, err error) {
	in, err := c.newInstance(ctx)
	if err != nil {
		var thrown *sandbox.Thrown
		var interrupted *sandbox.Interrupted
		if errors.As(err, &thrown) || errors.As(err, &interrupted) {
			return nil, err
		}
		return nil, fmt.Errorf("evaluate %s: %w", c.program.Name, err)
	}
	defer in.close()
	err = in.enter(ctx, func() error {
		functions = in.functions()
		return nil
	})
	return functions, err
}

// Close drops the runtimes that are ready. Executions under way go on, and new ones work: code that
// was replaced a moment ago may still be asked for.
func (c *Code) Close() {
	c.mu.Lock()
	c.closed = true
	dropped := c.dropReady()
	c.mu.Unlock()
	c.wg.Wait()
	for _, in := range dropped {
		in.close()
	}
}

// take gives an instance: on a machine, a ready one, or a new one.
func (c *Code) take(ctx context.Context) (*instance, error) {
	in, m := c.takeReady()
	switch {
	case in != nil:
		return in, nil
	case m == nil:
		return c.newInstance(ctx)
	}
	in = &instance{vm: m.vm, machine: m}
	m.user = in
	m.uses++
	in, err := c.instanceOn(ctx, in)
	var thrown *sandbox.Thrown
	if errors.As(err, &thrown) {
		// Its evaluations with builtins of its own didn't throw: it changes them in a way that its
		// text doesn't show.
		c.keepApart()
		return c.newInstance(ctx)
	}
	return in, err
}

// takeReady gives what there is: a machine to make an instance on, or an instance; and has what is
// missing made for the next.
func (c *Code) takeReady() (in *instance, m *machine) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// What is called once in a while is not worth a second runtime.
	often := time.Since(c.used) < c.opts.Idle && !c.closed
	c.used = time.Now()
	c.calls++
	defer c.restartIdle()
	if n := len(c.machines); n > 0 {
		m, c.machines = c.machines[n-1], c.machines[:n-1]
		c.lent++
		return nil, m
	}
	if n := len(c.ready); n > 0 {
		in, c.ready = c.ready[n-1], c.ready[:n-1]
	}
	switch {
	case !often:
	case !c.apart && c.calls > c.opts.MachineAfter && c.lent+c.building < c.opts.Machines:
		c.building++
		c.wg.Add(1)
		go c.makeMachine()
	case len(c.ready)+c.making < c.opts.Warm:
		c.making++
		c.wg.Add(1)
		go c.makeReady()
	}
	return in, nil
}

// makeMachine prepares a machine. An error is left to the instances, which need the same and more.
func (c *Code) makeMachine() {
	defer c.wg.Done()
	m, err := c.newMachine(context.Background())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.building--
	if err == nil && !c.closed && !c.apart {
		c.machines = append(c.machines, m)
		c.restartIdle() // making it may have outlasted the time after which what is kept is dropped
	}
}

// giveBack keeps a machine that was taken for the next execution; nil for one that can't be used
// again.
func (c *Code) giveBack(m *machine) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lent--
	if m != nil && !c.closed && !c.apart && m.uses < maxUses {
		c.machines = append(c.machines, m)
		c.restartIdle() // so may the execution
	}
}

func (c *Code) keepApart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.apart, c.machines = true, nil
}

// makeReady prepares one instance. An error is left to the execution that will meet it again.
func (c *Code) makeReady() {
	defer c.wg.Done()
	in, err := c.newInstance(context.Background())
	c.mu.Lock()
	c.making--
	if err != nil {
		c.mu.Unlock()
		return
	}
	if c.closed {
		c.mu.Unlock()
		in.close()
		return
	}
	c.ready = append(c.ready, in)
	c.restartIdle() // as in makeMachine
	c.mu.Unlock()
}

// restartIdle puts off dropping what is ready. With mu held.
func (c *Code) restartIdle() {
	if c.idle != nil {
		c.idle.Stop()
	}
	if c.closed {
		return
	}
	c.idle = time.AfterFunc(c.opts.Idle, func() {
		c.mu.Lock()
		dropped := c.dropReady()
		c.mu.Unlock()
		for _, in := range dropped {
			in.close()
		}
	})
}

// dropReady lets go of the machines and takes all that is ready, for the caller to close. With mu
// held.
func (c *Code) dropReady() []*instance {
	if c.idle != nil {
		c.idle.Stop()
	}
	dropped := c.ready
	c.ready, c.machines, c.calls = nil, nil, 0
	return dropped
}
