package workflow

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/dop251/goja"

	"workflow-worker/runtime/workflow/wire"

	commonpb "go.temporal.io/api/common/v1"
)

// command is one of the protocol's commands, read out of JavaScript. accept is called in the order
// of the code: it puts something into the outbox, or takes back what is still there.
type command interface {
	accept(d *definition) error
}

// outgoing is what the SDK gets at the end of the task.
type outgoing interface {
	send(d *definition) error
}

// reader makes a command of the protocol's object; called inside enter.
type reader func(v *vm, f fields, meta metadata) (command, error)

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
	"scheduleLocalActivity":                  readScheduleLocal,
	"requestCancelLocalActivity":             readCancelLocal,
	"scheduleNexusOperation":                 readScheduleNexus,
	"requestCancelNexusOperation":            readCancelNexus,
	"respondToQuery":                         nil,
}

// features name what a refused command is part of.
var features = map[string]string{
	"scheduleLocalActivity":      "local activities (proxyLocalActivities, scheduleLocalActivity)",
	"requestCancelLocalActivity": "local activities (proxyLocalActivities, scheduleLocalActivity)",
}

// metadata is what shows beside an event in Temporal's UI.
type metadata struct{ summary, details string }

func (v *vm) readCommands(list goja.Value) ([]command, error) {
	var out []command
	for _, c := range items(v.box.Runtime, list) {
		o := object(c)
		for _, name := range o.Keys() {
			read, known := readers[name]
			f := fields{o}.object(name)
			if !known || f.o == nil {
				continue // userMetadata, eventGroupMarkers
			}
			if read == nil {
				return nil, unsupported(name)
			}
			meta, err := v.readMetadata(fields{o}.object("userMetadata"))
			if err != nil {
				return nil, err
			}
			x, err := read(v, f, meta)
			if err != nil {
				return nil, &wire.TaskFailure{Reason: wire.ReasonPayload, Message: fmt.Sprintf("%s: %v", name, err)}
			}
			out = append(out, x)
		}
	}
	return out, nil
}

func unsupported(name string) error {
	what := features[name]
	if what == "" {
		what = name
	}
	return &wire.TaskFailure{
		Reason: wire.ReasonUnsupported, Message: what + " are not supported by this worker",
		Hint: "The execution waits: use an ordinary activity, or run it on a worker that supports it.",
	}
}

func (v *vm) readMetadata(f fields) (m metadata, err error) {
	if f.o == nil {
		return m, nil
	}
	if m.summary, err = v.readString(f.value("summary")); err != nil {
		return m, err
	}
	m.details, err = v.readString(f.value("details"))
	return m, err
}

// readString reads a payload that holds a JSON string; anything else is "".
func (v *vm) readString(value goja.Value) (string, error) {
	p, err := v.readPayload(value)
	if err != nil || p == nil {
		return "", err
	}
	var s string
	_ = json.Unmarshal(p.GetData(), &s) // anything else is left empty
	return s, nil
}

func (v *vm) readHeader(f fields) (map[string]*commonpb.Payload, error) {
	return v.readPayloadMap(f.value("headers"))
}

// take removes the first command in the outbox for which match holds: it was never sent.
func take[C outgoing](d *definition, match func(C) bool) (found bool) {
	for i, c := range d.outbox {
		if x, ok := c.(C); ok && match(x) {
			d.outbox = slices.Delete(d.outbox, i, i+1)
			return true
		}
	}
	return false
}
