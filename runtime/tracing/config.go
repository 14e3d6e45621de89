package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"workflow-worker/runtime/logkey"
)

// Config says where spans go. Its fields are OpenTelemetry's standard variables, as they are
// written; what isn't here of those (OTEL_BSP_…, OTEL_SPAN_…, OTEL_EXPORTER_OTLP_TIMEOUT,
// _CERTIFICATE, …) its library reads itself.
type Config struct {
	// Endpoint gets them by OTLP over HTTP, in protobuf. Required.
	Endpoint string
	// Headers are sent with them: name=value,… with what is special in values as %XX.
	Headers string
	// Sampler and SamplerArg choose traces. Default: parentbased_always_on.
	Sampler, SamplerArg string
	// Service, Version and Instance say who makes the spans.
	Service, Version, Instance string
	// Attributes say more of it: name=value,… They come before what is said otherwise, but
	// for Service, if that is given.
	Attributes string
	// Logger is told when spans can't be delivered. Default: none.
	Logger *slog.Logger
}

// DefaultService is Config.Service's default.
const DefaultService = "workflow-worker"

// New makes a Tracer. It doesn't wait for the receiver. Its Close has to be called.
func New(ctx context.Context, c Config) (*Tracer, error) {
	sampler, err := SamplerOf(c.Sampler, c.SamplerArg)
	if err != nil {
		return nil, err
	}
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	described, err := c.resource()
	if err != nil {
		return nil, err
	}
	e, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("prepare the export of traces: %w", err)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return newTracer(sampler, sdktrace.WithBatcher(&exporter{SpanExporter: e, log: c.Logger}), sdktrace.WithResource(described)), nil
}

// Check asks the receiver whether it takes spans, with none.
func Check(ctx context.Context, c Config) error {
	options, err := c.options()
	if err != nil {
		return err
	}
	asked := otlptracehttp.NewClient(append(options, otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}))...)
	if err := asked.Start(ctx); err != nil {
		return err
	}
	return errors.Join(asked.UploadTraces(ctx, nil), asked.Stop(ctx))
}

// options say where spans go.
func (c Config) options() ([]otlptracehttp.Option, error) {
	options := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(c.Endpoint)}
	if c.Headers == "" {
		return options, nil
	}
	headers, err := Pairs(c.Headers)
	if err != nil {
		return nil, err
	}
	return append(options, otlptracehttp.WithHeaders(headers)), nil
}

// Close delivers what is there, as far as it can until ctx ends.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("deliver the last spans: %w", err)
	}
	return nil
}

func (c Config) resource() (*resource.Resource, error) {
	given, err := Pairs(c.Attributes)
	if err != nil {
		return nil, err
	}
	said := map[string]string{"service.name": DefaultService, "service.version": c.Version, "service.instance.id": c.Instance}
	for name, value := range given {
		said[name] = value
	}
	if c.Service != "" {
		said["service.name"] = c.Service
	}
	var list []attribute.KeyValue
	for name, value := range said {
		if value != "" {
			list = append(list, attribute.String(name, value))
		}
	}
	return resource.NewSchemaless(list...), nil
}

// CheckEndpoint is the error of an endpoint that can't be one.
func CheckEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return errors.New("it can't be read as a URL") // which may hold what nobody should see
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return errors.New("it must begin with http:// or https:// and name a host")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return errors.New("it must have no user, query or fragment: what a receiver wants to know is in the headers")
	}
	return nil
}

// TracesEndpoint is where traces go, of a receiver of all that OpenTelemetry knows.
func TracesEndpoint(base string) string { return strings.TrimRight(base, "/") + "/v1/traces" }

// Pairs reads name=value,… as W3C's baggage has it. The error doesn't repeat values.
func Pairs(text string) (map[string]string, error) {
	out := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		name = strings.TrimSpace(name)
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || name == "" || err != nil {
			return nil, errors.New("it must be name=value,name=value, with a comma or percent sign in a value as %2C or %25")
		}
		out[name] = value
	}
	return out, nil
}

// Samplers are the names that SamplerOf knows.
var Samplers = []string{"always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"}

// SamplerOf gives what chooses the traces. arg is the part of them for the samplers of a ratio, 1 if
// it is empty.
func SamplerOf(name, arg string) (sdktrace.Sampler, error) {
	if name == "" {
		name = "parentbased_always_on"
	}
	base, byParent := strings.CutPrefix(name, "parentbased_")
	var s sdktrace.Sampler
	switch base {
	case "always_on":
		s = sdktrace.AlwaysSample()
	case "always_off":
		s = sdktrace.NeverSample()
	case "traceidratio":
		part := 1.0
		if arg != "" {
			var err error
			if part, err = strconv.ParseFloat(arg, 64); err != nil || !(part >= 0 && part <= 1) {
				return nil, fmt.Errorf("its argument is %q, must be a number from 0 to 1", arg)
			}
		}
		s = sdktrace.TraceIDRatioBased(part)
	default:
		return nil, fmt.Errorf("no sampler is named %q; there are %s", name, strings.Join(Samplers, ", "))
	}
	if byParent {
		s = sdktrace.ParentBased(s)
	}
	return s, nil
}

// exporter says in the log when spans can't be delivered, and when they can again: the library would
// write it to standard error, each time.
type exporter struct {
	sdktrace.SpanExporter
	log *slog.Logger

	mu    sync.Mutex // guards what follows
	since time.Time  // of failures in a row; zero: the last delivery went well
	lost  int
	told  time.Time
}

// tellEvery is the least time between two lines about the same trouble.
const tellEvery = time.Minute

// ExportSpans implements sdktrace.SpanExporter.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err == nil && e.since.IsZero():
	case err == nil:
		e.log.InfoContext(ctx, "traces are delivered again", slog.Int(logkey.Dropped, e.lost), slog.Int64(logkey.Took, now.Sub(e.since).Milliseconds()))
		e.since, e.lost = time.Time{}, 0
	default:
		if e.since.IsZero() {
			e.since = now
		}
		if e.lost += len(spans); now.Sub(e.told) >= tellEvery {
			e.told = now
			e.log.ErrorContext(ctx, "traces can't be delivered: the spans are lost", slog.String(logkey.ID, "service.traces_cant_be_delivered"), slog.Int(logkey.Dropped, e.lost), slog.String(logkey.Error, err.Error()))
		}
	}
	return nil // it is told
}
