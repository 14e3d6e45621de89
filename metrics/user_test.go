package metrics

import (
	"fmt"
	"math"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// scrape gives the lines of /metrics that are of users' code.
func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	r := httptest.NewRecorder()
	promhttp.HandlerFor(m.Registry(), promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}).
		ServeHTTP(r, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	if r.Code != 200 {
		t.Fatalf("the scrape fails: %s", r.Body)
	}
	var lines []string
	for line := range strings.SplitSeq(r.Body.String(), "\n") {
		if strings.Contains(line, "user_") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func measure(t *testing.T, u *UserMetrics, kind, name string, value float64, tags map[string]string) {
	t.Helper()
	if err := u.Measure(kind, name, "", value, tags); err != nil {
		t.Error(err)
	}
}

func TestUsersMetricsAreShownByProject(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	a, b := m.UserMetrics("a"), m.UserMetrics("b")
	measure(t, a, "counter", "orders", 2, tags{"region": "eu", "taskQueue": "q"})
	measure(t, a, "counter", "orders", 3, tags{"region": "eu", "taskQueue": "q"})
	measure(t, a, "counter", "orders", 1, tags{"region": "us", "taskQueue": "q"})
	measure(t, b, "counter", "orders", 7, nil)
	measure(t, a, "gauge", "depth", 4, nil)
	measure(t, a, "gauge", "depth", 2.5, nil)
	measure(t, a, "up-down-counter", "open", 5, nil)
	measure(t, a, "up-down-counter", "open", -2, nil)
	for _, v := range []float64{0, 1, 1.5, 2e9} {
		measure(t, a, "histogram", "latency", v, nil)
	}
	if err := a.Measure("gauge", "told", "How much\nis told", 1, nil); err != nil {
		t.Error(err)
	}
	got := scrape(t, m)
	for _, want := range []string{
		`# TYPE user_orders_total counter`, `user_orders_total{project_id="a",region="eu",taskQueue="q"} 5`,
		`user_orders_total{project_id="a",region="us",taskQueue="q"} 1`, `user_orders_total{project_id="b"} 7`,
		`user_depth{project_id="a"} 2.5`, `user_open{project_id="a"} 3`,
		`user_latency_histogram_bucket{project_id="a",le="0.5"} 1`, `user_latency_histogram_bucket{project_id="a",le="1"} 2`,
		`user_latency_histogram_bucket{project_id="a",le="5"} 3`, `user_latency_histogram_bucket{project_id="a",le="+Inf"} 4`,
		`user_latency_histogram_sum{project_id="a"} 2.0000000025e+09`, `user_latency_histogram_count{project_id="a"} 4`,
		`# HELP user_told How much\nis told`,
	} {
		if !strings.Contains(got+"\n", want+"\n") {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// What one project names, nothing else may suffer from: two types of one name would spoil the whole
// scrape.
func TestUsersNamesCollideWithNothing(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	report(m)
	a, b := m.UserMetrics("a"), m.UserMetrics("b")
	kinds := []string{"counter", "gauge", "histogram", "up-down-counter"}
	names := []string{
		"", "x", "x_total", "x_histogram", "x_histogram_count", "x_bucket", "x_sum", "x_count", "x_created", "x_gauge", "go_goroutines", "process_cpu_seconds_total",
		"workflow_worker_projects", "temporal_request", "user_x", "1st", "a-b", "a.b", "ünï\xffcode", "\x00", strings.Repeat("long", 100), "__name__", "x{y=\"1\"} 5\n",
	}
	hostile := tags{
		"project_id": "b", "le": "1", "quantile": "2", "__name__": "x", "1a": "1", "a-b": "1", "a_b": "2", "": "e", "empty": "", "bad": "\xff\x00\n\"",
		strings.Repeat("l", 1000): strings.Repeat("v", 1000), "ü": "ü",
	}
	for i := range 100 {
		hostile[fmt.Sprint("zzz", i)] = "x"
	}
	for i, u := range []*UserMetrics{a, b} {
		for j, name := range names {
			kind := kinds[(i+j)%len(kinds)]
			_ = u.Measure(kind, name, fmt.Sprint(name, i), float64(i+j), hostile) // beyond the limit is no matter
			_ = u.Measure(kind, name, fmt.Sprint(name, i), math.NaN(), nil)
		}
	}
	got := scrape(t, m)
	for line := range strings.SplitSeq(got, "\n") {
		if len(line) > 20*220 {
			t.Errorf("a line of %d bytes: %.200s…", len(line), line)
		}
	}
	if !strings.Contains(got, `project_id="a",`) || !strings.Contains(got, `tag_project_id="b"`) || strings.Contains(got, `project_id="b",project_id`) || strings.Contains(got, "NaN") {
		t.Error(got)
	}
	wantSeries(t, m, map[string]float64{`workflow_worker_projects{status="running"}`: 3})
}

func TestAProjectsSeriesAreBoundedAndGoWithIt(t *testing.T) {
	t.Parallel()
	m := New(Options{UserSeries: 100})
	a, b := m.UserMetrics("a"), m.UserMetrics("b")
	var refused error
	for i := range 1000 {
		err := a.Measure("counter", "c", "", 1, tags{"id": fmt.Sprint(i)})
		if err != nil && refused == nil {
			refused = err
		}
	}
	if n := strings.Count(scrape(t, m), `user_c_total{id="`); n != 100 {
		t.Errorf("%d series", n)
	}
	if refused == nil || !strings.Contains(refused.Error(), "100 of 100 (USER_METRICS_MAX_SERIES)") {
		t.Error(refused)
	}
	if a.Measure("counter", "c", "", 1, tags{"id": "7"}) != nil {
		t.Error("what is there doesn't count any more")
	}
	wantSeries(t, m, map[string]float64{`user_c_total{id="7",project_id="a"}`: 2})
	measure(t, b, "counter", "c", 1, nil)
	for _, name := range []string{"h1", "h2", "h3", "h4"} {
		measure(t, b, "histogram", name, 1, nil)
	}
	if b.Measure("histogram", "h5", "", 1, nil) == nil {
		t.Error("a histogram's buckets are not counted")
	}

	again := m.UserMetrics("a") // a new worker, while the last one still stops
	a.Close()
	a.Close()
	wantSeries(t, m, map[string]float64{`user_c_total{id="7",project_id="a"}`: 2})
	again.Close()
	_ = a.Measure("counter", "late", "", 1, nil) // of an activity that outlived its worker
	if got := scrape(t, m); strings.Contains(got, `project_id="a"`) || !strings.Contains(got, `user_c_total{project_id="b"} 1`) {
		t.Error(got)
	}
	if New(Options{UserSeries: -1}).UserMetrics("a").Measure("gauge", "g", "", 1, nil) == nil {
		t.Error("none may be made")
	}
}

func TestUsersMetricsWhileTheyAreScraped(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			u := m.UserMetrics(fmt.Sprint(i % 2))
			for n := range 300 {
				_ = u.Measure("counter", "c", "", 1, tags{"n": fmt.Sprint(n % 10)})
				_ = u.Measure("histogram", "h", "", float64(n), nil)
			}
			u.Close()
		})
	}
	for range 20 {
		scrape(t, m)
	}
	group.Wait()
}

func BenchmarkUserMetric(b *testing.B) {
	u := New(Options{}).UserMetrics("a")
	given := tags{"namespace": "default", "taskQueue": "orders", "activityType": "charge", "region": "eu"}
	b.ReportAllocs()
	for b.Loop() {
		_ = u.Measure("counter", "orders", "", 1, given)
	}
}
