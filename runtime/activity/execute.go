package activity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"workflow-worker/activities"
	"workflow-worker/runtime/eventloop"
	"workflow-worker/runtime/sandbox"
	"workflow-worker/runtime/tracing"
)

// errGraceOver interrupts code that goes on after its attempt was ended.
var errGraceOver = errors.New("the attempt was ended and its grace is over")

const (
	// goneGrace is how long code may go on whose attempt Temporal has given up: nobody waits for what
	// it does, but it may have something to clean up.
	goneGrace = 2 * time.Second
	// lateBeat is how much later than its timeout a heartbeat is missed: the server may have had the
	// last one that much later than it was given, and finds out later still where it is busy. What the
	// code ends with before that would count as the attempt's own failure.
	lateBeat = 3 * time.Second
)

// Execute runs the exported function of the name on the arguments, and waits for the promise that
// it may return. ctx is Temporal's activity context; without one the code runs too, with nothing to
// heartbeat to. What the code throws comes back as Temporal's error for it; see the constants for
// what this package itself ends executions with.
func (c *Code) Execute(ctx context.Context, export string, args *commonpb.Payloads) (*commonpb.Payloads, error) {
	if err := c.held(ctx); err != nil {
		return nil, err
	}
	in, err := c.take(ctx)
	if err != nil {
		return nil, c.loadFailure(ctx, err)
	}
	defer in.close()
	out, err := in.execute(ctx, export, args)
	if err != nil {
		return nil, err
	}
	return &commonpb.Payloads{Payloads: []*commonpb.Payload{out}}, nil
}

// held is the failure of an attempt for an execution that waits: with this code it ended the process.
func (c *Code) held(ctx context.Context) error {
	if !activity.IsActivity(ctx) {
		return nil
	}
	why, until := c.opts.Held(activity.GetInfo(ctx).WorkflowExecution.RunID, c.program.Hash)
	if why == "" {
		return nil
	}
	return temporal.NewApplicationErrorWithOptions(why, QuarantinedType, temporal.ApplicationErrorOptions{NextRetryDelay: time.Until(until)})
}

// loadFailure is for a module that can't be evaluated.
func (c *Code) loadFailure(ctx context.Context, err error) error {
	var thrown *sandbox.Thrown
	var interrupted *sandbox.Interrupted
	if errors.As(err, &interrupted) {
		if err := outOfMemory(interrupted); err != nil {
			return err
		}
	}
	switch {
	case errors.As(err, &interrupted) && interrupted.Cause != nil:
		return cutOff(ctx, nil, interrupted.Cause)
	case errors.As(err, &interrupted):
		return applicationError("the activity's code can't be loaded: it "+
			fmt.Sprintf("ran for longer than %v (%s)", interrupted.Budget, activities.CPUTimeSetting), LoadErrorType, interrupted.Stack, true)
	case errors.As(err, &thrown):
		return applicationError("the activity's code can't be loaded: "+thrown.Error(), LoadErrorType, thrown.Stack, true)
	default:
		return fmt.Errorf("load the activity's code: %w", err)
	}
}

func (in *instance) execute(ctx context.Context, export string, args *commonpb.Payloads) (*commonpb.Payload, error) {
	in.running = ctx
	in.ctx = tracing.With(in.ctx, ctx)
	in.log.ctx = in.ctx
	in.log.logger = in.code.opts.Logger.With(attributes(ctx, in.code.program.Name)...)
	hard, release := in.leash(ctx)
	defer release()
	promise, err := in.begin(hard, export, args)
	for err == nil && promise.State() == goja.PromiseStatePending {
		if in.sdk == nil && in.loop.Idle() {
			return nil, temporal.NewApplicationError(
				"the activity awaits a promise that nothing can settle: no timer and no request is under way", StalledType)
		}
		j := in.loop.Next(hard)
		if j == nil {
			return nil, in.cutOff(ctx, context.Cause(hard))
		}
		err = in.turn(hard, promise, j)
	}
	if err != nil {
		return nil, in.failure(ctx, hard, err)
	}
	if promise.State() == goja.PromiseStateRejected {
		return nil, in.failure(ctx, hard, rejected{promise.Result()})
	}
	return in.result(hard, ctx, promise.Result())
}

// leash gives the context that interrupts JavaScript: it ends a grace after ctx, or after the
// worker began to stop. The code itself is told at once. The SDK ends ctx only when a stopping
// worker has waited for its activities; a worker of Temporal's own for TypeScript doesn't wait.
func (in *instance) leash(ctx context.Context) (hard context.Context, release func()) {
	hard, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	var mu sync.Mutex // guards over and grace
	var over bool
	var grace *time.Timer
	tell := func(why *ending) {
		mu.Lock()
		defer mu.Unlock()
		left := in.code.opts.Grace
		if why.isGone() {
			left = min(left, goneGrace)
		}
		switch {
		case over:
			return
		case grace != nil: // it was told before, and is gone now
			if why.isGone() && grace.Stop() {
				grace.Reset(left)
			}
			return
		}
		in.notified.Store(why)
		grace = time.AfterFunc(left, func() { cut(errGraceOver) })
		in.loop.Post(func() error {
			in.end(why)
			return in.broken
		})
	}
	unwatch := context.AfterFunc(ctx, func() { tell(endingOf(ctx)) })
	unlate := in.watchTimeouts(ctx, func() { tell(timedOut()) })
	released := make(chan struct{})
	if activity.IsActivity(ctx) {
		stopping := activity.GetWorkerStopChannel(ctx)
		in.Background(func() {
			select {
			case <-stopping:
				tell(workerStops())
			case <-released:
			}
		})
	}
	return hard, func() {
		unwatch()
		unlate()
		close(released)
		mu.Lock()
		defer mu.Unlock()
		over = true
		if grace != nil {
			grace.Stop()
		}
		cut(nil)
	}
}

// watchTimeouts calls late when Temporal has given the attempt up of which its context doesn't tell:
// one that was cancelled before, or that doesn't heartbeat as it should.
func (in *instance) watchTimeouts(ctx context.Context, late func()) (stop func()) {
	var timers []*time.Timer
	if deadline, ok := ctx.Deadline(); ok {
		timers = append(timers, time.AfterFunc(time.Until(deadline), late))
	}
	if activity.IsActivity(ctx) {
		if most := activity.GetInfo(ctx).HeartbeatTimeout; most > 0 {
			timers = append(timers, in.watchHeartbeats(most+lateBeat, late))
		}
	}
	return func() {
		for _, t := range timers {
			t.Stop()
		}
	}
}

// watchHeartbeats calls late when there was none for so long.
func (in *instance) watchHeartbeats(most time.Duration, late func()) *time.Timer {
	in.beat.Store(time.Now().UnixNano())
	var timer *time.Timer
	armed := make(chan struct{}) // the timer is set anew from inside itself
	timer = time.AfterFunc(most, func() {
		<-armed
		if left := most - time.Since(time.Unix(0, in.beat.Load())); left > 0 {
			timer.Reset(left)
			return
		}
		late()
	})
	close(armed)
	return timer
}

// end tells the code that its attempt is over. Inside Enter.
func (in *instance) end(why *ending) {
	if in.ending != nil {
		return
	}
	in.ending = why
	if in.sdk != nil {
		if err := in.tellEnding(); err != nil {
			in.broken = err
		}
	}
}

// begin calls the function. What it throws at once is a rejection too.
func (in *instance) begin(hard context.Context, export string, args *commonpb.Payloads) (promise *goja.Promise, err error) {
	err = in.enter(hard, func() error {
		if in.sdk != nil {
			if err := in.beginSDK(); err != nil {
				return err
			}
		}
		f, ok := goja.AssertFunction(in.exports.Get(export))
		if !ok {
			return temporal.NewApplicationError(fmt.Sprintf("%s exports no function %q; it exports: %s",
				in.code.program.Name, export, strings.Join(in.functions(), ", ")), NotFoundType)
		}
		values := make([]goja.Value, len(args.GetPayloads()))
		for i, p := range args.GetPayloads() {
			if values[i], err = in.vm.FromPayload(p); err != nil {
				return unparsed(export, err)
			}
		}
		v, err := f(in.exports, values...)
		if err != nil {
			return err
		}
		promise, err = in.promiseOf(v)
		in.reportRejections(promise)
		return err
	})
	return promise, err
}

// unparsed words that an argument is none, as Temporal's own worker does. What the error was keeps its
// type and its stack.
func unparsed(export string, err error) error {
	before := "Failed to parse activity args for activity " + export + ": "
	if ex, ok := errors.AsType[*goja.Exception](err); ok {
		if o, ok := ex.Value().(*goja.Object); ok {
			return errors.Join(o.Set("message", before+o.Get("message").String()), err)
		}
	}
	return temporal.NewApplicationError(before+strings.Replace(err.Error(), "unknown encoding", "Unknown encoding", 1), ResultType)
}

// promiseOf is Promise.resolve.
func (in *instance) promiseOf(v goja.Value) (*goja.Promise, error) {
	if p, ok := sandbox.Exported[*goja.Promise](v); ok {
		return p, nil
	}
	p, resolve, _ := in.vm.Runtime.NewPromise()
	return p, resolve(v)
}

// turn runs one job of the loop.
func (in *instance) turn(hard context.Context, promise *goja.Promise, j eventloop.Job) error {
	return in.enter(hard, func() error {
		if err := j(); err != nil {
			return err
		}
		in.reportRejections(promise)
		return in.broken
	})
}

// result converts what the promise was fulfilled with.
func (in *instance) result(hard, ctx context.Context, v goja.Value) (p *commonpb.Payload, err error) {
	var shown string
	err = in.enter(hard, func() error {
		if p, err = in.vm.ToPayload(v); errors.Is(err, sandbox.ErrNotConvertible) {
			shown = in.show(v)
		}
		return err
	})
	switch {
	case errors.Is(err, sandbox.ErrNotConvertible):
		why := ""
		if _, tooMuch, is := strings.Cut(err.Error(), "RangeError: "); is { // which doesn't show by looking at it
			why = ": " + tooMuch
		}
		return nil, applicationError("Unable to convert "+shown+" to payload"+why, ResultType, "", false)
	case err != nil:
		return nil, in.failure(ctx, hard, err)
	case len(p.GetData()) > in.code.opts.MaxResultBytes:
		return nil, temporal.NewApplicationErrorWithOptions(
			fmt.Sprintf("the activity's result has %d bytes; the limit is %d (%s)",
				len(p.GetData()), in.code.opts.MaxResultBytes, activities.MaxResultSetting),
			ResultTooLargeType, temporal.ApplicationErrorOptions{NonRetryable: true})
	}
	return p, nil
}

// show is String(v), of which the code may have made anything. Inside Enter.
func (in *instance) show(v goja.Value) string {
	f, ok := goja.AssertFunction(in.vm.Runtime.Get("String"))
	if !ok {
		return "the result"
	}
	text, err := f(goja.Undefined(), v)
	if err != nil {
		return "the result"
	}
	return text.String()
}
