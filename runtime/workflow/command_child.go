package workflow

import (
	"errors"
	"fmt"

	"workflow-worker/runtime/workflow/wire"

	commonpb "go.temporal.io/api/common/v1"

	enumspb "go.temporal.io/api/enums/v1"

	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/converter"

	bindings "go.temporal.io/sdk/internalbindings"
	"go.temporal.io/sdk/temporal"
)

// The protocol's ChildWorkflowCancellationType.
const (
	childAbandon       = 0
	childTryCancel     = 1
	childWaitCompleted = 2
	childWaitRequested = 3
)

// childState is a child workflow that the execution waits for.
type childState struct {
	command *startChild
	sent    bool
	runID   string // once it has started
	// cancelAtStart is a cancellation that must wait until the server knows the child.
	cancelAtStart bool
}

type startChild struct {
	seq          int64
	params       bindings.ExecuteWorkflowParams
	cancellation int64
}

func readStartChild(v *vm, f fields, meta metadata) (command, error) {
	c := &startChild{seq: f.integer("seq"), cancellation: f.integer("cancellationType")}
	p := &c.params
	p.WorkflowType = &bindings.WorkflowType{Name: f.text("workflowType")}
	p.WorkflowID = f.text("workflowId")
	p.Namespace = f.text("namespace")
	p.TaskQueueName = f.text("taskQueue")
	p.WorkflowExecutionTimeout = f.duration("workflowExecutionTimeout")
	p.WorkflowRunTimeout = f.duration("workflowRunTimeout")
	p.WorkflowTaskTimeout = f.duration("workflowTaskTimeout")
	p.RetryPolicy = f.retryPolicy(v.box.Runtime, "retryPolicy")
	p.Priority = f.priority("priority")
	p.WorkflowIDReusePolicy = enumspb.WorkflowIdReusePolicy(f.integer("workflowIdReusePolicy"))
	p.ParentClosePolicy = enumspb.ParentClosePolicy(f.integer("parentClosePolicy"))
	p.CronSchedule = f.text("cronSchedule")
	p.StaticSummary, p.StaticDetails = meta.summary, meta.details
	p.WaitForCancellation = c.cancellation == childWaitCompleted
	memo, err := v.readPayloadMap(f.value("memo"))
	if err != nil {
		return nil, err
	}
	p.Memo = rawValues(memo)
	attributes, err := v.readPayloadMap(f.object("searchAttributes").value("indexedFields"))
	if err != nil {
		return nil, err
	}
	p.SearchAttributes = asAny(attributes)
	headers, err := v.readHeader(f)
	if err != nil {
		return nil, err
	}
	if len(headers) > 0 {
		p.Header = &commonpb.Header{Fields: headers}
	}
	p.Input, err = v.readPayloads(f.value("input"))
	return c, err
}

// rawValues keeps payloads as they are through a data converter.
func rawValues(m map[string]*commonpb.Payload) map[string]any {
	if m == nil {
		return nil
	}
	out := make(map[string]any, len(m))
	for k, p := range m {
		out[k] = converter.NewRawValue(p)
	}
	return out
}

func asAny(m map[string]*commonpb.Payload) map[string]any {
	if m == nil {
		return nil
	}
	out := make(map[string]any, len(m))
	for k, p := range m {
		out[k] = p
	}
	return out
}

func (c *startChild) accept(d *definition) error {
	if c.params.WorkflowID == "" && d.keeps(ruleEmpties) {
		return emptyID(fmt.Sprintf("BadStartChildExecutionAttributes: Required field WorkflowId is not set on StartChildWorkflowExecutionCommand. "+
			"WorkflowType=%s Namespace=%s", c.params.WorkflowType.Name, c.params.Namespace))
	}
	d.children[c.seq] = &childState{command: c}
	d.put(c)
	return nil
}

func (c *startChild) send(d *definition) error {
	s := d.children[c.seq]
	s.sent = true
	var failed error // told for the result, of a child that was not started
	d.env.ExecuteChildWorkflow(c.params, func(result *commonpb.Payloads, err error) {
		switch {
		case d.children[c.seq] != s: // resolved when it was cancelled
		case s.runID == "":
			failed = err // the start's callback follows, if the failure came from the server
		default:
			r := resolution{result: result}
			if err != nil {
				r.failure, r.cancelled = childFailure(d.env.GetFailureConverter(), err)
			}
			d.resolveChild(c.seq, r)
		}
	}, func(started bindings.WorkflowExecution, err error) {
		switch {
		case d.children[c.seq] != s:
		case err != nil:
			d.childNotStarted(c, err)
		default:
			s.runID = started.RunID
			d.push(resolveChildStartJob{seq: c.seq, runID: started.RunID})
			if s.cancelAtStart {
				d.put(requestCancelChild{c})
			}
		}
	})
	if failed != nil && d.children[c.seq] == s {
		return fmt.Errorf("start child workflow %q: %w", c.params.WorkflowID, failed)
	}
	return nil
}

func (d *definition) childNotStarted(c *startChild, err error) {
	delete(d.children, c.seq)
	var exists *temporal.ChildWorkflowExecutionAlreadyStartedError
	if errors.As(err, &exists) {
		d.push(resolveChildStartJob{seq: c.seq, workflowID: c.params.WorkflowID, workflowType: c.params.WorkflowType.Name})
		return
	}
	// The package knows no other cause either, and fails the task.
	d.refused = &wire.TaskFailure{
		Reason: wire.ReasonException, Message: fmt.Sprintf("child workflow %q could not be started: %v", c.params.WorkflowID, err),
	}
}

func (d *definition) resolveChild(seq int64, r resolution) {
	delete(d.children, seq)
	d.push(resolveChildJob{seq, r})
}

type cancelChild struct{ seq int64 }

func readCancelChild(_ *vm, f fields, _ metadata) (command, error) {
	return cancelChild{f.integer("childWorkflowSeq")}, nil
}

func (c cancelChild) accept(d *definition) error {
	s := d.children[c.seq]
	if s == nil {
		return nil
	}
	start := s.command
	if !s.sent {
		take(d, func(x *startChild) bool { return x == start })
		delete(d.children, c.seq)
		d.push(resolveChildStartJob{seq: c.seq, cancelled: start.cancelled("", "Child Workflow Execution cancelled before scheduled: ")})
		return nil
	}
	switch {
	case start.cancellation == childAbandon:
	case start.cancellation == childWaitRequested && s.runID == "":
		s.cancelAtStart = true // what confirms it can't be sent to a child that the server doesn't know
	default:
		d.put(requestCancelChild{start})
	}
	if start.cancellation == childAbandon || start.cancellation == childTryCancel {
		d.cancelledChild(s, c.seq)
	}
	return nil
}

// cancelledChild resolves a child at once. One that was not confirmed to have started resolves its
// start with it.
func (d *definition) cancelledChild(s *childState, seq int64) {
	f := s.command.cancelled(s.runID, "Child Workflow execution cancelled")
	if s.runID == "" {
		delete(d.children, seq)
		d.push(resolveChildStartJob{seq: seq, cancelled: f})
		return
	}
	d.resolveChild(seq, resolution{failure: f, cancelled: true})
}

type requestCancelChild struct{ child *startChild }

func (c requestCancelChild) send(d *definition) error {
	p := c.child.params
	if c.child.cancellation != childWaitRequested {
		d.env.RequestCancelChildWorkflow(p.Namespace, p.WorkflowID)
		return nil
	}
	// It settles when the server has passed the request on, as the cancellation type is documented;
	// Temporal's own worker for TypeScript lets it wait for the child's end, like
	// WAIT_CANCELLATION_COMPLETED. Code that asks for it wants to go on. Only the request for
	// workflows of others tells when that is.
	d.env.RequestCancelExternalWorkflow(p.Namespace, p.WorkflowID, "", func(_ *commonpb.Payloads, err error) {
		if s := d.children[c.child.seq]; s != nil && err == nil {
			d.cancelledChild(s, c.child.seq)
		}
	})
	return nil
}

func (c *startChild) cancelled(runID, message string) *failurepb.Failure {
	return &failurepb.Failure{
		Message: message,
		Cause:   cancellation(nil),
		FailureInfo: &failurepb.Failure_ChildWorkflowExecutionFailureInfo{
			ChildWorkflowExecutionFailureInfo: &failurepb.ChildWorkflowExecutionFailureInfo{
				Namespace:         c.params.Namespace,
				WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: c.params.WorkflowID, RunId: runID},
				WorkflowType:      &commonpb.WorkflowType{Name: c.params.WorkflowType.Name},
				RetryState:        enumspb.RETRY_STATE_NON_RETRYABLE_FAILURE,
			},
		},
	}
}
