package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/sandbox"
)

// Code is one version of a module of one project, with the goja runtimes that its executions share.
// It is safe for concurrent use.
type Code struct {
	program *compile.Program
	opts    CodeOptions

	mu       sync.Mutex // guards the rest, and in each vm runs and idle
	vms      []*vm
	version  string    // for people
	since    time.Time // when it went live; zero if it isn't
	suspects []string  // run ids of executions that were cut off, oldest first
	// mentioned are the things that were said once of this code.
	mentioned []string
}

// NewCode is cheap: runtimes are made when they are first needed.
func NewCode(p *compile.Program, o CodeOptions) *Code {
	return &Code{program: p, opts: o.withDefaults()}
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
	v := c.acquire("")
	in := &instance{vm: v, code: c}
	defer in.close()
	err = in.enter(ctx, c.opts.CheckTimeout, noHost{}, func() error {
		v.now, v.box.EnglishOnly, v.box.FormerDates = time.Now(), false, false
		contents, err := v.sdk.check(goja.Undefined(), v.module, v.box.Runtime.ToValue(v.now.UnixMilli()))
		if err != nil {
			var ex *goja.Exception
			if errors.As(err, &ex) {
				return v.box.Describe(ex)
			}
			return err
		}
		r := v.box.Runtime
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

// Close drops the runtimes that no execution uses, and the others when their last execution leaves.
// A closed Code still works, for a task that got hold of it just before: it makes a runtime again,
// for as long as it is used.
func (c *Code) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opts.Idle = 0
	c.vms = slices.DeleteFunc(c.vms, func(v *vm) bool {
		if v.runs > 0 {
			return false
		}
		v.stopIdle()
		return true
	})
}

// Discard drops all runtimes at once, for a project whose worker has stopped: the SDK's cache,
// which is the process's, would keep its executions and with them the runtimes. Should an execution
// come back after all, it is replayed.
func (c *Code) Discard() {
	c.Close()
	c.mu.Lock()
	vms := slices.Clone(c.vms)
	c.vms = nil
	c.mu.Unlock()
	for _, v := range vms {
		v.mu.Lock() // waits for what runs in it
		v.cut()
		v.mu.Unlock()
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

func (noHost) random(string) float64                  { return 0.5 }
func (noHost) hasPatch(string) bool                   { return false }
func (noHost) missingActivity(string) string          { return "" }
func (noHost) logs(string) bool                       { return false }
func (noHost) started(*vm)                            {}
func (noHost) sink(*vm, string, string, []goja.Value) {}
func (noHost) console(*vm, string, []goja.Value)      {}
