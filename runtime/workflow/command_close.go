package workflow

import (
	"time"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	bindings "go.temporal.io/sdk/internalbindings"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// The ends of a run. The first one counts.

type complete struct{ result *commonpb.Payload }

func readComplete(v *vm, f fields, _ metadata) (command, error) {
	p, err := v.readPayload(f.value("result"))
	return complete{p}, err
}

func (c complete) accept(d *definition) error { return d.ends(c) }

func (c complete) send(d *definition) error {
	var result *commonpb.Payloads
	if c.result != nil {
		result = &commonpb.Payloads{Payloads: []*commonpb.Payload{c.result}}
	}
	d.env.Complete(result, nil)
	return nil
}

type fail struct{ failure *failurepb.Failure }

func readFail(v *vm, f fields, _ metadata) (command, error) {
	p, err := v.readFailure(f.value("failure"))
	return fail{p}, err
}

func (c fail) accept(d *definition) error { return d.ends(c) }

func (c fail) send(d *definition) error {
	d.env.Complete(nil, toError(d.env.GetFailureConverter(), c.failure))
	return nil
}

type cancelled struct{}

func readCancelled(*vm, fields, metadata) (command, error) { return cancelled{}, nil }

func (c cancelled) accept(d *definition) error { return d.ends(c) }

func (cancelled) send(d *definition) error {
	d.env.Complete(nil, temporal.NewCanceledError())
	return nil
}

type continueAsNew struct {
	workflowType, taskQueue          string
	input                            *commonpb.Payloads
	headers                          map[string]*commonpb.Payload
	memo, attributes                 map[string]*commonpb.Payload
	runTimeout, taskTimeout, backoff time.Duration
	versioning                       workflow.ContinueAsNewVersioningBehavior
}

func readContinueAsNew(v *vm, f fields, _ metadata) (command, error) {
	c := continueAsNew{
		workflowType: f.text("workflowType"), taskQueue: f.text("taskQueue"),
		runTimeout: f.duration("workflowRunTimeout"), taskTimeout: f.duration("workflowTaskTimeout"),
		backoff:    f.duration("backoffStartInterval"),
		versioning: workflow.ContinueAsNewVersioningBehavior(f.integer("initialVersioningBehavior")),
	}
	var err error
	if c.headers, err = v.readHeader(f); err != nil {
		return nil, err
	}
	if c.memo, err = v.readPayloadMap(f.value("memo")); err != nil {
		return nil, err
	}
	if c.attributes, err = v.readPayloadMap(f.object("searchAttributes").value("indexedFields")); err != nil {
		return nil, err
	}
	c.input, err = v.readPayloads(f.value("arguments"))
	return c, err
}

func (c continueAsNew) accept(d *definition) error { return d.ends(c) }

// send keeps what isn't given, as Temporal does for TypeScript: an empty memo is none given. The
// SDK takes memo and search attributes from the info, which has what the run upserted. On purpose
// the next run gets both as they are by then, as workflows of Go's SDK do. Temporal's own worker
// for TypeScript does so with search attributes alone: a memo goes back to what the run was started
// with, and what was upserted is lost without a word.
func (c continueAsNew) send(d *definition) error {
	i := d.env.WorkflowInfo()
	if len(c.memo) > 0 {
		i.Memo = &commonpb.Memo{Fields: c.memo}
	}
	if c.attributes != nil {
		//nolint:staticcheck // the SDK reads them from here alone
		i.SearchAttributes = &commonpb.SearchAttributes{IndexedFields: c.attributes}
	}
	e := &bindings.ContinueAsNewError{
		WorkflowType:              &bindings.WorkflowType{Name: c.workflowType},
		Input:                     c.input,
		TaskQueueName:             c.taskQueue,
		WorkflowRunTimeout:        c.runTimeout,
		WorkflowTaskTimeout:       c.taskTimeout,
		BackoffStartInterval:      c.backoff,
		InitialVersioningBehavior: c.versioning,
	}
	if len(c.headers) > 0 {
		e.Header = &commonpb.Header{Fields: c.headers}
	}
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
