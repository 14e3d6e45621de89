package workflow

import (
	"fmt"
	"strings"

	"workflow-worker/runtime/workflow/protocol"
	"workflow-worker/runtime/workflow/wire"

	commonpb "go.temporal.io/api/common/v1"

	enumspb "go.temporal.io/api/enums/v1"

	failurepb "go.temporal.io/api/failure/v1"

	bindings "go.temporal.io/sdk/internalbindings"
)

// activityState is an activity that the execution waits for.
type activityState struct {
	command *scheduleActivity
	id      bindings.ActivityID
	sent    bool
}

type scheduleActivity protocol.ScheduleActivity

func (c *scheduleActivity) accept(d *definition) error {
	if c.Params.ActivityID == "" && d.keeps(ruleEmpties) {
		return emptyID("BadScheduleActivityAttributes: ActivityId is not set on ScheduleActivityTaskCommand. ActivityType=" + c.Params.ActivityType.Name)
	}
	put(&d.activities, c.Seq, &activityState{command: c})
	d.put(c)
	return nil
}

func (c *scheduleActivity) send(d *definition) (err error) {
	a := d.activities[c.Seq]
	a.sent = true
	c.Params.Header = d.codeHeader(c.Headers)
	defer c.explainDuplicate(&err)
	a.id = d.env.ExecuteActivity(c.Params, func(result *commonpb.Payloads, err error) {
		if d.activities[c.Seq] != a {
			return // resolved when it was cancelled
		}
		r := protocol.Resolution{Result: result}
		if err != nil {
			r.Failure, r.Cancelled = protocol.ActivityFailure(d.env.GetFailureConverter(), err)
		}
		d.resolveActivity(c.Seq, r)
	})
	return nil
}

// explainDuplicate makes a failure of the SDK's panic at an id that it has already: it can't tell
// that from code that doesn't fit the history.
func (c *scheduleActivity) explainDuplicate(err *error) {
	p := recover()
	if p == nil {
		return
	}
	if !strings.Contains(fmt.Sprint(p), duplicateCommand) {
		panic(p)
	}
	*err = &wire.TaskFailure{
		Reason: wire.ReasonDuplicateID, Hint: hintDuplicateID,
		Message: fmt.Sprintf("the activity %s was given the id %q, which an activity has that hasn't ended yet", c.Params.ActivityType.Name, c.Params.ActivityID),
	}
}

const (
	// duplicateCommand is how the SDK words it.
	duplicateCommand = "adding duplicate command"
	hintDuplicateID  = "Give each activity an id of its own, or none, or start it when the other has ended; one that was cancelled ends when its worker says so."
)

func (d *definition) resolveActivity(seq int64, r protocol.Resolution) {
	delete(d.activities, seq)
	d.push(protocol.ResolveActivity{Seq: seq, Resolution: r})
}

type cancelActivity protocol.CancelActivity

func (c cancelActivity) accept(d *definition) error {
	a := d.activities[c.Seq]
	if a == nil {
		return nil
	}
	if !a.sent {
		take(d, func(s *scheduleActivity) bool { return s == a.command })
		d.resolveActivity(c.Seq, a.command.cancelled())
		return nil
	}
	if a.command.Cancellation != protocol.ActivityAbandon {
		d.put(requestCancelActivity{a.id})
	}
	if a.command.Cancellation != protocol.ActivityWait {
		d.resolveActivity(c.Seq, a.command.cancelled())
	}
	return nil
}

type requestCancelActivity struct{ id bindings.ActivityID }

func (c requestCancelActivity) send(d *definition) error {
	d.env.RequestCancelActivity(c.id)
	return nil
}

// cancelled is how an activity ends whose cancellation needs no word from its worker.
func (c *scheduleActivity) cancelled() protocol.Resolution {
	return protocol.Resolution{Cancelled: true, Failure: &failurepb.Failure{
		Message: "Activity cancelled",
		Cause:   protocol.Cancellation(nil),
		FailureInfo: &failurepb.Failure_ActivityFailureInfo{ActivityFailureInfo: &failurepb.ActivityFailureInfo{
			ActivityType: &commonpb.ActivityType{Name: c.Params.ActivityType.Name}, ActivityId: c.Params.ActivityID,
			RetryState: enumspb.RETRY_STATE_CANCEL_REQUESTED,
		}},
	}}
}
