package tracing

import (
	"net/http"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Transport makes a span of each request that is sent within a trace, and hands the trace on to who
// is asked. A traceparent of the request's own stays as it is. A nil Tracer gives next itself.
func (t *Tracer) Transport(next http.RoundTripper) http.RoundTripper {
	if t == nil {
		return next
	}
	return transport{t, next}
}

type transport struct {
	t    *Tracer
	next http.RoundTripper
}

const parentHeader = "Traceparent"

// RoundTrip implements http.RoundTripper. The span ends with the response's head: what comes behind
// it the code reads when it likes.
func (x transport) RoundTrip(q *http.Request) (*http.Response, error) {
	if !trace.SpanContextFromContext(q.Context()).IsValid() {
		return x.next.RoundTrip(q)
	}
	ctx, span := start(q.Context(), x.t.tracer, q.Method, trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()
	span.Text("http.request.method", q.Method).Text("url.scheme", q.URL.Scheme).Text("server.address", q.URL.Host)
	sent := q.WithContext(ctx)
	if q.Header.Get(parentHeader) == "" {
		sent.Header = q.Header.Clone() // the request is its owner's
		propagator.Inject(ctx, propagation.HeaderCarrier(sent.Header))
	}
	res, err := x.next.RoundTrip(sent)
	if err != nil {
		span.Fail("no response")
		return nil, err
	}
	if res.Request == sent {
		res.Request = q // by which its owner tells whether he was redirected
	}
	if span.Number("http.response.status_code", res.StatusCode); res.StatusCode >= http.StatusBadRequest {
		span.Fail("")
	}
	return res, nil
}

// CloseIdleConnections is what http.Client asks for.
func (x transport) CloseIdleConnections() {
	if c, ok := x.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
