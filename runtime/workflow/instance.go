package workflow

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/sandbox"
)

// instance is one execution in its runtime.
type instance struct {
	machine *machine
	code    *Code
	// begun is set once the execution has something in the runtime.
	begun bool
	// heavy is set if it is in a runtime that others share, and its code shouldn't.
	heavy bool
	// behaves is set if it is in a runtime of its own, and may share one.
	behaves bool
	// unproven is for one that may turn out to be anything: it never lives beside others' executions.
	unproven bool
	runID    string
	// account is charged with what it keeps; nil where nobody counts.
	account *sandbox.Account
	// busy is set while it must not be replayed; nil if it always may.
	busy *atomic.Bool

	inside atomic.Bool // it runs
	// working is set during a task, from before its first entry until what it started is known.
	working atomic.Bool
	left    atomic.Int64 // when it last did, in nanoseconds
}

// newInstance gives an execution a place.
func (c *Code) newInstance(runID string, unproven bool) *instance {
	in := &instance{code: c, runID: runID, unproven: unproven, account: c.account(runID, unproven)}
	in.machine = c.acquire(runID, unproven)
	return in
}

// global gives the execution's own global object, made at its first entry.
func (in *instance) global() (*goja.Object, error) {
	v := in.machine
	v.keptMu.Lock()
	defer v.keptMu.Unlock()
	if g := v.globals[in]; g != nil {
		return g, nil
	}
	if in.begun {
		return nil, errDiscarded // by Code.Discard
	}
	g, err := v.newGlobal()
	if err != nil {
		return nil, err
	}
	if v.globals == nil {
		v.globals = make(map[*instance]*goja.Object)
	}
	v.globals[in], in.begun = g, true
	if !in.unproven {
		in.code.residents.add(in)
	}
	return g, nil
}

// close gives the place in the runtime back. It never waits for what runs there.
func (in *instance) close() {
	in.code.residents.remove(in)
	in.account.Close()
	in.machine.keptMu.Lock()
	delete(in.machine.globals, in)
	in.machine.keptMu.Unlock()
	in.machine.pool.release(in.machine, in.code)
}

// enter runs f with the instance's runtime locked and its globals in place. JavaScript runs nowhere
// else. Where the runtime was discarded before the execution had anything in it, the execution gets
// a place in another.
func (in *instance) enter(ctx context.Context, budget time.Duration, h host, f func() error) error {
	if err := in.held(); err != nil {
		return err
	}
	for {
		err := in.tryEnter(ctx, budget, h, f)
		if in.begun || !errors.Is(err, errDiscarded) {
			return err
		}
		in.machine.pool.release(in.machine, in.code)
		in.machine = in.code.acquire(in.runID, in.unproven)
	}
}

func (in *instance) tryEnter(ctx context.Context, budget time.Duration, h host, f func() error) error {
	v := in.machine
	v.busy.Add(1)
	defer v.busy.Add(-1)
	switch {
	case !v.shared:
		v.mu.Lock()
	case !v.mu.lockPatiently():
		v.pool.drop(v) // its executions leave it, one by one
		return errHeld
	}
	defer v.mu.Unlock()
	in.inside.Store(true)
	defer func() {
		in.left.Store(time.Now().UnixNano())
		in.inside.Store(false)
	}()
	workflowID := ""
	if d, is := h.(*definition); is {
		workflowID = d.x.ID
	}
	defer in.code.opts.Entered(in.code.program, workflowID, in.runID)()
	module, err := v.load(in.code, in.account)
	if err != nil {
		return err
	}
	before := v.vm.CPUTime()
	v.vm.ChargeTo(in.account)
	err = v.vm.Enter(ctx, budget, func() error {
		r := v.vm.Runtime
		g, err := in.global()
		if err != nil {
			return err
		}
		r.SetGlobalObject(g)
		v.host, v.module = h, module
		defer func() {
			r.SetGlobalObject(v.base)
			v.host, v.module, v.rejected = nil, nil, nil
		}()
		return f()
	})
	v.vm.ChargeTo(nil)
	took := v.vm.CPUTime() - before
	in.code.opts.Used(took)
	in.code.opts.Turns.Took(&in.code.habit, took)
	switch {
	case sandbox.CutOff(err):
		v.cut()
		in.code.keepApart()
		v.pool.drop(v)
	case !v.shared:
	case took > longEntry || in.code.takesMuch(took, time.Now()):
		in.code.keepApart()
	case v.registered()-v.symbols > maxSymbols:
		in.code.keepApart()
		v.pool.drop(v) // its executions stay
	}
	in.heavy = v.shared && in.code.isApart()
	return err
}

const (
	// longEntry is the CPU time after which an entry is long for those who wait for the runtime:
	// then the code's executions get runtimes of their own. Ordinary activations take under a
	// millisecond, the longest that are no mistake ten.
	longEntry = 50 * time.Millisecond
	// fairShare is the part of a processor that one code may take for long in shared runtimes, and
	// fairBurst what it may take beyond at once: it is as well off with its own.
	fairShare = 0.25
	fairBurst = 500 * time.Millisecond
	// maxSymbols is how many names may be added to the registry of Symbol.for, which goja keeps for
	// good, before a runtime takes no new executions.
	maxSymbols = 10_000
)
