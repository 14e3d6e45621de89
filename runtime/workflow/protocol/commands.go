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

// ReadCommands reads what an activation concluded with, in the order of the code. Its errors are
// task failures.
func (v *Values) ReadCommands(list goja.Value) ([]Command, error) {
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
