package shown

import (
	"encoding/json"
	"strings"

	failurepb "go.temporal.io/api/failure/v1"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
)

// Failure is workflow_executions.error.
type Failure struct {
	Type    string          `json:"type"`
	Message string          `json:"message,omitempty"`
	Stack   string          `json:"stack,omitempty"`
	File    string          `json:"file,omitempty"` // the author's
	Line    int             `json:"line,omitempty"`
	Column  int             `json:"column,omitempty"`
	Details json.RawMessage `json:"details,omitempty"`
	// Activity is the type of the activity that failed, Workflow that of the child.
	Activity string `json:"activity,omitempty"`
	Workflow string `json:"workflow,omitempty"`
	Identity string `json:"identity,omitempty"` // who ended it
	// Lost is rows.LostKey.
	Lost  bool     `json:"lost,omitempty"`
	Cause *Failure `json:"cause,omitempty"`
}

// MaxCauses is how deep a chain of causes is told.
const MaxCauses = 16

// bareFailure is how many bytes a failure may have of which no values are shown.
const bareFailure = 256 << 10

// serverFailure is the type of a failure in the server's own words. Between the attempts of an
// activity it stands before one of more than 4 kB, which is its cause.
const serverFailure = "ServerFailure"

// HiddenMessage stands where rows show no messages.
const HiddenMessage = "the message is hidden: failures are encrypted (RECORD_VALUES)"

// Failure is one of Temporal's as rows show it.
func (l Limits) Failure(f *failurepb.Failure) *Failure {
	out := failureOf(f, l.MaxValue, MaxCauses)
	for x := out; x != nil && l.HideFailures; x = x.Cause {
		if x.Message != "" {
			x.Message = HiddenMessage
		}
		x.Stack = ""
	}
	return out
}

func failureOf(f *failurepb.Failure, max, depth int) *Failure {
	if f == nil || depth == 0 {
		return nil
	}
	out := &Failure{Message: rows.Bounded(f.GetMessage()), Stack: rows.Bounded(f.GetStackTrace()), Cause: failureOf(f.GetCause(), max, depth-1)}
	out.File, out.Line, out.Column = runtime.AuthorsLine(f.GetStackTrace())
	var details *string
	switch {
	case f.GetApplicationFailureInfo() != nil:
		out.Type = f.GetApplicationFailureInfo().GetType()
		details = Values(f.GetApplicationFailureInfo().GetDetails(), max)
	case f.GetActivityFailureInfo() != nil:
		out.Type, out.Activity = "ActivityFailure", f.GetActivityFailureInfo().GetActivityType().GetName()
	case f.GetChildWorkflowExecutionFailureInfo() != nil:
		out.Type, out.Workflow = "ChildWorkflowFailure", f.GetChildWorkflowExecutionFailureInfo().GetWorkflowType().GetName()
	case f.GetTimeoutFailureInfo() != nil:
		out.Type = "TimedOut"
	case f.GetCanceledFailureInfo() != nil:
		out.Type = "Cancelled"
		details = Values(f.GetCanceledFailureInfo().GetDetails(), max)
	case f.GetTerminatedFailureInfo() != nil:
		out.Type = "Terminated"
	case f.GetServerFailureInfo() != nil:
		out.Type = serverFailure
	}
	if out.Type == "" {
		out.Type = "Error"
	}
	if details != nil {
		out.Details = json.RawMessage(*details)
	}
	return out
}

// First is what a person should read first: what the code said, not that an activity or a child
// failed, which is before it, nor that the server cut what was too long for it.
func (f *Failure) First() string {
	var where []string
	for f.Cause != nil && (f.Type == "ActivityFailure" || f.Type == "ChildWorkflowFailure" || f.Type == serverFailure) {
		if name := f.Activity + f.Workflow; name != "" {
			where = append(where, name)
		}
		f = f.Cause
	}
	message := f.Message
	if message == "" {
		message = f.Type
	}
	return strings.Join(append(where, message), ": ")
}

// JSON is for a row, nil if there is none. What would be larger than max is its first part alone.
func (f *Failure) JSON(max int) *string {
	if f == nil {
		return nil
	}
	if max == Hide {
		max = bareFailure // what is left of it says no values
	}
	b, err := json.Marshal(f)
	if err == nil && len(b) > max {
		b, err = json.Marshal(&Failure{Type: f.Type, Message: f.Message, File: f.File, Line: f.Line, Column: f.Column, Activity: f.Activity, Workflow: f.Workflow})
	}
	if err != nil {
		return nil
	}
	return new(string(b))
}

// Redacted stands where a row mustn't tell what it was.
const Redacted = "[redacted]"

// Activities are the types of the activities by whose failures it came.
func (f *Failure) Activities() (types []string) {
	for ; f != nil; f = f.Cause {
		if f.Activity != "" {
			types = append(types, f.Activity)
		}
	}
	return types
}

// Withhold takes out what the failures of activities say that have secrets; types, and where it
// was, stay.
func (f *Failure) Withhold(secretive func(activity string) bool) (done bool) {
	for ; f != nil; f = f.Cause {
		if done {
			f.Message, f.Stack, f.Details = Redacted, "", nil
		} else if f.Activity != "" && f.Cause != nil {
			done = secretive(f.Activity)
		}
	}
	return done
}
