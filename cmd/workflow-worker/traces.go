package main

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"workflow-worker/runtime/buildid"
	"workflow-worker/runtime/logkey"
	"workflow-worker/runtime/tracing"
)

// telemetryPrefix begins the names of OpenTelemetry's variables.
const telemetryPrefix = "OTEL_"

// telemetryNames are those that OpenTelemetry's library reads itself.
var telemetryNames = []string{
	"OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_COMPRESSION", "OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
	"OTEL_EXPORTER_OTLP_CLIENT_KEY", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT", "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
}

// telemetrySettings are the settings that say where traces go, and of what.
func telemetrySettings() []string {
	return slices.DeleteFunc(settingNames(), func(name string) bool { return !strings.HasPrefix(name, telemetryPrefix) })
}

// flushTimeout bounds how long the end of the service waits for the last spans' delivery.
const flushTimeout = 3 * time.Second

// startTraces gives what makes spans, nil where nobody receives them; end delivers the last.
func (s settings) startTraces(ctx context.Context, log *slog.Logger) (t *tracing.Tracer, end func(), err error) {
	endpoint := s.tracesEndpoint()
	if endpoint == "" {
		return nil, func() {}, nil
	}
	config := s.tracingConfig(endpoint)
	config.Logger = log
	t, err = tracing.New(ctx, config)
	if err != nil {
		return nil, nil, err
	}
	log.Info("traces are sent", slog.String(logkey.Address, endpoint))
	return t, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
		defer cancel()
		if err := t.Close(ctx); err != nil {
			log.Warn("the last traces were not delivered", slog.String(logkey.ID, "service.traces_cant_be_delivered"), slog.String(logkey.Error, err.Error()))
		}
	}, nil
}

func (s settings) tracingConfig(endpoint string) tracing.Config {
	return tracing.Config{
		Endpoint: endpoint, Headers: cmp.Or(s.OTLPTracesHeaders, s.OTLPHeaders), Sampler: s.TracesSampler, SamplerArg: s.TracesSamplerArg,
		Service: s.TelemetryService, Version: buildid.Version(), Instance: s.ReplicaName, Attributes: s.TelemetryAttributes,
	}
}

// tracesEndpoint is where spans go, "" for nowhere.
func (s settings) tracesEndpoint() string {
	switch {
	case s.TelemetryDisabled, s.TracesExporter == tracesNowhere:
		return ""
	case s.OTLPTracesEndpoint != "":
		return s.OTLPTracesEndpoint
	case s.OTLPEndpoint != "":
		return tracing.TracesEndpoint(s.OTLPEndpoint)
	}
	return ""
}

// The values of OTEL_TRACES_EXPORTER, and of OTEL_EXPORTER_OTLP_PROTOCOL.
const (
	tracesByOTLP  = "otlp"
	tracesNowhere = "none"
	protocolHTTP  = "http/protobuf"
)

// validateTraces tells what is wrong with OpenTelemetry's variables. Headers may be secret, and aren't
// repeated.
func (s settings) validateTraces(mistake mistaken) {
	for name, endpoint := range map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": s.OTLPEndpoint, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": s.OTLPTracesEndpoint} {
		if endpoint == "" {
			continue
		}
		if err := tracing.CheckEndpoint(endpoint); err != nil {
			mistake("%s: %v", name, err)
		}
	}
	for name, list := range map[string]string{
		"OTEL_EXPORTER_OTLP_HEADERS": s.OTLPHeaders, "OTEL_EXPORTER_OTLP_TRACES_HEADERS": s.OTLPTracesHeaders, "OTEL_RESOURCE_ATTRIBUTES": s.TelemetryAttributes,
	} {
		if _, err := tracing.Pairs(list); err != nil {
			mistake("%s: %v", name, err)
		}
	}
	if _, err := tracing.SamplerOf(s.TracesSampler, s.TracesSamplerArg); err != nil {
		mistake("OTEL_TRACES_SAMPLER: %v", err)
	}
	if p := cmp.Or(s.OTLPTracesProtocol, s.OTLPProtocol); p != protocolHTTP && s.tracesEndpoint() != "" {
		mistake("OTEL_EXPORTER_OTLP_PROTOCOL is %q, must be %s: receivers take that on port 4318", p, protocolHTTP)
	}
	if s.TracesExporter != tracesByOTLP && s.TracesExporter != tracesNowhere {
		mistake("OTEL_TRACES_EXPORTER is %q, must be %s or %s", s.TracesExporter, tracesByOTLP, tracesNowhere)
	}
	for _, name := range s.handedOn() {
		if strings.HasPrefix(name, telemetryPrefix) {
			mistake("ACTIVITY_ENV_ALLOW names %s: activities don't see how the service is watched", name)
		}
	}
}
