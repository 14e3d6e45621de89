package wire

import (
	"fmt"
	"strings"

	failurepb "go.temporal.io/api/failure/v1"
)

// Reasons of failed workflow tasks.
const (
	ReasonException   = "exception"           // code threw something that is no Temporal failure
	ReasonUnhandled   = "unhandled_rejection" // a promise was rejected and nobody waited for it
	ReasonInterrupted = "interrupted"         // code ran for too long
	ReasonMemory      = "memory"              // code kept too much memory
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

	// ReasonQuarantined is of an execution that isn't tried: its code ended the process that it ran
	// in.
	ReasonQuarantined = "quarantined"
	// ReasonNoTurn is of a task that waited for its turn as long as it could, while other executions of
	// the project computed.
	ReasonNoTurn = "no_turn"
	// ReasonRefused is of a task that the server failed: it doesn't take a command that the code
	// gave.
	ReasonRefused = "refused"
)

// TaskFailure fails a workflow task. The execution stays open: the server gives the task out again,
// and a fixed reload, or the missing code's return, lets it go on.
type TaskFailure struct {
	// Reason is one of the constants.
	Reason string
	// WorkflowType, Code and Title say what ran: the type, the code's hash, its file's name and
	// version; the last two are "" if it didn't get that far.
	WorkflowType, Code, Title string
	// Message says what is wrong, Stack where, in the author's lines ("    at f (file.ts:3:4)");
	// Stack may be "".
	Message, Stack string
	// Hint is what whoever reads it can do; may be "".
	Hint string
	// Type is the thrown error's class; may be "".
	Type string

	// Cause is the thrown error's; the text has it, too.
	Cause *failurepb.Failure
}

// Error is what Temporal's UI shows: the message and the stack, then what ran.
func (f *TaskFailure) Error() string {
	var b strings.Builder
	b.WriteString(f.Message)
	if f.Stack != "" {
		b.WriteString("\n" + f.Stack)
	}
	b.WriteString(failureMark + f.WorkflowType)
	if f.Code != "" {
		b.WriteString(", code " + strings.TrimSpace(fmt.Sprintf("%s (%.12s)", f.Title, f.Code)))
	}
	if f.Hint != "" {
		b.WriteString("\n" + f.Hint)
	}
	return b.String()
}

// failureMark divides what went wrong from what ran; FailureConverter looks for it.
const failureMark = "\nin workflow type "

// What whoever reads a failure can do, of those that are found on the wire and elsewhere.
const (
	HintTooLarge       = "Large data belongs in a store: hand on where it is, or less of it."
	HintNondeterminism = "The code takes another path than this execution's history: its text was changed under a running execution " +
		"(guard changes with patched), or it depends on something that isn't Temporal's. Give it code that fits, reset it or terminate it."
)
