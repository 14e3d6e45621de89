package workflow

import (
	commonpb "go.temporal.io/api/common/v1"
	bindings "go.temporal.io/sdk/internalbindings"
	"go.temporal.io/sdk/temporal"

	"workflow-worker/runtime/workflow/protocol"
)

// The ends of a run. The first one counts.

type complete protocol.Complete

func (c complete) accept(d *definition) error { return d.ends(c) }

func (c complete) send(d *definition) error {
	var result *commonpb.Payloads
	if c.Result != nil {
		result = &commonpb.Payloads{Payloads: []*commonpb.Payload{c.Result}}
	}
	d.env.Complete(result, nil)
	return nil
}

type fail protocol.Fail

func (c fail) accept(d *definition) error { return d.ends(c) }

func (c fail) send(d *definition) error {
	d.env.Complete(nil, protocol.ToError(d.env.GetFailureConverter(), c.Failure))
	return nil
}

type cancelled protocol.Cancelled

func (c cancelled) accept(d *definition) error { return d.ends(c) }

func (cancelled) send(d *definition) error {
	d.env.Complete(nil, temporal.NewCanceledError())
	return nil
}

type continueAsNew protocol.ContinueAsNew

func (c continueAsNew) accept(d *definition) error { return d.ends(c) }

// send keeps what isn't given, as Temporal does for TypeScript: an empty memo is none given. The
// SDK takes memo and search attributes from the info, which has what the run upserted. On purpose
// the next run gets both as they are by then, as workflows of Go's SDK do. Temporal's own worker
// for TypeScript does so with search attributes alone: a memo goes back to what the run was started
// with, and what was upserted is lost without a word.
func (c continueAsNew) send(d *definition) error {
	i := d.env.WorkflowInfo()
	if len(c.Memo) > 0 {
		i.Memo = &commonpb.Memo{Fields: c.Memo}
	}
	if c.Attributes != nil {
		//nolint:staticcheck // the SDK reads them from here alone
		i.SearchAttributes = &commonpb.SearchAttributes{IndexedFields: c.Attributes}
	}
	e := &bindings.ContinueAsNewError{
		WorkflowType:              &bindings.WorkflowType{Name: c.WorkflowType},
		Input:                     c.Input,
		TaskQueueName:             c.TaskQueue,
		WorkflowRunTimeout:        c.RunTimeout,
		WorkflowTaskTimeout:       c.TaskTimeout,
		BackoffStartInterval:      c.Backoff,
		InitialVersioningBehavior: c.Versioning,
	}
	if len(c.Headers) > 0 {
		e.Header = &commonpb.Header{Fields: c.Headers}
	}
	e.Header = d.trace.task.Header(e.Header)
	if e.TaskQueueName == "" {
		e.TaskQueueName = i.TaskQueueName
	}
	if e.WorkflowRunTimeout == 0 {
		e.WorkflowRunTimeout = i.WorkflowRunTimeout
	}
	if e.WorkflowTaskTimeout == 0 {
		e.WorkflowTaskTimeout = i.WorkflowTaskTimeout
	}
	d.env.Complete(nil, e)
	return nil
}

// ends keeps the run's end, once, for the task's own end: what its code does behind it counts
// still.
func (d *definition) ends(c outgoing) error {
	if !d.completed {
		d.trace.end = c
	}
	switch {
	case d.completed:
	case d.keeps(ruleEndLast):
		d.end = c
	default:
		d.outbox = append(d.outbox, c)
	}
	d.completed = true
	return nil
}

// put adds to the outbox.
func (d *definition) put(c outgoing) {
	if !d.completed || d.keeps(ruleEndLast) {
		d.outbox = append(d.outbox, c)
	}
}
