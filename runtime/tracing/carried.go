package tracing

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Carried is the span that ctx is in, for another process that goes on with it; nil for none.
func Carried(ctx context.Context) map[string]string {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return nil
	}
	carrier := propagation.MapCarrier{}
	propagator.Inject(ctx, carrier)
	return carrier
}

// CarriedNames are the names that Carried gives.
func CarriedNames() []string { return propagator.Fields() }

// Under gives ctx a span that another process carried over.
func (t *Tracer) Under(ctx context.Context, carried map[string]string) context.Context {
	if t == nil || len(carried) == 0 {
		return ctx
	}
	ctx = propagator.Extract(ctx, propagation.MapCarrier(carried))
	s := trace.SpanFromContext(ctx)
	if !s.SpanContext().IsSampled() {
		return ctx
	}
	return trace.ContextWithSpan(ctx, elsewhere{s, t.provider})
}

// elsewhere is a span that another process records. Here spans begin under it.
type elsewhere struct {
	trace.Span
	provider trace.TracerProvider
}

// IsRecording implements trace.Span: somebody does.
func (elsewhere) IsRecording() bool { return true }

// TracerProvider implements trace.Span: what begins under it is recorded here.
func (s elsewhere) TracerProvider() trace.TracerProvider { return s.provider }
