package activity

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/sandbox"
)

// Code is one version of a module of one project, with the runtimes that are ready for its executions. It is safe for
// concurrent use.
type Code struct {
	program *compile.Program
	opts    CodeOptions
	clients clients
	unkept  sync.Once // says that measurements are left out

	mu     sync.Mutex // guards what follows
	ready  []*instance
	making int         // instances on their way to ready
	used   time.Time   // when one was last asked for
	idle   *time.Timer // drops ready
	closed bool
	wg     sync.WaitGroup // the makers
}

// NewCode is cheap: runtimes are made from the first execution on.
func NewCode(p *compile.Program, o CodeOptions) *Code {
	o = o.withDefaults()
	return &Code{program: p, opts: o, clients: newClients(o.HTTP)}
}

// Hash is the program's content hash.
func (c *Code) Hash() string { return c.program.Hash }

// Name is the file name that stacks show.
func (c *Code) Name() string { return c.program.Name }

// Check evaluates the module once and names the functions that it exports, "default" among them. What the evaluation threw
// comes back as a *sandbox.Thrown with its place in the author's text, and one that didn't end in time as a
// *sandbox.Interrupted.
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

// Close drops the runtimes that are ready. Executions under way go on, and new ones work: code that was replaced a moment ago
// may still be asked for.
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

// take gives a ready instance or makes one, and has the next one made.
func (c *Code) take(ctx context.Context) (*instance, error) {
	if in := c.takeReady(); in != nil {
		return in, nil
	}
	return c.newInstance(ctx)
}

func (c *Code) takeReady() *instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	var in *instance
	if n := len(c.ready); n > 0 {
		in, c.ready = c.ready[n-1], c.ready[:n-1]
	}
	// What is called once in a while is not worth a second runtime.
	often := time.Since(c.used) < c.opts.Idle
	c.used = time.Now()
	if often && !c.closed && len(c.ready)+c.making < c.opts.Warm {
		c.making++
		c.wg.Add(1)
		go c.makeReady()
	}
	c.restartIdle()
	return in
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

// dropReady takes all that is ready, for the caller to close. With mu held.
func (c *Code) dropReady() []*instance {
	if c.idle != nil {
		c.idle.Stop()
	}
	dropped := c.ready
	c.ready = nil
	return dropped
}
