package workflow

import (
	"fmt"
	"strings"

	"workflow-worker/runtime/workflow/wire"

	commonpb "go.temporal.io/api/common/v1"

	enumspb "go.temporal.io/api/enums/v1"

	failurepb "go.temporal.io/api/failure/v1"

	bindings "go.temporal.io/sdk/internalbindings"
)

// The protocol's ActivityCancellationType.
const (
	activityTryCancel = 0
	activityWait      = 1
	activityAbandon   = 2
)

// activityState is an activity that the execution waits for.
type activityState struct {
	command *scheduleActivity
	id      bindings.ActivityID
	sent    bool
}

type scheduleActivity struct {
	seq          int64
	params       bindings.ExecuteActivityParams
	headers      map[string]*commonpb.Payload
	cancellation int64
}

func readScheduleActivity(v *vm, f fields, meta metadata) (command, error) {
	c := &scheduleActivity{seq: f.integer("seq"), cancellation: f.integer("cancellationType")}
	p := &c.params
	p.ActivityID = f.text("activityId")
	p.ActivityType = bindings.ActivityType{Name: f.text("activityType")}
	p.TaskQueueName = f.text("taskQueue")
	p.ScheduleToCloseTimeout = f.duration("scheduleToCloseTimeout")
	p.ScheduleToStartTimeout = f.duration("scheduleToStartTimeout")
	p.StartToCloseTimeout = f.duration("startToCloseTimeout")
	p.HeartbeatTimeout = f.duration("heartbeatTimeout")
	p.RetryPolicy = f.retryPolicy(v.box.Runtime, "retryPolicy")
	p.Priority = f.priority("priority")
	p.Summary = meta.summary
	p.DisableEagerExecution = f.truth("doNotEagerlyExecute")
	p.WaitForCancellation = c.cancellation == activityWait
	var err error
	if c.headers, err = v.readHeader(f); err != nil {
		return nil, err
	}
	p.Input, err = v.readPayloads(f.value("arguments"))
	return c, err
}

func (c *scheduleActivity) accept(d *definition) error {
	if c.params.ActivityID == "" && d.keeps(ruleEmpties) {
		return emptyID("BadScheduleActivityAttributes: ActivityId is not set on ScheduleActivityTaskCommand. ActivityType=" + c.params.ActivityType.Name)
	}
	d.activities[c.seq] = &activityState{command: c}
	d.put(c)
	return nil
}

func (c *scheduleActivity) send(d *definition) (err error) {
	a := d.activities[c.seq]
	a.sent = true
	c.params.Header = d.codeHeader(c.headers)
	defer c.explainDuplicate(&err)
	a.id = d.env.ExecuteActivity(c.params, func(result *commonpb.Payloads, err error) {
		if d.activities[c.seq] != a {
			return // resolved when it was cancelled
		}
		r := resolution{result: result}
		if err != nil {
			r.failure, r.cancelled = activityFailure(d.env.GetFailureConverter(), err)
		}
		d.resolveActivity(c.seq, r)
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
		Message: fmt.Sprintf("the activity %s was given the id %q, which an activity has that hasn't ended yet", c.params.ActivityType.Name, c.params.ActivityID),
	}
}

const (
	// duplicateCommand is how the SDK words it.
	duplicateCommand = "adding duplicate command"
	hintDuplicateID  = "Give each activity an id of its own, or none, or start it when the other has ended; one that was cancelled ends when its worker says so."
)

func (d *definition) resolveActivity(seq int64, r resolution) {
	delete(d.activities, seq)
	d.push(resolveActivityJob{seq, r})
}

type cancelActivity struct{ seq int64 }

func readCancelActivity(_ *vm, f fields, _ metadata) (command, error) {
	return cancelActivity{f.integer("seq")}, nil
}

func (c cancelActivity) accept(d *definition) error {
	a := d.activities[c.seq]
	if a == nil {
		return nil
	}
	if !a.sent {
		take(d, func(s *scheduleActivity) bool { return s == a.command })
		d.resolveActivity(c.seq, a.command.cancelled())
		return nil
	}
	if a.command.cancellation != activityAbandon {
		d.put(requestCancelActivity{a.id})
	}
	if a.command.cancellation != activityWait {
		d.resolveActivity(c.seq, a.command.cancelled())
	}
	return nil
}

type requestCancelActivity struct{ id bindings.ActivityID }

func (c requestCancelActivity) send(d *definition) error {
	d.env.RequestCancelActivity(c.id)
	return nil
}

// cancelled is how an activity ends whose cancellation needs no word from its worker.
func (c *scheduleActivity) cancelled() resolution {
	return resolution{cancelled: true, failure: &failurepb.Failure{
		Message: "Activity cancelled",
		Cause:   cancellation(nil),
		FailureInfo: &failurepb.Failure_ActivityFailureInfo{ActivityFailureInfo: &failurepb.ActivityFailureInfo{
			ActivityType: &commonpb.ActivityType{Name: c.params.ActivityType.Name}, ActivityId: c.params.ActivityID,
			RetryState: enumspb.RETRY_STATE_CANCEL_REQUESTED,
		}},
	}}
}
