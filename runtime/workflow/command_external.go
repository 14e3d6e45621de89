package workflow

import (
	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
)

// signalExternal signals another workflow, or a child.
type signalExternal struct {
	seq                          int64
	namespace, workflowID, runID string
	child                        bool
	name                         string
	input                        *commonpb.Payloads
	header                       *commonpb.Header
}

func readSignalExternal(v *vm, f fields, _ metadata) (command, error) {
	c := &signalExternal{seq: f.integer("seq"), name: f.text("signalName")}
	if e := f.object("workflowExecution"); e.o != nil {
		c.namespace, c.workflowID, c.runID = e.text("namespace"), e.text("workflowId"), e.text("runId")
	} else {
		c.workflowID, c.child = f.text("childWorkflowId"), true
	}
	headers, err := v.readHeader(f)
	if err != nil {
		return nil, err
	}
	if len(headers) > 0 {
		c.header = &commonpb.Header{Fields: headers}
	}
	c.input, err = v.readPayloads(f.value("args"))
	return c, err
}

func (c *signalExternal) accept(d *definition) error {
	d.signals[c.seq] = true
	d.put(c)
	return nil
}

func (c *signalExternal) send(d *definition) error {
	if c.child {
		c.namespace = d.env.WorkflowInfo().Namespace
	}
	d.env.SignalExternalWorkflow(c.namespace, c.workflowID, c.runID, c.name, c.input, nil, c.header, c.child,
		func(_ *commonpb.Payloads, err error) {
			j := resolveExternalJob{seq: c.seq, signal: true}
			if err != nil {
				j.failure = externalFailure("signal", err)
			}
			d.resolveSignal(j)
		})
	return nil
}

func (d *definition) resolveSignal(j resolveExternalJob) {
	if d.signals[j.seq] {
		delete(d.signals, j.seq)
		d.push(j)
	}
}

// cancelSignal takes a signal back that was not sent yet; one that was is on its way.
type cancelSignal struct{ seq int64 }

func readCancelSignal(_ *vm, f fields, _ metadata) (command, error) {
	return cancelSignal{f.integer("seq")}, nil
}

func (c cancelSignal) accept(d *definition) error {
	if take(d, func(s *signalExternal) bool { return s.seq == c.seq }) {
		f := cancellation(nil)
		f.Message = "Signal was cancelled before being sent"
		d.resolveSignal(resolveExternalJob{seq: c.seq, signal: true, failure: f})
	}
	return nil
}

// cancelExternal asks another workflow to cancel itself.
type cancelExternal struct {
	seq                          int64
	namespace, workflowID, runID string
}

func readCancelExternal(_ *vm, f fields, _ metadata) (command, error) {
	e := f.object("workflowExecution")
	return cancelExternal{f.integer("seq"), e.text("namespace"), e.text("workflowId"), e.text("runId")}, nil
}

func (c cancelExternal) accept(d *definition) error {
	d.put(c)
	return nil
}

func (c cancelExternal) send(d *definition) error {
	d.env.RequestCancelExternalWorkflow(c.namespace, c.workflowID, c.runID, func(_ *commonpb.Payloads, err error) {
		var f *failurepb.Failure
		if err != nil {
			f = externalFailure("cancel", err)
		}
		d.push(resolveExternalJob{seq: c.seq, failure: f})
	})
	return nil
}
