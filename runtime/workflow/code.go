package workflow

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/cores"
	"workflow-worker/runtime/language"
	"workflow-worker/runtime/sandbox"
)

// Code is one version of a module of one project. Its executions live on the runtimes that all
// codes share, or on some of its own. It is safe for concurrent use.
type Code struct {
	program *compile.Program
	opts    CodeOptions
	shared  *Runtimes // nil: it has none but its own
	own     *pool
	// suspects and residents are those of all codes that share runtimes.
	suspects  *suspects
	residents *residents
	habit     cores.Habit

	mu       sync.Mutex // guards the rest
	version  string     // for people
	since    time.Time  // when it went live; zero if it isn't
	closed   bool
	apart    bool // it showed that its executions must not share
	isolated bool // somebody wants it so
	// taken is what its executions took of the processor in shared runtimes, less their fair share
	// of the time up to takenAt.
	taken   time.Duration
	takenAt time.Time
	// mentioned are the things that were said once of this code.
	mentioned []string
}

// NewCode is cheap: runtimes are made when they are first needed.
func NewCode(p *compile.Program, o CodeOptions) *Code {
	o = o.withDefaults()
	c := &Code{program: p, opts: o, isolated: o.Isolated, own: &pool{most: runtime.GOMAXPROCS(0), idle: defaultIdle}}
	// What a runtime that is loaded already lets code do must be what this code may.
	if o.CallDepth == 0 && o.MaxBytes == 0 {
		c.shared = o.Runtimes
	}
	c.suspects, c.residents = &suspects{}, &residents{}
	if o.Runtimes != nil {
		c.own.most, c.own.idle = o.Runtimes.o.Shared, o.Runtimes.o.Idle
		c.suspects, c.residents = &o.Runtimes.suspects, &o.Runtimes.residents
	}
	c.opts.Budget.Lasting = true
	c.own.make = func() *machine {
		v := newMachine()
		if c.shared != nil {
			v = c.shared.take()
		}
		v.pool = c.own
		return v
	}
	return c
}

// acquire gives the runtime that an execution lives on. One that was cut off before gets one of its
// own, because the server makes it try again and again.
func (c *Code) acquire(runID string, unproven bool) *machine {
	suspect, _ := c.suspects.has(runID)
	switch {
	case suspect:
		return c.own.alone(c)
	case unproven || c.shared == nil || c.livesApart():
		return c.own.acquire(c)
	}
	return c.shared.pool.acquire(c)
}

func (c *Code) sandbox() sandbox.Options {
	return sandbox.Options{CallDepth: c.opts.CallDepth, MaxBytes: c.opts.MaxBytes, Probe: c.opts.Probe}
}

// account is what an execution is charged with.
func (c *Code) account(runID string, unproven bool) *sandbox.Account {
	b := c.opts.Budget
	if _, strictly := c.suspects.has(runID); strictly || unproven {
		b.Lasting = false
	}
	return c.opts.Memory.Account(b)
}

// keepApart gives the executions that are placed from now on runtimes of the code's own: it was cut
// off, or held one for long.
func (c *Code) keepApart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.apart = true
}

// Isolate says whether the code's executions are to share no runtime with those of other codes,
// whatever the code does. It counts for those that are placed from now on.
func (c *Code) Isolate(isolated bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isolated = isolated
}

func (c *Code) isApart() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.apart
}

// takesMuch notes CPU time taken in a shared runtime and tells whether it is more than a code's
// share.
func (c *Code) takesMuch(took time.Duration, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = max(0, c.taken-time.Duration(fairShare*float64(now.Sub(c.takenAt)))) + took
	c.takenAt = now
	return c.taken > fairBurst
}

func (c *Code) livesApart() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.apart || c.isolated
}

func (c *Code) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Hash is the program's content hash, which executions are pinned to.
func (c *Code) Hash() string { return c.program.Hash }

// Name is the file name that stacks show.
func (c *Code) Name() string { return c.program.Name }

// Contents is what a module exports.
type Contents struct {
	// Functions are the names of the exported functions.
	Functions []string
	// Upgrading are those of them whose options ask that executions go on with newer code, or may
	// ask: options can be a function.
	Upgrading []string
}

// Check evaluates the module once, as each execution does when it starts, and names what it
// exports. What the evaluation threw comes back as a *sandbox.Thrown with its place in the author's
// text, and one that didn't end in time as a *sandbox.Interrupted.
func (c *Code) Check(ctx context.Context) (found Contents, err error) {
	in := c.newInstance("", true)
	defer in.close()
	if c.opts.Turns.Long() { // else hundreds of rows would wait for each other that are edited at once
		over, err := in.turn(ctx, mostWait)
		if err != nil {
			return found, err
		}
		defer over()
	}
	err = in.enter(ctx, c.opts.CheckTimeout, noHost{}, func() error {
		v := in.machine
		v.now, v.vm.EnglishOnly, v.vm.Former = time.Now(), false, language.Former{}
		contents, err := v.sdk.check(goja.Undefined(), v.module, v.vm.Runtime.ToValue(v.now.UnixMilli()))
		if err != nil {
			var ex *goja.Exception
			if errors.As(err, &ex) {
				return v.vm.Describe(ex)
			}
			return err
		}
		r := v.vm.Runtime
		o := contents.ToObject(r)
		return errors.Join(r.ExportTo(o.Get("functions"), &found.Functions), r.ExportTo(o.Get("upgrading"), &found.Upgrading))
	})
	var interrupted *sandbox.Interrupted
	if err != nil && !errors.As(err, &interrupted) {
		var thrown *sandbox.Thrown
		if !errors.As(err, &thrown) {
			err = fmt.Errorf("evaluate %s: %w", c.program.Name, err)
		}
	}
	return found, err
}

// Close drops the runtimes of its own that no execution uses, and the others when their last
// execution leaves; likewise what it has in shared ones. A closed Code still works, for a task that
// got hold of it just before: it makes a runtime again, for as long as it is used.
func (c *Code) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.own.close()
	if c.shared != nil {
		c.shared.pool.moveOut(c, false)
	}
}

// Discard lets go of all runtimes at once, for a project whose worker has stopped: the SDK's cache,
// which is the process's, would keep its executions and with them what they have in the runtimes.
// Should an execution come back after all, it is replayed.
func (c *Code) Discard() {
	c.Close()
	c.own.discard()
	if c.shared != nil {
		c.shared.pool.moveOut(c, true)
	}
}

// maxMentioned bounds what is remembered to have been said of a code; there is no end to the names
// that a workflow may use.
const maxMentioned = 16

// mention tells whether a thing is to be said, which is so once.
func (c *Code) mention(what string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.mentioned) == maxMentioned || slices.Contains(c.mentioned, what) {
		return false
	}
	c.mentioned = append(c.mentioned, what)
	return true
}

// noHost is what the bundle reaches outside of an execution: while a module is checked.
type noHost struct{}

func (noHost) random(string) float64                       { return 0.5 }
func (noHost) hasPatch(string) bool                        { return false }
func (noHost) missingActivity(string) string               { return "" }
func (noHost) logs(string) bool                            { return false }
func (noHost) keeps(rule) bool                             { return true }
func (noHost) started(*machine)                            {}
func (noHost) sink(*machine, string, string, []goja.Value) {}
func (noHost) console(*machine, string, []goja.Value)      {}
