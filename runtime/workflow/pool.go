package workflow

import (
	"slices"
	"sync"
	"time"
)

// maxPlaced is how many executions a shared runtime takes in its life: what goja and the bundle
// keep for good stays small.
const maxPlaced = 20_000

// spread is how many executions live in each runtime before there is another, though none waits:
// when many do, it is too late to spread them.
const spread = 16

// pool is the runtimes that there are for some executions.
type pool struct {
	most int             // runtimes
	idle time.Duration   // how long what nobody uses is kept
	make func() *machine // gives one that nothing uses; it may be loaded at its first entry

	mu       sync.Mutex // guards what follows, and in each machine runs, placed, idle and homes
	machines []*machine
	closed   bool // nothing is kept that nobody uses
}

// home is what one code has in one runtime.
type home struct {
	runs int         // executions
	idle *time.Timer // drops the module; nil while there are executions
}

// acquire gives the runtime that an execution lives on: the one in which the fewest are running or
// wait for it; of those, the one with the fewest executions. There is another while there may be
// more and all are running something or have many.
func (p *pool) acquire(c *Code) *machine {
	p.mu.Lock()
	defer p.mu.Unlock()
	var v *machine
	var least int32
	for _, x := range p.machines {
		busy := x.busy.Load()
		if v == nil || busy < least || busy == least && x.runs < v.runs {
			v, least = x, busy
		}
	}
	if v == nil || len(p.machines) < p.most && (least > 0 || v.runs >= spread) {
		v = p.make()
		p.machines = append(p.machines, v)
	}
	v.settle(c)
	if v.shared && v.placed >= maxPlaced {
		p.forget(v)
	}
	return v
}

// alone gives a runtime for one execution.
func (p *pool) alone(c *Code) *machine {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.make()
	v.shared = false
	v.settle(c)
	return v
}

// settle notes an execution; the caller holds the pool's mu.
func (v *machine) settle(c *Code) {
	v.runs++
	v.placed++
	v.stopIdle()
	h := v.homes[c]
	if h == nil {
		if v.homes == nil {
			v.homes = make(map[*Code]*home)
		}
		h = &home{}
		v.homes[c] = h
	}
	h.runs++
	h.stopIdle()
}

// release is the counterpart of acquire and alone. It never waits for the runtime.
func (p *pool) release(v *machine, c *Code) {
	closed := c.isClosed()
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.idle > 0 && !p.closed && slices.Contains(p.machines, v)
	v.runs--
	switch h := v.homes[c]; {
	case h == nil:
		v.leave(c) // it came back after Code.Discard
	case h.runs > 1:
		h.runs--
	case kept && !closed:
		h.runs = 0
		h.idle = time.AfterFunc(p.idle, func() { p.leaveIdle(v, c, h) })
	default:
		v.moveOut(c)
	}
	if v.runs > 0 {
		return
	}
	if !kept {
		p.forget(v)
		return
	}
	v.idle = time.AfterFunc(p.idle, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if v.runs == 0 {
			p.forget(v)
		}
	})
}

// leaveIdle drops a code's module that no execution needs any more.
func (p *pool) leaveIdle(v *machine, c *Code, h *home) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if v.homes[c] == h && h.runs == 0 {
		v.moveOut(c)
	}
}

// moveOut forgets a code in a runtime; the caller holds the pool's mu.
func (v *machine) moveOut(c *Code) {
	if h := v.homes[c]; h != nil {
		h.stopIdle()
		delete(v.homes, c)
	}
	v.leave(c)
}

// moveOut lets go of what a code has in the runtimes: of all, or of what no execution needs.
func (p *pool) moveOut(c *Code, all bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, v := range p.machines {
		if h := v.homes[c]; h != nil && (all || h.runs == 0) {
			v.moveOut(c)
		}
	}
}

// drop takes a runtime out of the choice.
func (p *pool) drop(v *machine) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(v)
}

// forget takes a runtime out of the choice; the caller holds mu. The garbage collector has it when
// the last execution lets go.
func (p *pool) forget(v *machine) {
	v.stopIdle()
	p.machines = slices.DeleteFunc(p.machines, func(x *machine) bool { return x == v })
}

// close drops the runtimes that no execution uses, and the others when their last execution leaves.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, v := range slices.Clone(p.machines) {
		if v.runs == 0 {
			p.forget(v)
		}
	}
}

// discard drops all runtimes at once.
func (p *pool) discard() {
	p.close()
	p.mu.Lock()
	machines := slices.Clone(p.machines)
	p.machines = nil
	p.mu.Unlock()
	for _, v := range machines {
		v.mu.Lock() // waits for what runs in it
		v.cut()
		v.mu.Unlock()
	}
}

// stopIdle is called with the pool's mu held.
func (v *machine) stopIdle() {
	if v.idle != nil {
		v.idle.Stop()
		v.idle = nil
	}
}

func (h *home) stopIdle() {
	if h.idle != nil {
		h.idle.Stop()
		h.idle = nil
	}
}
