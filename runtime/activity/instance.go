package activity

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"
	sdkactivity "go.temporal.io/sdk/activity"
	sdkworkflow "go.temporal.io/sdk/workflow"

	"workflow-worker/runtime/cores"
	"workflow-worker/runtime/eventloop"
	"workflow-worker/runtime/platform"
	"workflow-worker/runtime/sandbox"
)

// instance is a runtime with the author's module evaluated, for one execution. One goroutine at a
// time runs its JavaScript; what other goroutines have to say, they post to the loop.
type instance struct {
	code    *Code
	vm      *sandbox.VM
	machine *machine     // whose VM it is; nil if it is this instance's alone
	global  *goja.Object // with a machine: the instance's own
	loop    *eventloop.Loop
	made    time.Time

	// ctx ends with the instance; requests and background goroutines live in it.
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup // the background goroutines

	exports  *goja.Object // the module's
	globals  *lazyGlobals
	packages *goja.Object // the npm packages', nil until one is needed
	node     *goja.Object // Node's modules, nil until one is needed
	sdk      *sdk         // nil until the module or a failure needs it
	common   *goja.Object // likewise

	log        lines
	requests   platform.Requests
	ends       []func()        // what modules do when it is over
	refusals   []*goja.Object  // errors that say that the guard refused an address
	rejections []*goja.Promise // rejected and not handled so far
	beats      *heartbeats
	beat       atomic.Int64 // when the last one was given, in nanoseconds

	running  context.Context        // the execution's, nil before it begins
	notified atomic.Pointer[ending] // of what the code is, or is about to be
	ending   *ending                // why Temporal ended the attempt, nil while it goes on
	cut      bool                   // JavaScript was ended where it couldn't catch it: goja can't be used again
	spent    bool                   // the CPU time of the whole execution is over
	broken   error                  // what went wrong in our own part, where JavaScript couldn't be told
}

// newInstance makes a runtime and evaluates the module. The instance is returned with the error, so
// that its functions can be told from a broken machine: *sandbox.Thrown and *sandbox.Interrupted
// are the author's.
func (c *Code) newInstance(ctx context.Context) (*instance, error) {
	vm, err := sandbox.New(c.opts.Sandbox)
	if err != nil {
		return nil, err
	}
	return c.instanceOn(ctx, &instance{vm: vm})
}

// instanceOn evaluates the module on the runtime that an instance was given.
func (c *Code) instanceOn(ctx context.Context, in *instance) (*instance, error) {
	in.code, in.loop, in.made, in.requests.Most = c, eventloop.New(), time.Now(), c.opts.MaxRequests
	in.ctx, in.cancel = context.WithCancel(context.Background())
	in.log = lines{logger: c.opts.Logger.With(attributes(ctx, c.program.Name)...), ctx: in.ctx, left: c.opts.MaxLogLines}
	in.vm.Runtime.SetPromiseRejectionTracker(in.trackRejection)
	err := in.enter(ctx, func() error {
		if err := in.installPlatform(); err != nil {
			return err
		}
		return in.evaluateModule()
	})
	if err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// evaluateModule runs the author's top level. Inside Enter.
func (in *instance) evaluateModule() error {
	r := in.vm.Runtime
	js, err := in.code.program.JS()
	if err != nil {
		return err
	}
	v, err := r.RunProgram(js)
	if err != nil {
		return err
	}
	f, ok := goja.AssertFunction(v)
	if !ok {
		return fmt.Errorf("the program of %s is no function", in.code.program.Name)
	}
	exports, module := r.NewObject(), r.NewObject()
	if err := platform.Define(r, module, "exports", exports); err != nil {
		return err
	}
	require, err := in.function("require", in.require)
	if err != nil {
		return err
	}
	if _, err := f(exports, require, module, exports); err != nil {
		var ex *goja.Exception
		if errors.As(err, &ex) {
			return in.vm.Describe(ex)
		}
		return err
	}
	in.exports = module.Get("exports").ToObject(r)
	return in.broken
}

// functions names what the module exports for calling. Classes are functions that can't be called.
// Inside Enter.
func (in *instance) functions() []string {
	names := []string{}
	for _, name := range in.exports.Keys() {
		v := in.exports.Get(name)
		if _, ok := goja.AssertFunction(v); ok && !isClass(v) {
			names = append(names, name)
		}
	}
	return names
}

func isClass(v goja.Value) bool {
	text := v.String()
	return len(text) > 5 && text[:5] == "class"
}

// enter runs JavaScript with the watchdog.
func (in *instance) enter(ctx context.Context, f func() error) error {
	before := in.vm.CPUTime()
	left := in.code.opts.CPUBudget - before
	if in.machine != nil {
		f = in.withGlobal(f)
	}
	var x sdkworkflow.Execution
	if in.running != nil && sdkactivity.IsActivity(in.running) {
		x = sdkactivity.GetInfo(in.running).WorkflowExecution
	}
	// Who is gone is interrupted as it enters.
	turnOver, noTurn := in.code.opts.Turns.Begin(ctx, cores.Activity, &in.code.habit, 0)
	over := in.code.opts.Entered(in.code.program, x.ID, x.RunID)
	err := in.vm.Enter(ctx, min(in.code.opts.SliceBudget, max(left, time.Millisecond)), f)
	over()
	if noTurn == nil {
		turnOver()
	}
	used := in.vm.CPUTime() - before
	in.code.opts.Turns.Took(&in.code.habit, used)
	in.code.opts.Used(used)
	var interrupted *sandbox.Interrupted
	if sandbox.CutOff(err) {
		in.cut = true
	}
	if errors.As(err, &interrupted) {
		in.code.opts.Observer.JSInterrupted(Interrupted)
		in.spent = interrupted.Cause == nil && left < in.code.opts.SliceBudget // what was left of all was less
	}
	return err
}

// withGlobal is f with the instance's own global object in place.
func (in *instance) withGlobal(f func() error) func() error {
	return func() (err error) {
		r := in.vm.Runtime
		if in.global == nil {
			if in.global, err = in.machine.global(); err != nil {
				return err
			}
		}
		r.SetGlobalObject(in.global)
		defer r.SetGlobalObject(in.machine.base)
		return f()
	}
}

// close drops all that the code left behind, and waits for what runs in the background.
func (in *instance) close() {
	in.loop.Close()
	in.cancel()
	for _, end := range in.ends {
		end()
	}
	in.beats.close()
	in.wg.Wait()
	in.vm.Release()
	in.log.close()
	if m := in.machine; m != nil {
		m.user = nil
		if in.cut || in.broken != nil {
			m = nil
		}
		in.code.giveBack(m)
	}
}

// trackRejection is told of promises that are rejected with nobody listening, and of those that
// find a listener later.
func (in *instance) trackRejection(p *goja.Promise, operation goja.PromiseRejectionOperation) {
	const most = 100
	if operation == goja.PromiseRejectionReject {
		if len(in.rejections) < most {
			in.rejections = append(in.rejections, p)
		}
		return
	}
	for i, known := range in.rejections {
		if known == p {
			in.rejections = append(in.rejections[:i], in.rejections[i+1:]...)
			return
		}
	}
}

// reportRejections logs the rejections that still have no listener at the end of a turn, except the
// given promise's. Inside Enter.
func (in *instance) reportRejections(except *goja.Promise) {
	for _, p := range in.rejections {
		if p != except {
			in.log.warn("Unhandled promise rejection: " + in.vm.Format([]goja.Value{p.Result()}))
		}
	}
	in.rejections = in.rejections[:0]
}
