package workflow

import (
	"errors"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	bindings "go.temporal.io/sdk/internalbindings"
	"go.temporal.io/sdk/temporal"

	"workflow-worker/runtime/workflow/protocol"
)

// nexusState is a Nexus operation that the execution waits for.
type nexusState struct {
	command *scheduleNexus
	id      int64 // the SDK's
	sent    bool
	started bool
	token   string // of an operation that runs on after its start
}

type scheduleNexus protocol.ScheduleNexus

func (c *scheduleNexus) accept(d *definition) error {
	put(&d.nexus, c.Seq, &nexusState{command: c})
	d.put(c)
	return nil
}

func (c *scheduleNexus) send(d *definition) error {
	n := d.nexus[c.Seq]
	n.sent = true
	params := bindings.NewExecuteNexusOperationParams(bindings.NewNexusClient(c.Endpoint, c.Service), c.Operation, c.Input, c.Options, d.trace.task.Nexus(c.Header))
	// An operation that ends at its start calls back twice: started without a token, and completed.
	n.id = d.env.ExecuteNexusOperation(params, func(result *commonpb.Payload, err error) {
		if d.nexus[c.Seq] != n {
			return // resolved when it was cancelled, or as it started
		}
		j := protocol.ResolveNexus{Seq: c.Seq, Result: result}
		if err != nil {
			j.Failure = n.failure(d, err)
		}
		d.resolveNexus(j)
	}, func(token string, err error) {
		if d.nexus[c.Seq] != n {
			return
		}
		j := protocol.ResolveNexusStart{Seq: c.Seq, Token: token}
		if err != nil {
			j.Failure = n.failure(d, err)
			delete(d.nexus, c.Seq)
		}
		n.started, n.token = err == nil, token
		d.push(j)
	})
	return nil
}

func (d *definition) resolveNexus(j protocol.ResolveNexus) {
	delete(d.nexus, j.Seq)
	d.push(j)
}

// failure is what the protocol wants for an operation that didn't complete: the event's own, or one
// around what the SDK says of a request for cancellation.
func (n *nexusState) failure(d *definition, err error) *failurepb.Failure {
	f := d.env.GetFailureConverter().ErrorToFailure(err)
	var canceled *temporal.CanceledError
	switch {
	case f.GetNexusOperationExecutionFailureInfo() != nil:
		return f
	case errors.As(err, &canceled):
		return n.wrapped("Nexus operation cancellation request completed", protocol.Cancellation(nil))
	}
	return n.wrapped("Nexus operation cancellation request failed", f)
}

func (n *nexusState) wrapped(message string, cause *failurepb.Failure) *failurepb.Failure {
	return &failurepb.Failure{
		Message: message, Cause: cause,
		FailureInfo: &failurepb.Failure_NexusOperationExecutionFailureInfo{NexusOperationExecutionFailureInfo: &failurepb.NexusOperationFailureInfo{
			Endpoint: n.command.Endpoint, Service: n.command.Service, Operation: n.command.Operation, OperationToken: n.token,
		}},
	}
}

type cancelNexus protocol.CancelNexus

func (c cancelNexus) accept(d *definition) error {
	n := d.nexus[c.Seq]
	if n == nil {
		return nil
	}
	if !n.sent {
		take(d, func(s *scheduleNexus) bool { return s == n.command })
		delete(d.nexus, c.Seq)
		d.push(protocol.ResolveNexusStart{Seq: c.Seq, Failure: n.wrapped("Nexus Operation cancelled before scheduled", protocol.Cancellation(nil))})
		return nil
	}
	if n.command.Cancellation != protocol.NexusAbandon {
		d.put(requestCancelNexus{n.id})
	}
	if n.command.Cancellation == protocol.NexusAbandon || n.command.Cancellation == protocol.NexusTryCancel {
		d.resolveNexus(protocol.ResolveNexus{Seq: c.Seq, Failure: n.wrapped("Nexus operation cancelled after starting", protocol.Cancellation(nil))})
	}
	return nil
}

type requestCancelNexus struct{ id int64 }

func (c requestCancelNexus) send(d *definition) error {
	d.env.RequestCancelNexusOperation(c.id)
	return nil
}
