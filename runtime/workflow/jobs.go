package workflow

import (
	"slices"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
)

// job is one of the protocol's activation jobs.
type job interface {
	// variant is the protocol's name of it.
	variant() string
	// fill sets its fields.
	fill(b *builder, d *definition)
}

type (
	signalJob struct {
		name   string
		input  *commonpb.Payloads
		header *commonpb.Header
	}
	updateJob struct {
		name, id string
		input    *commonpb.Payloads
		header   *commonpb.Header
	}
	cancelJob    struct{}
	fireTimerJob struct{ seq int64 }
	// resolution is what an activity or a child came to: a result, or a failure that may be a
	// cancellation.
	resolution struct {
		result    *commonpb.Payloads
		failure   *failurepb.Failure
		cancelled bool
		// backoff is a local activity's alone: it is to be tried again, after a timer.
		backoff *backoff
	}
	resolveActivityJob struct {
		seq int64
		resolution
	}
	resolveChildJob struct {
		seq int64
		resolution
	}
	resolveChildStartJob struct {
		seq                      int64
		runID                    string             // started
		workflowID, workflowType string             // already started
		cancelled                *failurepb.Failure // before it started
	}
	// resolveExternalJob answers a signal or a cancellation of another workflow.
	resolveExternalJob struct {
		seq     int64
		signal  bool
		failure *failurepb.Failure
	}
)

func (signalJob) variant() string            { return "signalWorkflow" }
func (updateJob) variant() string            { return "doUpdate" }
func (cancelJob) variant() string            { return "cancelWorkflow" }
func (fireTimerJob) variant() string         { return "fireTimer" }
func (resolveActivityJob) variant() string   { return "resolveActivity" }
func (resolveChildJob) variant() string      { return "resolveChildWorkflowExecution" }
func (resolveChildStartJob) variant() string { return "resolveChildWorkflowExecutionStart" }
func (j resolveExternalJob) variant() string {
	if j.signal {
		return "resolveSignalExternalWorkflow"
	}
	return "resolveRequestCancelExternalWorkflow"
}

// sorted puts signals and updates first, as Temporal's core does: a handler sees its message before
// the main function goes on. Otherwise history's order stays.
func sorted(jobs []job) []job {
	rank := func(j job) int {
		switch j.(type) {
		case signalJob, updateJob:
			return 0
		}
		return 1
	}
	slices.SortStableFunc(jobs, func(a, b job) int { return rank(a) - rank(b) })
	return jobs
}

// job makes the protocol's object.
func (v *vm) job(j job, d *definition) (goja.Value, error) {
	r := v.box.Runtime
	b := builder{v: v, o: r.NewObject()}
	j.fill(&b, d)
	o := builder{v: v, o: r.NewObject(), err: b.err}
	o.set("variant", j.variant())
	o.value(j.variant(), b.o)
	return o.o, o.err
}

func (j signalJob) fill(b *builder, _ *definition) {
	b.set("signalName", j.name)
	b.list("input", j.input)
	b.header(j.header)
}

func (j updateJob) fill(b *builder, d *definition) {
	b.set("id", j.id)
	b.set("protocolInstanceId", j.id)
	b.set("name", j.name)
	b.list("input", j.input)
	b.header(j.header)
	// Not decided when the update arrives: the SDK says then whether the event before it was
	// replayed.
	b.set("runValidator", !d.replaying)
}

func (cancelJob) fill(*builder, *definition) {}

func (j fireTimerJob) fill(b *builder, _ *definition) { b.set("seq", j.seq) }

func (j resolveActivityJob) fill(b *builder, _ *definition) {
	b.set("seq", j.seq)
	b.resolution("result", j.resolution)
}

func (j resolveChildJob) fill(b *builder, _ *definition) {
	b.set("seq", j.seq)
	b.resolution("result", j.resolution)
}

func (j resolveChildStartJob) fill(b *builder, _ *definition) {
	b.set("seq", j.seq)
	switch {
	case j.cancelled != nil:
		in := builder{v: b.v, o: b.v.box.Runtime.NewObject()}
		in.failure("failure", j.cancelled)
		b.check(in.err)
		b.value("cancelled", in.o)
	case j.runID != "":
		b.plain("succeeded", property{"runId", j.runID})
	default:
		b.plain("failed", property{"cause", 1}, property{"workflowId", j.workflowID}, property{"workflowType", j.workflowType})
	}
}

func (j resolveExternalJob) fill(b *builder, _ *definition) {
	b.set("seq", j.seq)
	if j.failure != nil {
		b.failure("failure", j.failure)
	}
}

// resolution makes the protocol's {completed: …}, {failed: …} or {cancelled: …}.
func (b *builder) resolution(name string, r resolution) {
	in := builder{v: b.v, o: b.v.box.Runtime.NewObject()}
	key := "completed"
	switch {
	case r.backoff != nil:
		key = "backoff"
		in.set("attempt", r.backoff.attempt)
		in.set("originalScheduleTime", r.backoff.first.UnixMilli()) // it only comes back with the next attempt
		in.plain("backoffDuration", property{"nanos", r.backoff.pause.Nanoseconds()})
	case r.failure != nil && r.cancelled:
		key = "cancelled"
		in.failure("failure", r.failure)
	case r.failure != nil:
		key = "failed"
		in.failure("failure", r.failure)
	case len(r.result.GetPayloads()) > 0:
		in.payload("result", r.result.GetPayloads()[0])
	}
	out := builder{v: b.v, o: b.v.box.Runtime.NewObject(), err: in.err}
	out.value(key, in.o)
	b.check(out.err)
	b.value(name, out.o)
}

// list sets an array of payloads, of nothing too.
func (b *builder) list(name string, ps *commonpb.Payloads) {
	value, err := b.v.payloads(ps)
	b.check(err)
	b.value(name, value)
}

func (b *builder) header(h *commonpb.Header) {
	if len(h.GetFields()) == 0 {
		return
	}
	value, err := b.v.payloadMap(h.GetFields(), false)
	b.check(err)
	b.value("headers", value)
}
