package workflow

import (
	"errors"
	"fmt"

	"workflow-worker/runtime/workflow/protocol"
	"workflow-worker/runtime/workflow/wire"

	commonpb "go.temporal.io/api/common/v1"

	enumspb "go.temporal.io/api/enums/v1"

	failurepb "go.temporal.io/api/failure/v1"

	bindings "go.temporal.io/sdk/internalbindings"
	"go.temporal.io/sdk/temporal"
)

// childState is a child workflow that the execution waits for.
type childState struct {
	command *startChild
	sent    bool
	runID   string // once it has started
	// cancelAtStart is a cancellation that must wait until the server knows the child.
	cancelAtStart bool
}

type startChild protocol.StartChild

func (c *startChild) accept(d *definition) error {
	if c.Params.WorkflowID == "" && d.keeps(ruleEmpties) {
		return emptyID(fmt.Sprintf("BadStartChildExecutionAttributes: Required field WorkflowId is not set on StartChildWorkflowExecutionCommand. "+
			"WorkflowType=%s Namespace=%s", c.Params.WorkflowType.Name, c.Params.Namespace))
	}
	put(&d.children, c.Seq, &childState{command: c})
	d.put(c)
	return nil
}

func (c *startChild) send(d *definition) error {
	s := d.children[c.Seq]
	s.sent = true
	c.Params.Header = d.trace.task.Header(c.Params.Header)
	var failed error // told for the result, of a child that was not started
	d.env.ExecuteChildWorkflow(c.Params, func(result *commonpb.Payloads, err error) {
		switch {
		case d.children[c.Seq] != s: // resolved when it was cancelled
		case s.runID == "":
			failed = err // the start's callback follows, if the failure came from the server
		default:
			r := protocol.Resolution{Result: result}
			if err != nil {
				r.Failure, r.Cancelled = protocol.ChildFailure(d.env.GetFailureConverter(), err)
			}
			d.resolveChild(c.Seq, r)
		}
	}, func(started bindings.WorkflowExecution, err error) {
		switch {
		case d.children[c.Seq] != s:
		case err != nil:
			d.childNotStarted(c, err)
		default:
			s.runID = started.RunID
			d.push(protocol.ResolveChildStart{Seq: c.Seq, RunID: started.RunID})
			if s.cancelAtStart {
				d.put(requestCancelChild{c})
			}
		}
	})
	if failed != nil && d.children[c.Seq] == s {
		return fmt.Errorf("start child workflow %q: %w", c.Params.WorkflowID, failed)
	}
	return nil
}

func (d *definition) childNotStarted(c *startChild, err error) {
	delete(d.children, c.Seq)
	var exists *temporal.ChildWorkflowExecutionAlreadyStartedError
	if errors.As(err, &exists) {
		d.push(protocol.ResolveChildStart{Seq: c.Seq, WorkflowID: c.Params.WorkflowID, WorkflowType: c.Params.WorkflowType.Name})
		return
	}
	// The package knows no other cause either, and fails the task.
	d.refused = &wire.TaskFailure{
		Reason: wire.ReasonException, Message: fmt.Sprintf("child workflow %q could not be started: %v", c.Params.WorkflowID, err),
	}
}

func (d *definition) resolveChild(seq int64, r protocol.Resolution) {
	delete(d.children, seq)
	d.push(protocol.ResolveChild{Seq: seq, Resolution: r})
}

type cancelChild protocol.CancelChild

func (c cancelChild) accept(d *definition) error {
	s := d.children[c.Seq]
	if s == nil {
		return nil
	}
	start := s.command
	if !s.sent {
		take(d, func(x *startChild) bool { return x == start })
		delete(d.children, c.Seq)
		d.push(protocol.ResolveChildStart{Seq: c.Seq, Cancelled: start.cancelled("", "Child Workflow Execution cancelled before scheduled: ")})
		return nil
	}
	switch {
	case start.Cancellation == protocol.ChildAbandon:
	case start.Cancellation == protocol.ChildWaitRequested && s.runID == "" && !d.keeps(ruleThere):
		s.cancelAtStart = true // what confirms it can't be sent to a child that the server doesn't know
	default:
		d.put(requestCancelChild{start})
	}
	if start.Cancellation == protocol.ChildAbandon || start.Cancellation == protocol.ChildTryCancel {
		d.cancelledChild(s, c.Seq)
	}
	return nil
}

// cancelledChild resolves a child at once. One that was not confirmed to have started resolves its
// start with it.
func (d *definition) cancelledChild(s *childState, seq int64) {
	f := s.command.cancelled(s.runID, "Child Workflow execution cancelled")
	if s.runID == "" {
		delete(d.children, seq)
		d.push(protocol.ResolveChildStart{Seq: seq, Cancelled: f})
		return
	}
	d.resolveChild(seq, protocol.Resolution{Failure: f, Cancelled: true})
}

type requestCancelChild struct{ child *startChild }

func (c requestCancelChild) send(d *definition) error {
	p := c.child.Params
	if c.child.Cancellation != protocol.ChildWaitRequested || d.keeps(ruleThere) {
		d.env.RequestCancelChildWorkflow(p.Namespace, p.WorkflowID)
		return nil
	}
	// Before the rule it settled when the server had passed the request on, as the cancellation type
	// is documented. Only the request for workflows of others tells when that is.
	d.env.RequestCancelExternalWorkflow(p.Namespace, p.WorkflowID, "", nil, func(_ *commonpb.Payloads, err error) {
		if s := d.children[c.child.Seq]; s != nil && err == nil {
			d.cancelledChild(s, c.child.Seq)
		}
	})
	return nil
}

func (c *startChild) cancelled(runID, message string) *failurepb.Failure {
	return &failurepb.Failure{
		Message: message,
		Cause:   protocol.Cancellation(nil),
		FailureInfo: &failurepb.Failure_ChildWorkflowExecutionFailureInfo{
			ChildWorkflowExecutionFailureInfo: &failurepb.ChildWorkflowExecutionFailureInfo{
				Namespace:         c.Params.Namespace,
				WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: c.Params.WorkflowID, RunId: runID},
				WorkflowType:      &commonpb.WorkflowType{Name: c.Params.WorkflowType.Name},
				RetryState:        enumspb.RETRY_STATE_NON_RETRYABLE_FAILURE,
			},
		},
	}
}
