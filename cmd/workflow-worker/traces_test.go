package main

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pglogrepl"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	temporaltraces "go.temporal.io/sdk/contrib/opentelemetry"
	"go.temporal.io/sdk/interceptor"
	"google.golang.org/protobuf/proto"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/runtime/tracing"
)

// receiver takes traces as an OpenTelemetry collector does.
type receiver struct {
	*httptest.Server

	mu            sync.Mutex // guards what follows
	spans         []*tracepb.Span
	resource      map[string]string
	authorization string
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if err := r.take(q); err != nil {
			t.Error(err)
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/x-protobuf") // an empty answer: all is taken
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) take(q *http.Request) error {
	if q.URL.Path != "/otlp/v1/traces" {
		return errors.New(q.URL.Path)
	}
	var body io.Reader = q.Body
	if q.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(body)
		if err != nil {
			return err
		}
		body = z
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var m collectorpb.ExportTraceServiceRequest
	if err := proto.Unmarshal(b, &m); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.authorization = q.Header.Get("Authorization")
	for _, of := range m.GetResourceSpans() {
		r.resource = map[string]string{}
		for _, a := range of.GetResource().GetAttributes() {
			r.resource[a.GetKey()] = a.GetValue().GetStringValue()
		}
		for _, scope := range of.GetScopeSpans() {
			r.spans = append(r.spans, scope.GetSpans()...)
		}
	}
	return nil
}

// all gives the spans that f picks.
func (r *receiver) all(f func(*tracepb.Span) bool) (out []*tracepb.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.spans {
		if f(s) {
			out = append(out, s)
		}
	}
	return out
}

func attributeOf(s *tracepb.Span, key string) string {
	for _, a := range s.GetAttributes() {
		if a.GetKey() == key {
			return a.GetValue().GetStringValue()
		}
	}
	return ""
}

// family is the spans of one trace, by name.
type family map[string][]*tracepb.Span

func (r *receiver) family(trace []byte) family {
	out := family{}
	for _, s := range r.all(func(s *tracepb.Span) bool { return string(s.GetTraceId()) == string(trace) }) {
		out[s.GetName()] = append(out[s.GetName()], s)
	}
	return out
}

// under fails unless each span of a name has a parent of the other name.
func (f family) under(t *testing.T, name, parent string) {
	t.Helper()
	if len(f[name]) == 0 {
		t.Errorf("no span %s; there are %v", name, slices.Sorted(maps.Keys(f)))
	}
	for _, s := range f[name] {
		if !slices.ContainsFunc(f[parent], func(p *tracepb.Span) bool { return string(p.GetSpanId()) == string(s.GetParentSpanId()) }) {
			t.Errorf("%s isn't under %s, but under %x", name, parent, s.GetParentSpanId())
		}
	}
}

// tracedClient is a client as others make it, with Temporal's own interceptor.
func tracedClient(t *testing.T) (client.Client, *sdktrace.TracerProvider) {
	t.Helper()
	provider := sdktrace.NewTracerProvider()
	i, err := temporaltraces.NewTracingInterceptor(temporaltraces.TracerOptions{Tracer: provider.Tracer("client")})
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Dial(client.Options{HostPort: stacktest.TemporalAddress(t), Interceptors: []interceptor.ClientInterceptor{i}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, provider
}

func TestTracesReachFromTheCommitToTheReloadAndFromTheClientToWhatIsFetched(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked := map[string]string{} // traceparent by path
	fetched := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked[q.URL.Path] = strings.Join(q.Header.Values("traceparent"), ",")
	}))
	defer fetched.Close()
	collector := newReceiver(t)
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "WORKFLOW_CACHE_SIZE=1", // so that they replay
		"OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL+"/otlp/", "OTEL_EXPORTER_OTLP_HEADERS_FILE="+secretFile(t, "authorization=Bearer%20hidden-token"),
		"OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test", "OTEL_SERVICE_NAME=orders", "REPLICA_NAME=replica-1")
	b := newBuilder(t, db)
	p := b.project()
	const own = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	p.component("charge", `
import { log } from '@temporalio/activity';
export async function charge(url: string): Promise<string[]> {
  const plain = await fetch(url + '/plain?secret=1');
  await fetch(url + '/own', { headers: { traceparent: '`+own+`' } });
  log.info('charged');
  return [String(plain.redirected), ...Object.keys(process.env).filter((name) => name.startsWith('OTEL'))];
}`)
	code := func(version string) string {
		return `
import { condition, defineSignal, executeChild, log, proxyActivities, proxyLocalActivities, setHandler } from '@temporalio/workflow';
const { charge } = proxyActivities<any>({ startToCloseTimeout: '20s' });
const { waitFor } = proxyLocalActivities<any>({ startToCloseTimeout: '20s' });
export async function order(url: string): Promise<string[]> {
  let paid = false;
  setHandler(defineSignal('paid'), () => { paid = true; });
  log.info('begun');
  await waitFor({ milliseconds: 1 });
  await condition(() => paid);
  const out = await charge(url);
  await executeChild('step');
  return [...out, '` + version + `'];
}
export async function step(): Promise<void> {}`
	}
	w := p.workflow("order", code("v1"))
	p.running(liveVersion("order", "1"))

	var before, after pglogrepl.LSN
	position := func(to *pglogrepl.LSN) {
		t.Helper()
		var text string
		if err := b.db.QueryRow(t.Context(), `SELECT pg_current_wal_insert_lsn()::text`).Scan(&text); err != nil {
			t.Fatal(err)
		}
		var err error
		if *to, err = pglogrepl.ParseLSN(text); err != nil {
			t.Fatal(err)
		}
	}
	position(&before)
	b.exec(`UPDATE workflow_compiled_code SET workflow_code = $2, version = '2' WHERE id = $1`, w.codeID, code("v2"))
	position(&after)
	p.running(liveVersion("order", "2"))

	traced, provider := tracedClient(t)
	ctx, mine := provider.Tracer("test").Start(t.Context(), "click")
	run, err := traced.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: "order-" + p.id, TaskQueue: p.taskQueue}, "order", fetched.URL)
	if err != nil {
		t.Fatal(err)
	}
	other := p.start("order", fetched.URL) // takes the cache's only place, and begins a trace of its own
	p.reaches(run, enumspb.EVENT_TYPE_MARKER_RECORDED)
	for _, r := range []client.WorkflowRun{run, other} {
		if err := traced.SignalWorkflow(ctx, r.GetID(), "", "paid", nil); err != nil {
			t.Fatal(err)
		}
		if got := result[[]string](p, r); !slices.Equal(got, []string{"false", "v2"}) {
			t.Errorf("%v", got)
		}
	}
	if code := s.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}

	t.Run("the edit", func(t *testing.T) {
		roots := collector.all(func(s *tracepb.Span) bool {
			lsn, err := pglogrepl.ParseLSN(attributeOf(s, tracing.LSN))
			return s.GetName() == "change" && attributeOf(s, tracing.Project) == p.id && err == nil && before <= lsn && lsn < after
		})
		if len(roots) != 1 {
			t.Fatalf("%d traces of the edit", len(roots))
		}
		root := roots[0]
		f := collector.family(root.GetTraceId())
		f.under(t, "hint", "change")
		f.under(t, "pass", "change")
		f.under(t, "reload", "pass")
		f.under(t, "compile", "reload")
		if len(root.GetParentSpanId()) > 0 || len(f["reload"]) != 1 || attributeOf(f["compile"][0], tracing.Version) != "2" || attributeOf(f["hint"][0], tracing.LSN) != attributeOf(root, tracing.LSN) {
			t.Errorf("%v", f)
		}
		if reload := f["reload"][0]; root.GetStartTimeUnixNano() > reload.GetStartTimeUnixNano() || root.GetEndTimeUnixNano() < reload.GetEndTimeUnixNano() {
			t.Error("the trace doesn't reach from the commit to the reload")
		}
		loggedLine(t, s, "code is live", p.id, "trace_id="+hex.EncodeToString(root.GetTraceId()))
	})
	t.Run("the execution", func(t *testing.T) {
		id := mine.SpanContext().TraceID()
		f := collector.family(id[:])
		f.under(t, "RunWorkflowTask:order", "RunWorkflow:order")
		f.under(t, "RunActivity:charge", "RunWorkflowTask:order")
		f.under(t, "RunActivity:waitFor", "RunWorkflowTask:order")
		f.under(t, "RunWorkflow:step", "RunWorkflowTask:order")
		f.under(t, "RunWorkflowTask:step", "RunWorkflow:step")
		f.under(t, "GET", "RunActivity:charge")
		if n := len(f["RunWorkflow:order"]); n != 1 {
			t.Fatalf("%d spans of the execution", n)
		}
		if s := f["RunWorkflow:order"][0]; len(s.GetParentSpanId()) == 0 || attributeOf(s, tracing.Outcome) != "completed" || attributeOf(s, tracing.RunID) != run.GetRunID() || attributeOf(s, tracing.Project) != p.id {
			t.Errorf("%v", s)
		}
		linked := 0
		for _, s := range f["RunWorkflowTask:order"] {
			linked += len(s.GetLinks())
		}
		if linked != 1 {
			t.Errorf("%d links to the signal", linked)
		}
		loggedLine(t, s, "charged", run.GetRunID(), "trace_id="+id.String(), "span_id="+hex.EncodeToString(f["RunActivity:charge"][0].GetSpanId()))
		loggedLine(t, s, "begun", run.GetRunID(), "trace_id="+id.String())
	})
	t.Run("an execution without a client's trace", func(t *testing.T) {
		found := collector.all(func(s *tracepb.Span) bool {
			return s.GetName() == "RunWorkflow:order" && attributeOf(s, tracing.RunID) == other.GetRunID()
		})
		if len(found) != 1 || len(found[0].GetParentSpanId()) > 0 {
			t.Fatalf("%v", found)
		}
		f := collector.family(found[0].GetTraceId())
		f.under(t, "GET", "RunActivity:charge")
		mu.Lock()
		defer mu.Unlock()
		get := slices.IndexFunc(f["GET"], func(s *tracepb.Span) bool {
			return strings.Contains(asked["/plain"], hex.EncodeToString(s.GetSpanId()))
		})
		if get < 0 || !strings.Contains(asked["/plain"], hex.EncodeToString(found[0].GetTraceId())) || asked["/own"] != own {
			t.Errorf("asked with %v", asked)
		}
	})
	t.Run("once", func(t *testing.T) {
		// At a replay nothing is told again: there are as many tasks as in the histories.
		want := 0
		for _, r := range []client.WorkflowRun{run, other} {
			for _, e := range p.history(r) {
				if e.GetWorkflowTaskCompletedEventAttributes() != nil {
					want++
				}
			}
		}
		got := map[string]bool{}
		for _, s := range collector.all(func(s *tracepb.Span) bool { return true }) {
			key := fmt.Sprintf("%x", s.GetSpanId())
			if got[key] {
				t.Errorf("%s was sent twice", s.GetName())
			}
			got[key] = true
			for _, a := range s.GetAttributes() {
				if strings.Contains(a.GetValue().GetStringValue(), "secret") {
					t.Errorf("%s tells %s", s.GetName(), a)
				}
			}
		}
		tasks := len(collector.all(func(s *tracepb.Span) bool { return s.GetName() == "RunWorkflowTask:order" }))
		if local := 2; tasks < want || tasks > want+local { // the SDK goes on with a task when a local activity has ended
			t.Errorf("%d spans of %d tasks", tasks, want)
		}
	})
	collector.mu.Lock()
	defer collector.mu.Unlock()
	if r := collector.resource; collector.authorization != "Bearer hidden-token" || r["service.name"] != "orders" || r["service.instance.id"] != "replica-1" || r["deployment.environment.name"] != "test" {
		t.Errorf("authorization %q, of %v", collector.authorization, r)
	}
	if strings.Contains(s.output(), "hidden-token") {
		t.Error("the log tells the header")
	}
}

// loggedLine fails unless the service's log has a line with all words.
func loggedLine(t *testing.T, s *service, words ...string) {
	t.Helper()
	for line := range strings.Lines(s.output()) {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			return
		}
	}
	t.Errorf("no line with %q", words)
}

func TestWhatIsWrongWithTheSettingsOfTracesIsNamed(t *testing.T) {
	t.Parallel()
	e := environment{"DATABASE_URL": "postgres://me@h/db", "TEMPORAL_CONFIG_FILE": "/dev/null"}
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_HEADERS": "hidden",
		"OTEL_TRACES_SAMPLER": "some", "OTEL_TRACES_EXPORTER": "jaeger", "OTEL_RESOURCE_ATTRIBUTES": "hidden",
		"ACTIVITY_ENV_ALLOW": "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_ENDPOINTS": "http://collector:4318",
	} {
		with := maps.Clone(e)
		with[name] = value
		if name == "OTEL_EXPORTER_OTLP_PROTOCOL" {
			with["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://collector:4317"
		}
		_, err := process{environment: with}.readSettings(all)
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
	for name, set := range map[string]environment{
		"":                              {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"},
		" ":                             {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"},
		"  ":                            {"OTEL_SERVICE_NAME": "orders"},
		"http://c:4318/v1/traces":       {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"},
		"https://c/otlp/v1/traces":      {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://c/otlp/"},
		"https://other:4318/as-it-is":   {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://other:4318/as-it-is"},
		"https://other:4318/as-it-is/a": {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://other:4318/as-it-is/a"},
	} {
		with := maps.Clone(e)
		maps.Copy(with, set)
		s, err := process{environment: with}.readSettings(all)
		if got := s.tracesEndpoint(); err != nil || got != strings.TrimSpace(name) {
			t.Errorf("%v: %q, %v", set, got, err)
		}
		tracer, end, err := s.startTraces(context.WithoutCancel(t.Context()), stacktest.Logger(t))
		if err != nil || (tracer != nil) != (strings.TrimSpace(name) != "") {
			t.Errorf("%v: a tracer: %v, %v", set, tracer != nil, err)
		}
		end()
	}
}
