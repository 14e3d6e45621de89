package tracing

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	commonpb "go.temporal.io/api/common/v1"
)

// recording gives a tracer and what it recorded.
func recording(t *testing.T, sampler, arg string) (*Tracer, *tracetest.SpanRecorder) {
	t.Helper()
	s, err := SamplerOf(sampler, arg)
	if err != nil {
		t.Fatal(err)
	}
	r := tracetest.NewSpanRecorder()
	return newTracer(s, sdktrace.WithSpanProcessor(r)), r
}

// What runs for each task, activity, request and line of the log must cost nothing where nobody
// traces.
func TestWithoutATracerNothingIsAllocated(t *testing.T) {
	var off *Tracer
	ctx := context.WithValue(t.Context(), idsKey{}, 1)
	head := &commonpb.Header{Fields: map[string]*commonpb.Payload{}}
	name := strings.Repeat("n", 20) // no constant
	if n := testing.AllocsPerRun(1000, func() {
		s := off.Execution(name, name, name, name, head).Task()
		s.Link(head)
		s.Into(head.Fields)
		if s.Header(head) != head || s.Nexus(nil) != nil {
			t.Error("a header was made")
		}
		s.Text(Project, name).Number(Attempt, 300).Position(LSN, 1<<40).Fail(name)
		s.End()
		off.Execution(name, name, name, name, head).Ended(time.Time{}, name, true)
		within, activity := off.Activity(ctx, name, head.Fields)
		activity.Text(Name, name).End()
		within, root := off.Root(within, name, time.Time{})
		root.EndAt(time.Time{})
		within, child := Child(within, name)
		child.FailIf(nil, name)
		child.End()
		if With(within, ctx) != ctx || child.In(ctx) != ctx {
			t.Error("a context was made")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if log := slog.Default(); off.Log(log) != log {
		t.Error("the log has something around it")
	}
	if off.Transport(http.DefaultTransport) != http.DefaultTransport {
		t.Error("connections have something around them")
	}
	if len(head.Fields) > 0 {
		t.Error("a header was filled")
	}
}

func TestSpansOfAnExecutionBelongTogetherWhoeverMakesThem(t *testing.T) {
	t.Parallel()
	one, first := recording(t, "", "")
	other, second := recording(t, "", "")
	one.Execution("p", "order", "order-1", "run-1", nil).Task().End()
	x := other.Execution("p", "order", "order-1", "run-1", nil)
	x.Task().End()
	began := time.Now().Add(-time.Hour)
	x.Ended(began, "failed", true)
	a, b := first.Ended(), second.Ended()
	if len(a) != 1 || len(b) != 2 {
		t.Fatalf("%d and %d spans", len(a), len(b))
	}
	own := b[1]
	for _, task := range []sdktrace.ReadOnlySpan{a[0], b[0]} {
		if task.Parent().SpanID() != own.SpanContext().SpanID() || task.Parent().TraceID() != own.SpanContext().TraceID() {
			t.Errorf("the task %v isn't under the execution %v", task.Parent(), own.SpanContext())
		}
	}
	if own.Name() != "RunWorkflow:order" || own.Parent().IsValid() || !own.StartTime().Equal(began) || own.Status().Description != "failed" {
		t.Errorf("%s under %v, since %v, %v", own.Name(), own.Parent(), own.StartTime(), own.Status())
	}
	if again := one.Execution("p", "order", "order-1", "run-2", nil); again.own.TraceID() == own.SpanContext().TraceID() {
		t.Error("another run has the same trace")
	}
}

func TestAnExecutionGoesOnWithItsClientsTrace(t *testing.T) {
	t.Parallel()
	const client, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for sampled, flag := range map[bool]string{true: "01", false: "00"} {
		tracer, spans := recording(t, "parentbased_always_on", "")
		data, err := json.Marshal(map[string]string{"traceparent": "00-" + client + "-" + parent + "-" + flag, "tracestate": "a=b"})
		if err != nil {
			t.Fatal(err)
		}
		x := tracer.Execution("p", "order", "order-1", "run-1", &commonpb.Header{Fields: map[string]*commonpb.Payload{Header: {Data: data}}})
		task := x.Task()
		head := task.Header(&commonpb.Header{Fields: map[string]*commonpb.Payload{"other": {}}})
		if got := fromHeader(head.GetFields()); got.TraceID().String() != client || got.IsSampled() != sampled || got.TraceState().String() != "a=b" || got.SpanID() != task.span.SpanContext().SpanID() {
			t.Errorf("sampled %v: handed on as %+v", sampled, got)
		}
		if again := x.Task().Header(head); again != head || head.GetFields()["other"] == nil {
			t.Error("a header that has a trace got another, or lost what it had")
		}
		nexus := task.Nexus(map[string]string{"x-test": "1"})
		if got := nexus["traceparent"]; got != "00-"+client+"-"+task.span.SpanContext().SpanID().String()+"-"+flag || nexus["tracestate"] != "a=b" || nexus["x-test"] != "1" {
			t.Errorf("sampled %v: handed on to Nexus as %v", sampled, nexus)
		}
		if own := task.Nexus(map[string]string{"Traceparent": "mine"}); len(own) != 1 {
			t.Errorf("a header that has a trace got another: %v", own)
		}
		_, attempt := tracer.Activity(t.Context(), "charge", head.GetFields())
		attempt.End()
		task.End()
		x.Ended(time.Now(), "completed", false)
		ended := spans.Ended()
		if !sampled {
			if len(ended) > 0 {
				t.Error("somebody recorded what the client doesn't")
			}
			continue
		}
		if len(ended) != 3 || ended[0].Parent().SpanID() != ended[1].SpanContext().SpanID() || ended[2].Parent().SpanID().String() != parent {
			t.Errorf("spans: %v", ended)
		}
	}
}

// What others write into the header is no reason to fail.
func TestAHeaderThatIsNoTraceBeginsOne(t *testing.T) {
	t.Parallel()
	tracer, spans := recording(t, "", "")
	for _, text := range []string{"", "null", "[]", `{"traceparent":1}`, `{"traceparent":"00-0-0-00"}`, `{"uber-trace-id":"1:2:0:1"}`} {
		x := tracer.Execution("p", "order", "order-1", "run-1", &commonpb.Header{Fields: map[string]*commonpb.Payload{Header: {Data: []byte(text)}}})
		x.Task().End()
	}
	for _, s := range spans.Ended() {
		if !s.SpanContext().IsValid() {
			t.Error(s)
		}
	}
	if n := len(spans.Ended()); n != 6 {
		t.Errorf("%d spans", n)
	}
}

// The part of the executions that is sampled is sampled whole.
func TestARatioTakesWholeExecutions(t *testing.T) {
	t.Parallel()
	tracer, spans := recording(t, "traceidratio", "0.5")
	whole := 0
	for i := range 200 {
		before := len(spans.Ended())
		x := tracer.Execution("p", "order", "order-1", "run-"+strings.Repeat("x", i), nil)
		x.Task().End()
		x.Task().End()
		x.Ended(time.Now(), "completed", false)
		switch len(spans.Ended()) - before {
		case 3:
			whole++
		case 0:
		default:
			t.Fatal("a part of an execution")
		}
	}
	if whole < 50 || whole > 150 {
		t.Errorf("%d of 200", whole)
	}
}

func TestRequestsHandTheirTraceOn(t *testing.T) {
	t.Parallel()
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		got = q.Header
		if q.URL.Path == "/there" {
			http.Redirect(w, q, "/here", http.StatusFound)
		}
	}))
	defer server.Close()
	tracer, spans := recording(t, "", "")
	client := &http.Client{Transport: tracer.Transport(http.DefaultTransport.(*http.Transport).Clone())}
	defer client.CloseIdleConnections()
	ask := func(ctx context.Context, path, own string) (q *http.Request, redirected bool) {
		t.Helper()
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+path+"?token=secret", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if own != "" {
			q.Header.Set("traceparent", own)
		}
		res, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return q, res.Request != q
	}
	if ask(t.Context(), "/", ""); got.Get("traceparent") != "" || len(spans.Ended()) > 0 {
		t.Error("a request outside of any trace has one")
	}
	ctx, root := tracer.Root(t.Context(), "activity", time.Now())
	q, redirected := ask(ctx, "/", "")
	sent := spans.Ended()[0]
	if want := sent.SpanContext().SpanID().String(); !strings.Contains(got.Get("traceparent"), want) || sent.Parent().SpanID() != root.span.SpanContext().SpanID() {
		t.Errorf("sent %q, the request's span is %s", got.Get("traceparent"), want)
	}
	if redirected || q.Header.Get("traceparent") != "" {
		t.Error("the request is another for its owner")
	}
	for _, a := range sent.Attributes() {
		if strings.Contains(a.Value.String(), "secret") {
			t.Errorf("%s tells the query", a.Key)
		}
	}
	if _, redirected := ask(ctx, "/there", ""); !redirected || len(spans.Ended()) != 3 {
		t.Errorf("redirected %v, %d spans", redirected, len(spans.Ended()))
	}
	const own = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	if ask(ctx, "/", own); got.Get("traceparent") != own || len(got.Values("traceparent")) != 1 {
		t.Errorf("the request's own traceparent became %q", got.Values("traceparent"))
	}
}

func TestLinesWithinATraceSayWhich(t *testing.T) {
	t.Parallel()
	tracer, _ := recording(t, "", "")
	var b bytes.Buffer
	log := tracer.Log(slog.New(slog.NewTextHandler(&b, nil))).With("project_id", "p")
	log.InfoContext(t.Context(), "outside")
	ctx, s := tracer.Root(t.Context(), "change", time.Now())
	log.InfoContext(ctx, "inside")
	outside, inside, _ := strings.Cut(b.String(), "\n")
	if strings.Contains(outside, "trace_id") {
		t.Error(outside)
	}
	c := s.span.SpanContext()
	if want := "trace_id=" + c.TraceID().String() + " span_id=" + c.SpanID().String(); !strings.Contains(inside, "project_id=p") || !strings.Contains(inside, want) {
		t.Errorf("%s; want %s", inside, want)
	}
}

// A receiver that isn't there costs spans and one line, and the end isn't held up.
func TestAReceiverThatIsAwayHoldsNothingUp(t *testing.T) {
	t.Parallel()
	away := httptest.NewServer(http.NotFoundHandler())
	url := away.URL
	away.Close()
	var b bytes.Buffer
	tracer, err := New(t.Context(), Config{Endpoint: url + "/v1/traces", Headers: "authorization=Bearer%20secret", Logger: slog.New(slog.NewTextHandler(&b, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		_, s := tracer.Root(t.Context(), "change", time.Now())
		s.End()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = tracer.Close(ctx) // what it says depends on who is first
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("the end is held up")
	}
	if strings.Contains(b.String(), "secret") {
		t.Error("the log has the header:", b.String())
	}
}

func TestSettingsThatCanNotBeMeant(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"collector:4318", "collector", "ftp://collector", "http://", "http://user:pass@collector", "http://c/?key=1", "http://c/%"} {
		if err := CheckEndpoint(endpoint); err == nil || strings.Contains(err.Error(), "pass") {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
	if err := CheckEndpoint("https://collector:4318/otlp"); err != nil {
		t.Error(err)
	}
	for _, list := range []string{"secret", "=secret", "a=secret%zz"} {
		if _, err := Pairs(list); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", list, err)
		}
	}
	if got, err := Pairs(" a = b%2Cc , d=e=f,"); err != nil || got["a"] != "b,c" || got["d"] != "e=f" {
		t.Errorf("%v, %v", got, err)
	}
	for name, arg := range map[string]string{"always": "", "traceidratio": "2", "parentbased_traceidratio": "many", "jaeger_remote": ""} {
		if _, err := SamplerOf(name, arg); err == nil {
			t.Errorf("%s %s is a sampler", name, arg)
		}
	}
	for _, name := range Samplers {
		if _, err := SamplerOf(name, ""); err != nil {
			t.Error(err)
		}
	}
	r, err := Config{Attributes: "service.name=mine,team=a", Version: "1"}.resource()
	if err != nil {
		t.Fatal(err)
	}
	if got := r.String(); got != "service.name=mine,service.version=1,team=a" {
		t.Error(got)
	}
}
