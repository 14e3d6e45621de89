package tracing

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Attributes of spans. Those of executions are as Temporal's own interceptors name them.
const (
	Project    = "project_id"
	Replica    = "replica"
	LSN        = "db.postgresql.commit_lsn"
	Hints      = "hints" // that one pass answers
	Action     = "action"
	Cause      = "cause"
	Kind       = "kind" // of a row
	Name       = "name"
	Version    = "version"
	WorkflowID = "temporalWorkflowID"
	RunID      = "temporalRunID"
	ActivityID = "temporalActivityID"
	Attempt    = "temporalAttempt"
	Outcome    = "outcome"
)

// Tracer makes spans. A nil one makes none.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	sampler  sdktrace.Sampler
}

// scope names the one who makes the spans.
const scope = "workflow-worker"

func newTracer(sampler sdktrace.Sampler, options ...sdktrace.TracerProviderOption) *Tracer {
	p := sdktrace.NewTracerProvider(append(options, sdktrace.WithSampler(sampler), sdktrace.WithIDGenerator(ids{}))...)
	return &Tracer{p, p.Tracer(scope), sampler}
}

// Root begins a trace.
func (t *Tracer) Root(ctx context.Context, name string, at time.Time) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	return start(ctx, t.tracer, name, trace.WithNewRoot(), trace.WithTimestamp(at))
}

// Child begins a span under that of ctx; where there is none, or one that nobody records, it does
// nothing.
func Child(ctx context.Context, name string) (context.Context, Span) {
	return ChildSince(ctx, name, time.Time{})
}

// ChildSince is Child for what began before.
func ChildSince(ctx context.Context, name string, at time.Time) (context.Context, Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, Span{}
	}
	if at.IsZero() {
		at = time.Now()
	}
	return start(ctx, parent.TracerProvider().Tracer(scope), name, trace.WithTimestamp(at))
}

func start(ctx context.Context, t trace.Tracer, name string, o ...trace.SpanStartOption) (context.Context, Span) {
	ctx, s := t.Start(ctx, name, o...)
	return ctx, Span{s}
}

// With gives ctx the trace that another context is in, and nothing else of it.
func With(ctx, other context.Context) context.Context {
	s := trace.SpanFromContext(other)
	if !s.SpanContext().IsValid() {
		return ctx
	}
	return trace.ContextWithSpan(ctx, s)
}

// Span is one span. The zero Span is none.
type Span struct{ span trace.Span }

// On tells whether somebody records it. What costs something to gather isn't gathered for nothing.
func (s Span) On() bool { return s.span != nil && s.span.IsRecording() }

// In gives ctx the span.
func (s Span) In(ctx context.Context) context.Context {
	if s.span == nil {
		return ctx
	}
	return trace.ContextWithSpan(ctx, s.span)
}

// Text adds an attribute. One that is empty is left out.
func (s Span) Text(key, value string) Span {
	if value != "" && s.On() {
		s.span.SetAttributes(attribute.String(key, value))
	}
	return s
}

// Number adds an attribute.
func (s Span) Number(key string, value int) Span {
	if s.On() {
		s.span.SetAttributes(attribute.Int(key, value))
	}
	return s
}

// Position adds a position in PostgreSQL's log, as PostgreSQL writes it; zero is none.
func (s Span) Position(key string, lsn uint64) Span {
	if lsn != 0 && s.On() {
		s.span.SetAttributes(attribute.String(key, fmt.Sprintf("%X/%X", lsn>>32, uint32(lsn)))) //nolint:gosec // its lower half
	}
	return s
}

// Fail says that what the span is of failed. why is a word or two: the messages of failures may say
// what nobody but the database, or Temporal, is to know.
func (s Span) Fail(why string) {
	if s.On() {
		s.span.SetStatus(codes.Error, why)
	}
}

// FailIf is Fail for an error, if it is one.
func (s Span) FailIf(err error, why string) {
	if err != nil {
		s.Fail(why)
	}
}

// End ends the span. What comes after is lost.
func (s Span) End() {
	if s.span != nil {
		s.span.End()
	}
}

// EndAt ends it at a moment that has passed.
func (s Span) EndAt(at time.Time) {
	if s.span != nil {
		s.span.End(trace.WithTimestamp(at))
	}
}

// propagator is W3C's traceparent and tracestate. Baggage isn't handed on: it is somebody's data, and
// would go to whomever an activity fetches from.
var propagator = propagation.TraceContext{}
