package workflow

import (
	"errors"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	bindings "go.temporal.io/sdk/internalbindings"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// The protocol's NexusOperationCancellationType; 0 waits for the operation's end.
const (
	nexusAbandon       = 1
	nexusTryCancel     = 2
	nexusWaitRequested = 3
)

// nexusState is a Nexus operation that the execution waits for.
type nexusState struct {
	command *scheduleNexus
	id      int64 // the SDK's
	sent    bool
	started bool
	token   string // of an operation that runs on after its start
}

type scheduleNexus struct {
	seq                          int64
	endpoint, service, operation string
	input                        *commonpb.Payload
	header                       map[string]string
	options                      bindings.NexusOperationOptions
	cancellation                 int64
}

func readScheduleNexus(v *vm, f fields, meta metadata) (command, error) {
	c := &scheduleNexus{
		seq: f.integer("seq"), endpoint: f.text("endpoint"), service: f.text("service"), operation: f.text("operation"),
		cancellation: f.integer("cancellationType"),
		options: bindings.NexusOperationOptions{
			ScheduleToCloseTimeout: f.duration("scheduleToCloseTimeout"),
			ScheduleToStartTimeout: f.duration("scheduleToStartTimeout"),
			StartToCloseTimeout:    f.duration("startToCloseTimeout"),
			// The other types are seen to here: they resolve before the SDK would.
			CancellationType: workflow.NexusOperationCancellationTypeWaitCompleted,
			Summary:          meta.summary,
		},
	}
	if c.cancellation == nexusWaitRequested {
		c.options.CancellationType = workflow.NexusOperationCancellationTypeWaitRequested
	}
	if h := f.object("nexusHeader"); h.o != nil {
		c.header = make(map[string]string)
		for _, k := range h.o.Keys() {
			c.header[k] = h.text(k)
		}
	}
	var err error
	c.input, err = v.readPayload(f.value("input"))
	return c, err
}

func (c *scheduleNexus) accept(d *definition) error {
	d.nexus[c.seq] = &nexusState{command: c}
	d.put(c)
	return nil
}

func (c *scheduleNexus) send(d *definition) error {
	n := d.nexus[c.seq]
	n.sent = true
	params := bindings.NewExecuteNexusOperationParams(bindings.NewNexusClient(c.endpoint, c.service), c.operation, c.input, c.options, c.header)
	// An operation that ends at its start calls back twice: started without a token, and completed.
	n.id = d.env.ExecuteNexusOperation(params, func(result *commonpb.Payload, err error) {
		if d.nexus[c.seq] != n {
			return // resolved when it was cancelled, or as it started
		}
		j := resolveNexusJob{seq: c.seq, result: result}
		if err != nil {
			j.failure = n.failure(d, err)
		}
		d.resolveNexus(j)
	}, func(token string, err error) {
		if d.nexus[c.seq] != n {
			return
		}
		j := resolveNexusStartJob{seq: c.seq, token: token}
		if err != nil {
			j.failure = n.failure(d, err)
			delete(d.nexus, c.seq)
		}
		n.started, n.token = err == nil, token
		d.push(j)
	})
	return nil
}

func (d *definition) resolveNexus(j resolveNexusJob) {
	delete(d.nexus, j.seq)
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
		return n.wrapped("Nexus operation cancellation request completed", cancellation(nil))
	}
	return n.wrapped("Nexus operation cancellation request failed", f)
}

func (n *nexusState) wrapped(message string, cause *failurepb.Failure) *failurepb.Failure {
	return &failurepb.Failure{
		Message: message, Cause: cause,
		FailureInfo: &failurepb.Failure_NexusOperationExecutionFailureInfo{NexusOperationExecutionFailureInfo: &failurepb.NexusOperationFailureInfo{
			Endpoint: n.command.endpoint, Service: n.command.service, Operation: n.command.operation, OperationToken: n.token,
		}},
	}
}

type cancelNexus struct{ seq int64 }

func readCancelNexus(_ *vm, f fields, _ metadata) (command, error) {
	return cancelNexus{f.integer("seq")}, nil
}

func (c cancelNexus) accept(d *definition) error {
	n := d.nexus[c.seq]
	if n == nil {
		return nil
	}
	if !n.sent {
		take(d, func(s *scheduleNexus) bool { return s == n.command })
		delete(d.nexus, c.seq)
		d.push(resolveNexusStartJob{seq: c.seq, failure: n.wrapped("Nexus Operation cancelled before scheduled", cancellation(nil))})
		return nil
	}
	if n.command.cancellation != nexusAbandon {
		d.put(requestCancelNexus{n.id})
	}
	if n.command.cancellation == nexusAbandon || n.command.cancellation == nexusTryCancel {
		d.resolveNexus(resolveNexusJob{seq: c.seq, failure: n.wrapped("Nexus operation cancelled after starting", cancellation(nil))})
	}
	return nil
}

type requestCancelNexus struct{ id int64 }

func (c requestCancelNexus) send(d *definition) error {
	d.env.RequestCancelNexusOperation(c.id)
	return nil
}

type (
	resolveNexusStartJob struct {
		seq     int64
		token   string             // started; "" if it ended at once, and its result follows
		failure *failurepb.Failure // it never started, or failed at once
	}
	resolveNexusJob struct {
		seq     int64
		result  *commonpb.Payload
		failure *failurepb.Failure // a cancellation and a timeout too
	}
)

func (resolveNexusStartJob) variant() string { return "resolveNexusOperationStart" }
func (resolveNexusJob) variant() string      { return "resolveNexusOperation" }

func (j resolveNexusStartJob) fill(b *builder, _ *definition) {
	b.set("seq", j.seq)
	switch {
	case j.failure != nil:
		b.failure("failed", j.failure)
	case j.token != "":
		b.set("operationToken", j.token)
	default:
		b.set("startedSync", true)
	}
}

func (j resolveNexusJob) fill(b *builder, _ *definition) {
	b.set("seq", j.seq)
	in := builder{v: b.v, o: b.v.box.Runtime.NewObject()}
	switch {
	case j.failure != nil:
		in.failure("failed", j.failure)
	case j.result == nil:
		in.value("completed", b.v.sdk.nullPayload)
	default:
		in.payload("completed", j.result)
	}
	b.check(in.err)
	b.value("result", in.o)
}

// long makes the number that the package expects to convert itself.
func (v *vm) long(n int64) goja.Value {
	o := v.box.Runtime.CreateObject(v.sdk.long)
	_ = o.Set("value", n) // a plain property of an ordinary object
	return o
}
