package workflow

import (
	"errors"
	"fmt"
	"slices"

	"github.com/dop251/goja"

	"workflow-worker/runtime/workflow/protocol"
	"workflow-worker/runtime/workflow/wire"
)

// command is one of the protocol's commands. accept is called in the order
// of the code: it puts something into the outbox, or takes back what is still there.
type command interface {
	accept(d *definition) error
}

// outgoing is what the SDK gets at the end of the task.
type outgoing interface {
	send(d *definition) error
}

// commandOf is what is done about a command.
func commandOf(c protocol.Command) command {
	switch c := c.(type) {
	case protocol.StartTimer:
		return startTimer(c)
	case protocol.CancelTimer:
		return cancelTimer(c)
	case *protocol.ScheduleActivity:
		return (*scheduleActivity)(c)
	case protocol.CancelActivity:
		return cancelActivity(c)
	case *protocol.ScheduleLocalActivity:
		return newScheduleLocalActivity(c)
	case protocol.CancelLocalActivity:
		return cancelLocalActivity(c)
	case *protocol.StartChild:
		return (*startChild)(c)
	case protocol.CancelChild:
		return cancelChild(c)
	case *protocol.SignalExternal:
		return (*signalExternal)(c)
	case protocol.CancelSignal:
		return cancelSignal(c)
	case protocol.CancelExternal:
		return cancelExternal(c)
	case *protocol.ScheduleNexus:
		return (*scheduleNexus)(c)
	case protocol.CancelNexus:
		return cancelNexus(c)
	case protocol.Complete:
		return complete(c)
	case protocol.Fail:
		return fail(c)
	case protocol.Cancelled:
		return cancelled(c)
	case protocol.ContinueAsNew:
		return continueAsNew(c)
	case protocol.Patch:
		return patch(c)
	case protocol.UpsertSearchAttributes:
		return upsertSearchAttributes(c)
	case protocol.UpsertMemo:
		return upsertMemo(c)
	case protocol.UpdateResponse:
		return updateResponse(c)
	}
	return notCarriedOut{c}
}

// notCarriedOut is a command that protocol reads and this room has nothing for.
type notCarriedOut struct{ command protocol.Command }

func (c notCarriedOut) accept(*definition) error {
	return protocol.Unsupported(fmt.Sprintf("%T", c.command))
}

// readCommands reads what an activation concluded with; called inside enter.
func (v *machine) readCommands(list goja.Value) ([]command, error) {
	read, err := v.sdk.values.ReadCommands(list)
	if unreadable := (*protocol.UnreadableError)(nil); errors.As(err, &unreadable) {
		return nil, &wire.TaskFailure{Reason: wire.ReasonException, Message: unreadable.Error(), Stack: v.placeOf(unreadable)}
	}
	if err != nil {
		return nil, err
	}
	out := make([]command, len(read))
	for i, c := range read {
		out[i] = commandOf(c)
	}
	return out, nil
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
