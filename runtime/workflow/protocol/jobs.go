package protocol

import (
	"slices"
	"time"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
)

// Job is one of the protocol's activation jobs. Those that answer a command have its Seq.
type Job interface {
	// variant is the protocol's name of it.
	variant() string
	// fill sets its fields; replaying is the activation's.
	fill(b *Builder, replaying bool)
}

type (
	// Signal brings a signal.
	Signal struct {
		Name   string
		Input  *commonpb.Payloads
		Header *commonpb.Header
	}
	// Update brings an update.
	Update struct {
		Name, ID string
		Input    *commonpb.Payloads
		Header   *commonpb.Header
	}
	// Query asks; it is the only job of its activation.
	Query struct {
		Name   string
		Input  *commonpb.Payloads
		Header *commonpb.Header
	}
	// Cancel asks the workflow to cancel itself.
	Cancel struct{}
	// FireTimer says that a timer is over.
	FireTimer struct{ Seq int64 }
	// Resolution is what an activity or a child came to: a result, or a failure that may be a
	// cancellation.
	Resolution struct {
		Result    *commonpb.Payloads
		Failure   *failurepb.Failure
		Cancelled bool
		// Backoff is a local activity's alone: it is to be tried again, after a timer.
		Backoff *Backoff
	}
	// Backoff asks the package to wait with a timer and to schedule the next attempt.
	Backoff struct {
		Attempt int32 // the next
		Pause   time.Duration
		First   time.Time // when the first attempt was scheduled
	}
	// ResolveActivity says what an activity, also a local one, came to.
	ResolveActivity struct {
		Seq int64
		Resolution
	}
	// ResolveChild says what a child that has started came to.
	ResolveChild struct {
		Seq int64
		Resolution
	}
	// ResolveChildStart says what the start of a child came to.
	ResolveChildStart struct {
		Seq                      int64
		RunID                    string             // started
		WorkflowID, WorkflowType string             // already started
		Cancelled                *failurepb.Failure // before it started
	}
	// ResolveExternal answers a signal or a cancellation of another workflow.
	ResolveExternal struct {
		Seq     int64
		Signal  bool
		Failure *failurepb.Failure // nil: it was passed on
	}
	// ResolveNexusStart says what the start of a Nexus operation came to.
	ResolveNexusStart struct {
		Seq     int64
		Token   string             // started; "" if it ended at once, and its result follows
		Failure *failurepb.Failure // it never started, or failed at once
	}
	// ResolveNexus says what a Nexus operation came to.
	ResolveNexus struct {
		Seq     int64
		Result  *commonpb.Payload
		Failure *failurepb.Failure // a cancellation and a timeout too
	}
)

func (Signal) variant() string            { return "signalWorkflow" }
func (Update) variant() string            { return "doUpdate" }
func (Query) variant() string             { return "queryWorkflow" }
func (Cancel) variant() string            { return "cancelWorkflow" }
func (FireTimer) variant() string         { return "fireTimer" }
func (ResolveActivity) variant() string   { return "resolveActivity" }
func (ResolveChild) variant() string      { return "resolveChildWorkflowExecution" }
func (ResolveChildStart) variant() string { return "resolveChildWorkflowExecutionStart" }
func (j ResolveExternal) variant() string {
	if j.Signal {
		return "resolveSignalExternalWorkflow"
	}
	return "resolveRequestCancelExternalWorkflow"
}
func (ResolveNexusStart) variant() string { return "resolveNexusOperationStart" }
func (ResolveNexus) variant() string      { return "resolveNexusOperation" }

// Sorted puts signals and updates first, as Temporal's core does: a handler sees its message before
// the main function goes on. Otherwise history's order stays.
func Sorted(jobs []Job) []Job {
	rank := func(j Job) int {
		switch j.(type) {
		case Signal, Update:
			return 0
		}
		return 1
	}
	slices.SortStableFunc(jobs, func(a, b Job) int { return rank(a) - rank(b) })
	return jobs
}

// Job makes the protocol's object.
func (v *Values) Job(j Job, replaying bool) (goja.Value, error) {
	b := v.Build()
	j.fill(&b, replaying)
	o := v.Build()
	o.Set("variant", j.variant())
	o.put(j.variant(), b)
	return o.o, o.err
}

func (j Signal) fill(b *Builder, _ bool) {
	b.Set("signalName", j.Name)
	b.List("input", j.Input)
	b.Header(j.Header)
}

func (j Update) fill(b *Builder, replaying bool) {
	b.Set("id", j.ID)
	b.Set("protocolInstanceId", j.ID)
	b.Set("name", j.Name)
	b.List("input", j.Input)
	b.Header(j.Header)
	// Not decided when the update arrives: the SDK says then whether the event before it was
	// replayed.
	b.Set("runValidator", !replaying)
}

func (j Query) fill(b *Builder, _ bool) {
	b.Set("queryId", "query")
	b.Set("queryType", j.Name)
	b.List("arguments", j.Input)
	b.Header(j.Header)
}

func (Cancel) fill(*Builder, bool) {}

func (j FireTimer) fill(b *Builder, _ bool) { b.Set("seq", j.Seq) }

func (j ResolveActivity) fill(b *Builder, _ bool) {
	b.Set("seq", j.Seq)
	b.resolution("result", j.Resolution)
}

func (j ResolveChild) fill(b *Builder, _ bool) {
	b.Set("seq", j.Seq)
	b.resolution("result", j.Resolution)
}

func (j ResolveChildStart) fill(b *Builder, _ bool) {
	b.Set("seq", j.Seq)
	switch {
	case j.Cancelled != nil:
		in := b.v.Build()
		in.Failure("failure", j.Cancelled)
		b.put("cancelled", in)
	case j.RunID != "":
		b.Plain("succeeded", Property{"runId", j.RunID})
	default:
		b.Plain("failed", Property{"cause", 1}, Property{"workflowId", j.WorkflowID}, Property{"workflowType", j.WorkflowType})
	}
}

func (j ResolveExternal) fill(b *Builder, _ bool) {
	b.Set("seq", j.Seq)
	if j.Failure != nil {
		b.Failure("failure", j.Failure)
	}
}

func (j ResolveNexusStart) fill(b *Builder, _ bool) {
	b.Set("seq", j.Seq)
	switch {
	case j.Failure != nil:
		b.Failure("failed", j.Failure)
	case j.Token != "":
		b.Set("operationToken", j.Token)
	default:
		b.Set("startedSync", true)
	}
}

func (j ResolveNexus) fill(b *Builder, _ bool) {
	b.Set("seq", j.Seq)
	in := b.v.Build()
	switch {
	case j.Failure != nil:
		in.Failure("failed", j.Failure)
	case j.Result == nil:
		in.Value("completed", b.v.nullPayload)
	default:
		in.Payload("completed", j.Result)
	}
	b.put("result", in)
}

// resolution makes the protocol's {completed: …}, {failed: …} or {cancelled: …}.
func (b *Builder) resolution(name string, r Resolution) {
	in := b.v.Build()
	key := "completed"
	switch {
	case r.Backoff != nil:
		key = "backoff"
		in.Set("attempt", r.Backoff.Attempt)
		in.Set("originalScheduleTime", r.Backoff.First.UnixMilli()) // it only comes back with the next attempt
		in.Plain("backoffDuration", Property{"nanos", r.Backoff.Pause.Nanoseconds()})
	case r.Failure != nil && r.Cancelled:
		key = "cancelled"
		in.Failure("failure", r.Failure)
	case r.Failure != nil:
		key = "failed"
		in.Failure("failure", r.Failure)
	case len(r.Result.GetPayloads()) > 0:
		in.Payload("result", r.Result.GetPayloads()[0])
	}
	out := b.v.Build()
	out.put(key, in)
	b.put(name, out)
}
