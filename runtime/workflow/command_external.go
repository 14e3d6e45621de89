package workflow

import (
	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"

	"workflow-worker/runtime/workflow/protocol"
)

// signalExternal signals another workflow, or a child.
type signalExternal protocol.SignalExternal

func (c *signalExternal) accept(d *definition) error {
	put(&d.signals, c.Seq, true)
	d.put(c)
	return nil
}

func (c *signalExternal) send(d *definition) error {
	if c.Child {
		c.Namespace = d.env.WorkflowInfo().Namespace
	}
	d.env.SignalExternalWorkflow(c.Namespace, c.WorkflowID, c.RunID, c.Name, c.Input, nil, d.trace.task.Header(c.Header), c.Child, c.Groups,
		func(_ *commonpb.Payloads, err error) {
			j := protocol.ResolveExternal{Seq: c.Seq, Signal: true}
			if err != nil {
				j.Failure = protocol.ExternalFailure("signal", err)
			}
			d.resolveSignal(j)
		})
	return nil
}

func (d *definition) resolveSignal(j protocol.ResolveExternal) {
	if d.signals[j.Seq] {
		delete(d.signals, j.Seq)
		d.push(j)
	}
}

// cancelSignal takes a signal back that was not sent yet; one that was is on its way.
type cancelSignal protocol.CancelSignal

func (c cancelSignal) accept(d *definition) error {
	if take(d, func(s *signalExternal) bool { return s.Seq == c.Seq }) {
		f := protocol.Cancellation(nil)
		f.Message = "Signal was cancelled before being sent"
		d.resolveSignal(protocol.ResolveExternal{Seq: c.Seq, Signal: true, Failure: f})
	}
	return nil
}

// cancelExternal asks another workflow to cancel itself.
type cancelExternal protocol.CancelExternal

func (c cancelExternal) accept(d *definition) error {
	d.put(c)
	return nil
}

func (c cancelExternal) send(d *definition) error {
	d.env.RequestCancelExternalWorkflow(c.Namespace, c.WorkflowID, c.RunID, c.Groups, func(_ *commonpb.Payloads, err error) {
		var f *failurepb.Failure
		if err != nil {
			f = protocol.ExternalFailure("cancel", err)
		}
		d.push(protocol.ResolveExternal{Seq: c.Seq, Failure: f})
	})
	return nil
}
