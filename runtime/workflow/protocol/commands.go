package protocol

import (
	"fmt"
	"maps"
	"slices"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"

	"workflow-worker/runtime/workflow/wire"
)

// Command is one of the protocol's commands, read out of JavaScript: one of the types in this
// package that say so.
type Command any

// reader makes a command of the protocol's object.
type reader func(v *Values, f Fields, shown shown) (Command, error)

// readers has every command of the protocol. Those with a nil reader are refused by name.
var readers = map[string]reader{
	"startTimer":                             readStartTimer,
	"cancelTimer":                            readCancelTimer,
	"scheduleActivity":                       readScheduleActivity,
	"requestCancelActivity":                  readCancelActivity,
	"startChildWorkflowExecution":            readStartChild,
	"cancelChildWorkflowExecution":           readCancelChild,
	"signalExternalWorkflowExecution":        readSignalExternal,
	"cancelSignalWorkflow":                   readCancelSignal,
	"requestCancelExternalWorkflowExecution": readCancelExternal,
	"completeWorkflowExecution":              readComplete,
	"failWorkflowExecution":                  readFail,
	"cancelWorkflowExecution":                readCancelled,
	"continueAsNewWorkflowExecution":         readContinueAsNew,
	"setPatchMarker":                         readPatch,
	"updateResponse":                         readUpdateResponse,
	"upsertWorkflowSearchAttributes":         readUpsertSearchAttributes,
	"modifyWorkflowProperties":               readUpsertMemo,
	"scheduleLocalActivity":                  readScheduleLocalActivity,
	"requestCancelLocalActivity":             readCancelLocalActivity,
	"scheduleNexusOperation":                 readScheduleNexus,
	"requestCancelNexusOperation":            readCancelNexus,
	"respondToQuery":                         nil,
}

// CommandNames are the protocol's names of all commands.
func CommandNames() []string { return slices.Sorted(maps.Keys(readers)) }

// features name what a refused command is part of.
var features = map[string]string{
	"scheduleLocalActivity":      "local activities (proxyLocalActivities, scheduleLocalActivity)",
	"requestCancelLocalActivity": "local activities (proxyLocalActivities, scheduleLocalActivity)",
}

// shown is what shows beside an event in Temporal's UI.
type shown struct {
	summary, details string
	groups           Groups
}

// UnreadableError is of a command of which the author gave something that can't be made what it has to
// be: an array for a text, so deep that nothing makes a text of it.
type UnreadableError struct {
	Command string
	Seq     int64  // of the command; 0 if it has none
	Field   string // may be ""
	Thrown  string // by what tried to make it
}

func (e *UnreadableError) Error() string {
	what := e.Command
	if e.Field != "" {
		what += ": " + e.Field
	}
	return what + " can't be read: " + e.Thrown
}

// ReadCommands reads what an activation concluded with, in the order of the code. Its errors are
// task failures, or an *UnreadableError.
func (v *Values) ReadCommands(list goja.Value) (out []Command, err error) {
	var at string
	var of Fields
	if ex := v.Runtime.Try(func() { out, err = v.readCommands(list, func(name string, f Fields) { at, of = name, f }) }); ex != nil {
		return nil, v.unreadable(at, of, ex)
	}
	return out, err
}

// unreadable tells what of a command threw.
func (v *Values) unreadable(name string, f Fields, ex *goja.Exception) error {
	if f.None() {
		return ex
	}
	e := &UnreadableError{Command: name, Thrown: ex.Value().String(), Seq: -1}
	_ = v.Runtime.Try(func() { e.Seq = f.Integer("seq") }) // what threw may be anything
	_ = v.Runtime.Try(func() { e.Field = v.throws("", f.o, 1) })
	return e
}

// throws finds what of an object can't be made a text, so many objects deep.
func (v *Values) throws(path string, o *goja.Object, deep int) string {
	for _, key := range o.Keys() {
		value := o.Get(key)
		if inner := Object(value); inner != nil && inner.ClassName() == "Object" {
			if deep > 0 {
				if found := v.throws(path+key+".", inner, deep-1); found != "" {
					return found
				}
			}
			continue
		}
		if ex := v.Runtime.Try(func() { _ = value.String() }); ex != nil {
			return path + key
		}
	}
	return ""
}

// readCommands does that, and tells what it is about to read.
func (v *Values) readCommands(list goja.Value, reads func(name string, f Fields)) ([]Command, error) {
	var out []Command
	for _, c := range Items(v.Runtime, list) {
		o := Object(c)
		for _, name := range o.Keys() {
			read, known := readers[name]
			f := Fields{o}.Object(name)
			if !known || f.o == nil {
				continue // userMetadata, eventGroupMarkers
			}
			if read == nil {
				return nil, Unsupported(name)
			}
			reads(name, f)
			shown, err := v.readShown(Fields{o})
			if err != nil {
				return nil, err
			}
			x, err := read(v, f, shown)
			if err != nil {
				return nil, &wire.TaskFailure{Reason: wire.ReasonPayload, Message: fmt.Sprintf("%s: %v", name, err)}
			}
			out = append(out, x)
		}
	}
	return out, nil
}

// Unsupported is the task failure of a command that isn't carried out here.
func Unsupported(name string) error {
	what := features[name]
	if what == "" {
		what = name
	}
	return &wire.TaskFailure{
		Reason: wire.ReasonUnsupported, Message: what + " are not supported by this worker",
		Hint: "The execution waits: use an ordinary activity, or run it on a worker that supports it.",
	}
}

// readShown reads what stands beside a command.
func (v *Values) readShown(f Fields) (s shown, err error) {
	if s.groups, err = v.readGroups(f.Value("eventGroupMarkers")); err != nil {
		return s, err
	}
	f = f.Object("userMetadata")
	if s.summary, err = v.readString(f.Value("summary")); err != nil {
		return s, err
	}
	s.details, err = v.readString(f.Value("details"))
	return s, err
}

func (v *Values) readHeader(f Fields) (map[string]*commonpb.Payload, error) {
	return v.ReadPayloadMap(f.Value("headers"))
}

// Answer is what a query's handler gave.
type Answer struct {
	Fields
	// Changed says that the handler scheduled something.
	Changed bool
}

// ReadAnswer finds the response to a query among the commands that its activation concluded with.
func (v *Values) ReadAnswer(list goja.Value) (a Answer) {
	for _, c := range Items(v.Runtime, list) {
		if f := FieldsOf(c); f.Has("respondToQuery") {
			a.Fields = f.Object("respondToQuery")
		} else {
			a.Changed = true
		}
	}
	return a
}
