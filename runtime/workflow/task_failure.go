package workflow

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dop251/goja"
	failurepb "go.temporal.io/api/failure/v1"

	"workflow-worker/runtime/sandbox"
)

// Reasons of failed workflow tasks.
const (
	ReasonException   = "exception"           // code threw something that is no Temporal failure
	ReasonUnhandled   = "unhandled_rejection" // a promise was rejected and nobody waited for it
	ReasonInterrupted = "interrupted"         // code ran for too long
	ReasonCallDepth   = "call_depth"          // calls nested too deep
	ReasonUnknownType = "unknown_type"        // the project serves no such workflow type
	ReasonMissingCode = "missing_code"        // the code that the execution is pinned to can't be had
	ReasonUnsupported = "unsupported"         // code used a feature that isn't there yet
	ReasonPayload     = "payload"             // something couldn't be converted
	ReasonDiscarded   = "discarded"           // another execution of the code was cut off, and its runtime with it
	ReasonInternal    = "internal"            // a mistake of ours, or the bundle is missing

	ReasonNondeterminism = "nondeterminism" // code did something else than the history says
	ReasonNotAwaited     = "not_awaited"    // code started more than a task may without waiting for any of it
	ReasonTooLarge       = "too_large"      // what code gave to Temporal is larger than Temporal takes
	ReasonDuplicateID    = "duplicate_id"   // code gave one id to two things at once
	ReasonForeign        = "foreign"        // another worker began the execution
)

// TaskFailure fails a workflow task. The execution stays open: the server gives the task out again, and a fixed reload, or
// the missing code's return, lets it go on.
type TaskFailure struct {
	// Reason is one of the constants.
	Reason string
	// WorkflowType, Code and Title say what ran: the type, the code's hash, its file's name and version; the last two are "" if
	// it didn't get that far.
	WorkflowType, Code, Title string
	// Message says what is wrong, Stack where, in the author's lines ("    at f (file.ts:3:4)"); Stack may be "".
	Message, Stack string
	// Hint is what whoever reads it can do; may be "".
	Hint string
	// Type is the thrown error's class; may be "".
	Type string

	cause *failurepb.Failure // of the thrown error; the text has it, too
}

// Error is what Temporal's UI shows: the message and the stack, then what ran.
func (f *TaskFailure) Error() string {
	var b strings.Builder
	b.WriteString(f.Message)
	if f.Stack != "" {
		b.WriteString("\n" + f.Stack)
	}
	b.WriteString(taskFailureMark + f.WorkflowType)
	if f.Code != "" {
		b.WriteString(", code " + strings.TrimSpace(fmt.Sprintf("%s (%.12s)", f.Title, f.Code)))
	}
	if f.Hint != "" {
		b.WriteString("\n" + f.Hint)
	}
	return b.String()
}

// taskFailureMark divides what went wrong from what ran; FailureConverter looks for it.
const taskFailureMark = "\nin workflow type "

const (
	hintReload   = "The execution waits: correct the code, and it goes on where it was."
	hintPinned   = "The execution stays on this code, which new versions don't change: correct the code and move the execution to it (migrate), or reset or terminate it."
	hintTooLong  = "Workflow code must return to Temporal between steps: move work to an activity, and wait with sleep or condition."
	hintReplayed = "Nothing is wrong with this execution: it is replayed and goes on."
	hintRejected = "Await the promise, or give it a catch."
	hintDeep     = "Workflow code nests its calls too deep: make a loop of the recursion, or do it in an activity."
	hintPayload  = "What goes to Temporal must be JSON, a Uint8Array or undefined: convert it first."
	hintTooLarge = "Large data belongs in a store: hand on where it is, or less of it."
	hintInternal = "This is a mistake of the service: report it with this text. The execution waits."

	hintNondeterminism = "The code takes another path than this execution's history: its text was changed under a running execution " +
		"(guard changes with patched), or it depends on something that isn't Temporal's. Give it code that fits, reset it or terminate it."
)

const discardedMessage = "another execution of the same code ran for too long or nested its calls too deep, and its JavaScript runtime was discarded"

// taskFailure makes the failure and counts it.
func (d *definition) taskFailure(err error) *TaskFailure {
	var f *TaskFailure
	if !errors.As(err, &f) {
		f = &TaskFailure{Reason: ReasonInternal, Message: err.Error()}
		var interrupted *sandbox.Interrupted
		var overflow *goja.StackOverflowError
		switch {
		case errors.As(err, &interrupted):
			d.interrupted(f, interrupted)
			d.o.Observer.JSInterrupted("task")
		case errors.As(err, &overflow):
			f.Reason, f.Hint, f.Message = ReasonCallDepth, hintDeep, "Maximum call stack size exceeded"
			f.Stack = framesOnly(sandbox.CleanStack(overflow.String()))
		case errors.Is(err, errDiscarded):
			f.Reason, f.Message, f.Hint = ReasonDiscarded, discardedMessage, hintReplayed
		}
		if cutOff(err) && d.in != nil {
			d.in.code.suspect(d.env.WorkflowInfo().WorkflowExecution.RunID)
		}
	}
	d.report(f)
	return f
}

// emptyID is for an id of ”, for which the SDK would make one up. message is the server's.
func emptyID(message string) error {
	return &TaskFailure{Reason: ReasonException, Message: message, Hint: "An id was given and is empty: give it a text, or leave it out."}
}

// report completes a failure with what ran and what to do, counts it and logs it: one text for Temporal's UI and the log.
func (d *definition) report(f *TaskFailure) {
	f.WorkflowType = d.x.Type
	if d.in != nil {
		f.Code, f.Title = d.in.code.Hash(), d.in.code.title()
	}
	if f.Hint == "" {
		switch f.Reason {
		case ReasonException:
			f.Hint = d.hint()
		case ReasonPayload:
			f.Hint = hintPayload
		case ReasonInternal:
			f.Hint = hintInternal
		}
	}
	d.failed = f
	d.o.report(d.x, f)
	d.tellFailed(f)
}

func (o Options) report(x Execution, f *TaskFailure) {
	o.Observer.WorkflowTaskFailed(f.Reason)
	o.Logger.Warn("a workflow task failed", keyWorkflowType, f.WorkflowType, keyWorkflowID, x.ID, keyRunID, x.RunID,
		"reason", f.Reason, "error", f)
}

// hint depends on whether the pin is recorded already, which it isn't while the first task hasn't completed, and on what the code says of
// newer code.
func (d *definition) hint() string {
	if on := d.on.Load(); !d.pinRecorded || on != nil && on.AutoUpgrade {
		return hintReload
	}
	return hintPinned
}

// maxFrames is how many frames of a stack are kept: V8's default.
const maxFrames = 10

// framesOnly gives a cleaned stack's innermost frames.
func framesOnly(stack string) string {
	var out []string
	for l := range strings.SplitSeq(stack, "\n") {
		if strings.HasPrefix(l, "    at ") && len(out) < maxFrames {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

// shortStack is a cleaned stack with its message and its innermost frames.
func shortStack(stack string) string {
	stack = sandbox.CleanStack(stack)
	at := strings.Index(stack, "    at ")
	if at < 0 {
		return stack
	}
	return stack[:at] + framesOnly(stack[at:])
}

// thrown makes a task failure of what JavaScript threw out of an activation; called inside enter.
func (in *instance) thrown(err error) error {
	var ex *goja.Exception
	if !errors.As(err, &ex) {
		return err
	}
	v := in.vm
	f := &TaskFailure{Reason: ReasonException, Message: ex.Value().String()}
	t := v.box.Describe(ex)
	f.Message, f.Stack = t.Message, framesOnly(t.Stack)
	if p := in.failureOf(v.sdk.failureOf, ex.Value()); p != nil {
		f.describe(p)
	}
	return f
}

// unhandled is thrown's counterpart for the first rejection that nobody handled; nil if there is none.
func (in *instance) unhandled() error {
	if len(in.vm.rejected) == 0 {
		return nil
	}
	reason := in.vm.rejected[0].Result()
	p := in.failureOf(in.vm.sdk.failureOfRejection, reason)
	f := &TaskFailure{Reason: ReasonUnhandled, Message: p.GetMessage(), Hint: hintRejected}
	if p == nil {
		f.Message = unhandledPrefix + "what it was rejected with can't be shown"
	}
	if p.GetCause() != nil {
		f.describe(p.GetCause())
		if f.Type != "" {
			f.Message = unhandledPrefix + f.Message
		} else {
			f.Message = p.GetMessage()
		}
		f.cause = p.GetCause() // as Temporal's own worker has it: the rejection is the cause of what it throws
	}
	return f
}

const unhandledPrefix = "Unhandled Promise rejection: "

func (in *instance) failureOf(convert goja.Callable, value goja.Value) *failurepb.Failure {
	o, err := convert(goja.Undefined(), value)
	if err != nil {
		return nil
	}
	p, err := in.vm.readFailure(o)
	if err != nil {
		return nil
	}
	return p
}

// describe takes over what the package makes of an error: its causes too.
func (f *TaskFailure) describe(p *failurepb.Failure) {
	class, message, stack := classed(p)
	f.Type = p.GetApplicationFailureInfo().GetType()
	if f.Type == "" {
		f.Type = class
	}
	f.Message, f.cause = message, p.GetCause()
	f.Stack = framesOnly(stack)
	for c, n := p.GetCause(), 0; c != nil && n < maxCauses; c, n = c.GetCause(), n+1 {
		_, message, stack := classed(c)
		f.Stack += "\n    caused by " + message
		if frames := framesOnly(stack); frames != "" {
			f.Stack += "\n" + frames
		}
	}
	f.Stack = strings.TrimPrefix(f.Stack, "\n")
}

// classed parts a failure's stack, which begins with the class and the message: "TypeError: x is not a function". message is with the class.
func classed(p *failurepb.Failure) (class, message, frames string) {
	first, frames, _ := strings.Cut(p.GetStackTrace(), "\n")
	message = p.GetMessage()
	class, _, ok := strings.Cut(first, ":")
	if !ok || strings.HasPrefix(first, "    at ") || strings.Contains(class, " ") || class == message {
		return "", message, frames
	}
	return class, class + ": " + message, frames
}
