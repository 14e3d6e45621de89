package tracing

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"strings"
	"time"

	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	commonpb "go.temporal.io/api/common/v1"
)

// Header is where Temporal's SDKs hand traces on, in the headers of what they send.
const Header = "_tracer-data"

// Execution is the span of an execution of a workflow. Its ids follow from the run's: whichever
// replica runs a task knows the span that the task belongs to, and who runs the last one sends it.
type Execution struct {
	tracer       *Tracer
	parent       trace.SpanContext // invalid: it begins a trace
	own          trace.SpanContext
	workflow     string
	id, run, prj string
}

// Execution gives that of a run, whose first event has the header.
func (t *Tracer) Execution(projectID, workflowType, id, runID string, head *commonpb.Header) Execution {
	if t == nil {
		return Execution{}
	}
	x := Execution{tracer: t, parent: fromHeader(head.GetFields()), workflow: workflowType, id: id, run: runID, prj: projectID}
	digest := sha256.Sum256([]byte("workflow-worker execution " + runID))
	own := trace.SpanContextConfig{TraceID: x.parent.TraceID(), SpanID: trace.SpanID(digest[:8]), TraceState: x.parent.TraceState(), Remote: true}
	ctx := context.Background()
	if x.parent.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, x.parent)
	} else {
		own.TraceID = trace.TraceID(digest[8:24])
	}
	// The same answer as when the span is made, in the end.
	verdict := t.sampler.ShouldSample(sdktrace.SamplingParameters{ParentContext: ctx, TraceID: own.TraceID, Name: x.name(), Kind: trace.SpanKindServer})
	own.TraceFlags = x.parent.TraceFlags().WithSampled(verdict.Decision == sdktrace.RecordAndSample)
	x.own = trace.NewSpanContext(own)
	return x
}

func (x Execution) name() string { return "RunWorkflow:" + x.workflow }

// Task begins the span of a workflow task.
func (x Execution) Task() Span {
	if x.tracer == nil {
		return Span{}
	}
	ctx := trace.ContextWithRemoteSpanContext(context.Background(), x.own)
	_, s := start(ctx, x.tracer.tracer, "RunWorkflowTask:"+x.workflow, trace.WithSpanKind(trace.SpanKindServer))
	return x.describe(s)
}

func (x Execution) describe(s Span) Span {
	return s.Text(Project, x.prj).Text(WorkflowID, x.id).Text(RunID, x.run)
}

// Ended sends the execution's own span: it ended now. failed is the type of its failure, "" for
// none.
func (x Execution) Ended(began time.Time, outcome string, failed bool) {
	if x.tracer == nil {
		return
	}
	ctx := context.WithValue(context.Background(), idsKey{}, x.own)
	if x.parent.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, x.parent)
	}
	_, s := start(ctx, x.tracer.tracer, x.name(), trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(began))
	x.describe(s).Text(Outcome, outcome)
	if failed {
		s.Fail(outcome)
	}
	s.End()
}

// Activity begins the span of an activity's attempt, under the task that scheduled it.
func (t *Tracer) Activity(ctx context.Context, name string, head map[string]*commonpb.Payload) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	if parent := fromHeader(head); parent.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, parent)
	}
	return start(ctx, t.tracer, "RunActivity:"+name, trace.WithSpanKind(trace.SpanKindServer))
}

// Link notes that what has the header had a part in the span: a signal, an update.
func (s Span) Link(head *commonpb.Header) {
	if !s.On() {
		return
	}
	if from := fromHeader(head.GetFields()); from.IsValid() {
		s.span.AddLink(trace.Link{SpanContext: from})
	}
}

// Header gives a header that hands the span on: a copy, unless there is nothing to hand on. A trace
// that the header has stays.
func (s Span) Header(head *commonpb.Header) *commonpb.Header {
	if s.span == nil || !s.span.SpanContext().IsValid() || head.GetFields()[Header] != nil {
		return head
	}
	out := &commonpb.Header{Fields: make(map[string]*commonpb.Payload, len(head.GetFields())+1)}
	maps.Copy(out.Fields, head.GetFields())
	s.Into(out.Fields)
	return out
}

// Into puts the span into a header's fields, unless they have one.
func (s Span) Into(fields map[string]*commonpb.Payload) {
	if s.span == nil || !s.span.SpanContext().IsValid() || fields[Header] != nil {
		return
	}
	carrier := propagation.MapCarrier{}
	propagator.Inject(trace.ContextWithSpan(context.Background(), s.span), carrier)
	data, err := json.Marshal(carrier)
	if err != nil { // strings never fail
		return
	}
	fields[Header] = &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: data}
}

// Nexus gives the header of a Nexus operation, which is HTTP's, as Temporal's own interceptors write
// it: a copy, unless there is nothing to hand on. A traceparent that it has stays.
func (s Span) Nexus(head map[string]string) map[string]string {
	if s.span == nil || !s.span.SpanContext().IsValid() {
		return head
	}
	for name := range head {
		if strings.EqualFold(name, parentHeader) {
			return head
		}
	}
	out := make(map[string]string, len(head)+2) // traceparent and tracestate
	maps.Copy(out, head)
	propagator.Inject(trace.ContextWithSpan(context.Background(), s.span), propagation.MapCarrier(out))
	return out
}

// fromHeader reads what a client's, or our own, interceptor wrote; invalid if it is nothing of that
// kind.
func fromHeader(fields map[string]*commonpb.Payload) trace.SpanContext {
	p := fields[Header]
	if p == nil {
		return trace.SpanContext{}
	}
	var carrier propagation.MapCarrier
	if json.Unmarshal(p.GetData(), &carrier) != nil {
		return trace.SpanContext{}
	}
	return trace.SpanContextFromContext(propagator.Extract(context.Background(), carrier))
}

type idsKey struct{}

// ids makes ids, by chance unless the context has them. Nothing that workflow code sees comes of
// it.
type ids struct{}

// NewIDs implements sdktrace.IDGenerator.
func (ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if own, ok := ctx.Value(idsKey{}).(trace.SpanContext); ok {
		return own.TraceID(), own.SpanID()
	}
	var id trace.TraceID
	binary.BigEndian.PutUint64(id[:8], rand.Uint64())
	binary.BigEndian.PutUint64(id[8:], rand.Uint64()|1) // all zero would be none
	return id, newSpanID()
}

// NewSpanID implements sdktrace.IDGenerator.
func (ids) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	if own, ok := ctx.Value(idsKey{}).(trace.SpanContext); ok {
		return own.SpanID()
	}
	return newSpanID()
}

func newSpanID() (id trace.SpanID) {
	binary.BigEndian.PutUint64(id[:], rand.Uint64()|1)
	return id
}
