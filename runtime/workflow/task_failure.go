package workflow

import (
	"errors"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/workflow/protocol"
	"workflow-worker/runtime/workflow/wire"

	failurepb "go.temporal.io/api/failure/v1"

	"workflow-worker/runtime/sandbox"
)

const (
	hintReload   = "The execution waits: correct the code, and it goes on where it was."
	hintPinned   = "The execution stays on this code, which new versions don't change: correct the code and move the execution to it (migrate), or reset or terminate it."
	hintTooLong  = "Workflow code must return to Temporal between steps: move work to an activity, and wait with sleep or condition."
	hintMemory   = "Workflow code must stay small: keep large data in a store and hand on where it is, process lists piece by piece, and continue as new."
	hintReplayed = "Nothing is wrong with this execution: it is replayed and goes on."
	hintRejected = "Await the promise, or give it a catch."
	hintDeep     = "Workflow code nests its calls too deep: make a loop of the recursion, or do it in an activity."
	hintPayload  = "What goes to Temporal must be JSON, a Uint8Array or undefined: convert it first."
	hintInternal = "This is a mistake of the service: report it with this text. The execution waits."
)

const discardedMessage = "another execution ran for too long, kept too much memory or nested its calls too deep, and its JavaScript runtime was discarded"

// taskFailure makes the failure and counts it.
func (d *definition) taskFailure(err error) *wire.TaskFailure {
	var f *wire.TaskFailure
	if !errors.As(err, &f) {
		f = &wire.TaskFailure{Reason: wire.ReasonInternal, Message: err.Error()}
		var interrupted *sandbox.Interrupted
		var overflow *goja.StackOverflowError
		var fault *sandbox.Fault
		switch {
		case errors.As(err, &fault):
			f.Message, f.Stack = firstLine(fault.Error()), protocol.FramesOnly(fault.Stack)
		case errors.As(err, &interrupted):
			d.interrupted(f, interrupted)
			d.o.Observer.JSInterrupted(InterruptedTask)
		case errors.As(err, &overflow):
			f.Reason, f.Hint, f.Message = wire.ReasonCallDepth, hintDeep, "Maximum call stack size exceeded"
			f.Stack = protocol.FramesOnly(sandbox.CleanStack(overflow.String()))
		case errors.Is(err, errDiscarded):
			f.Reason, f.Message, f.Hint = wire.ReasonDiscarded, discardedMessage, hintReplayed
		}
		switch {
		case !sandbox.CutOff(err) || d.in == nil || d.o.unproven: // of a replay that tries code nothing follows
		case f.Reason == wire.ReasonMemory:
			d.in.code.suspects.hoarded(d.x.RunID, d.in.code.Hash(), *f)
		default:
			d.in.code.suspects.add(d.x.RunID)
		}
	}
	d.Report(f)
	return f
}

// emptyID is for an id of ”, for which the SDK would make one up. message is the server's.
func emptyID(message string) error {
	return &wire.TaskFailure{Reason: wire.ReasonException, Message: message, Hint: "An id was given and is empty: give it a text, or leave it out."}
}

// Report completes a failure with what ran and what to do, counts it and logs it: one text for
// Temporal's UI and the log.
func (d *definition) Report(f *wire.TaskFailure) {
	f.WorkflowType = d.x.Type
	if d.in != nil {
		f.Code, f.Title = d.in.code.Hash(), d.in.code.title()
	}
	if f.Hint == "" {
		switch f.Reason {
		case wire.ReasonException:
			f.Hint = d.hint()
		case wire.ReasonPayload:
			f.Hint = hintPayload
		case wire.ReasonInternal:
			f.Hint = hintInternal
		}
	}
	f.Message, f.Stack, f.Type = sandbox.Shorten(f.Message), sandbox.Shorten(f.Stack), sandbox.Shorten(f.Type)
	d.failed = f
	d.o.hears().Report(d.trace.context(), d.x, f)
	d.tellFailed(f)
}

// tellFailed tells of a failed task. That a query failed says nothing of the execution, and a
// discarded runtime, or a turn that didn't come, nothing of its code.
func (d *definition) tellFailed(f *wire.TaskFailure) {
	if f.Reason != wire.ReasonDiscarded && f.Reason != wire.ReasonNoTurn && d.o.Tasks.Working(d.x.RunID) {
		d.o.Ends.TaskFailed(d.x, f)
	}
}

// hint depends on whether the pin is recorded already, which it isn't while the first task hasn't
// completed, and on what the code says of newer code.
func (d *definition) hint() string {
	if on := d.on.Load(); !d.pinRecorded || on != nil && on.AutoUpgrade {
		return hintReload
	}
	return hintPinned
}

// thrown makes a task failure of what JavaScript threw out of an activation; called inside enter.
func (in *instance) thrown(err error) error {
	var ex *goja.Exception
	if !errors.As(err, &ex) {
		return err
	}
	v := in.machine
	t := v.vm.Describe(ex)
	f := &wire.TaskFailure{Reason: wire.ReasonException, Message: t.Message, Stack: protocol.FramesOnly(t.Stack)}
	if p := in.failureOf(v.sdk.failureOf, ex.Value()); p != nil {
		describe(f, p)
	}
	return f
}

// unhandled is thrown's counterpart for the first rejection that nobody handled; nil if there is
// none.
func (in *instance) unhandled() error {
	if len(in.machine.rejected) == 0 {
		return nil
	}
	reason := in.machine.rejected[0].Result()
	p := in.failureOf(in.machine.sdk.failureOfRejection, reason)
	f := &wire.TaskFailure{Reason: wire.ReasonUnhandled, Message: p.GetMessage(), Hint: hintRejected}
	if p == nil {
		f.Message = unhandledPrefix + "what it was rejected with can't be shown"
	}
	if p.GetCause() != nil {
		describe(f, p.GetCause())
		if f.Type != "" {
			f.Message = unhandledPrefix + f.Message
		} else {
			f.Message = p.GetMessage()
		}
		f.Cause = p.GetCause() // as Temporal's own worker has it: the rejection is the cause of what it throws
	}
	return f
}

const unhandledPrefix = "Unhandled Promise rejection: "

func (in *instance) failureOf(convert goja.Callable, value goja.Value) *failurepb.Failure {
	o, err := convert(goja.Undefined(), value)
	if err != nil {
		return nil
	}
	p, err := in.machine.sdk.values.ReadFailure(o)
	if err != nil {
		return nil
	}
	return p
}

// describe takes over what the package makes of an error: its causes too.
func describe(f *wire.TaskFailure, p *failurepb.Failure) {
	class, message, stack := classed(p)
	f.Type = p.GetApplicationFailureInfo().GetType()
	if f.Type == "" {
		f.Type = class
	}
	f.Message, f.Cause = message, p.GetCause()
	f.Stack = protocol.FramesOnly(stack)
	for c, n := p.GetCause(), 0; c != nil && n < protocol.MaxCauses; c, n = c.GetCause(), n+1 {
		_, message, stack := classed(c)
		f.Stack += "\n    caused by " + message
		if frames := protocol.FramesOnly(stack); frames != "" {
			f.Stack += "\n" + frames
		}
	}
	f.Stack = strings.TrimPrefix(f.Stack, "\n")
}

// classed parts a failure's stack, which begins with the class and the message: "TypeError: x is
// not a function". message is with the class.
func classed(p *failurepb.Failure) (class, message, frames string) {
	first, frames, _ := strings.Cut(p.GetStackTrace(), "\n")
	message = p.GetMessage()
	class, _, ok := strings.Cut(first, ":")
	if !ok || strings.HasPrefix(first, "    at ") || strings.Contains(class, " ") || class == message {
		return "", message, frames
	}
	return class, class + ": " + message, frames
}
