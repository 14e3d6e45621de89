package workflow

import (
	"slices"
	"time"

	"workflow-worker/runtime/sandbox"
)

// maxSuspects is how many executions are remembered that were cut off.
const maxSuspects = 256

// acquire gives the runtime that an execution lives on: the one with the fewest executions, or a
// new one while there may be more and all are running something. An execution that was cut off
// before gets one of its own, because the server makes it try again and again.
func (c *Code) acquire(runID string) *vm {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.suspects, runID) {
		v := c.newVM()
		v.runs = 1
		return v
	}
	var v *vm
	allBusy := true
	for _, x := range c.vms {
		if v == nil || x.runs < v.runs {
			v = x
		}
		allBusy = allBusy && x.busy.Load() > 0
	}
	if allBusy && len(c.vms) < c.opts.Runtimes {
		v = c.newVM()
		c.vms = append(c.vms, v)
	}
	v.runs++
	v.stopIdle()
	return v
}

// newVM gives a runtime that nothing uses. Usually it is loaded at its first entry.
func (c *Code) newVM() *vm {
	v := &vm{}
	if c.opts.CallDepth == 0 && c.opts.MaxBytes == 0 {
		if spare := c.opts.Spare.take(); spare != nil {
			v = spare
		}
	}
	v.code = c
	return v
}

func (c *Code) sandbox() sandbox.Options {
	return sandbox.Options{CallDepth: c.opts.CallDepth, MaxBytes: c.opts.MaxBytes, Probe: c.opts.Probe}
}

// suspect remembers an execution that was cut off.
func (c *Code) suspect(runID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.suspects, runID) {
		return
	}
	c.suspects = append(c.suspects, runID)
	if len(c.suspects) > maxSuspects {
		c.suspects = slices.Delete(c.suspects, 0, 1)
	}
}

// release is the counterpart of acquire. It never waits for the runtime.
func (c *Code) release(v *vm) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v.runs--
	if v.runs > 0 {
		return
	}
	if c.opts.Idle <= 0 || !slices.Contains(c.vms, v) {
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

// discard takes a runtime away in which JavaScript was cut off. Executions that live there are
// replayed elsewhere.
func (c *Code) discard(v *vm) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(v)
}

// drop takes a runtime out of the choice; the caller holds mu. The garbage collector has it when
// the last execution lets go.
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
