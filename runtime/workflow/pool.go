package workflow

import (
	"slices"
	"time"
)

// acquire gives the runtime that a new execution lives on: a new one while there may be more and all are in use, else
// the one with the fewest executions.
func (c *Code) acquire() *vm {
	c.mu.Lock()
	defer c.mu.Unlock()
	var v *vm
	for _, x := range c.vms {
		if v == nil || x.runs < v.runs {
			v = x
		}
	}
	if v == nil || (v.runs > 0 && len(c.vms) < c.opts.Runtimes) {
		v = &vm{code: c}
		c.vms = append(c.vms, v)
	}
	v.runs++
	v.stopIdle()
	return v
}

// release is the counterpart of acquire. It never waits for the runtime.
func (c *Code) release(v *vm) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v.runs--
	if v.runs > 0 {
		return
	}
	if c.opts.Idle <= 0 {
		c.drop(v)
		return
	}
	v.idle = time.AfterFunc(c.opts.Idle, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if v.runs == 0 {
			c.drop(v)
		}
	})
}

// retire keeps new executions off a runtime in which JavaScript was interrupted. Those that live there go on: goja unwinds
// an interrupted runtime to where the call came in and drops its queued reactions, builtins are frozen, and what the
// interrupted code left half done was its own execution's.
func (c *Code) retire(v *vm) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(v)
}

// drop takes a runtime out of the choice; the caller holds mu. The garbage collector has it when the last execution lets go.
func (c *Code) drop(v *vm) {
	c.vms = slices.DeleteFunc(c.vms, func(x *vm) bool { return x == v })
}

// stopIdle is called with the code's mu held.
func (v *vm) stopIdle() {
	if v.idle != nil {
		v.idle.Stop()
		v.idle = nil
	}
}
