// Package tracing makes OpenTelemetry spans of what the service does, and hands traces on: in the
// headers of Temporal's messages as Temporal's own interceptors do, and in those of HTTP requests.
//
// It promises: a nil [Tracer], which is tracing switched off, does nothing and allocates nothing,
// as does a [Span] of a context without a trace; spans hold names, ids and counts, never what authors
// or users hand around, nor the messages of failures; a receiver that is slow or away costs spans,
// never work.
//
// It is a leaf: it imports nothing of this project but runtime/logkey.
package tracing
