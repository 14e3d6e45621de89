package metrics

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/goleak"

	"workflow-worker/docker/stack/stacktest"
)

func answers(context.Context) error { return nil }

// serve starts a server on m that is stopped with the test.
func serve(t *testing.T, m *Metrics, o ServerOptions) *Server {
	t.Helper()
	o.Address, o.Logger = "127.0.0.1:0", stacktest.Logger(t)
	if o.Database == nil {
		o.Database = answers
	}
	if o.Temporal == nil {
		o.Temporal = answers
	}
	s, end := running(t, m, o)
	t.Cleanup(func() {
		if err := end(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return s
}

// running runs a server on m. The returned function ends it and gives what Run said; the test's
// end does the former too.
func running(t *testing.T, m *Metrics, o ServerOptions) (*Server, func() error) {
	t.Helper()
	s, err := Listen(t.Context(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	end := sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { _ = end() })
	return s, end
}

// here are the options of a server whose dependencies answer.
func here(t *testing.T) ServerOptions {
	return ServerOptions{Address: "127.0.0.1:0", Logger: stacktest.Logger(t), Database: answers, Temporal: answers}
}

// answer is a response that was read to its end.
type answer struct {
	code   int
	header http.Header
}

// ask makes one request on a connection of its own.
func ask(t *testing.T, s *Server, method, path string) (answer, string) {
	t.Helper()
	// Opaque keeps an unclean path as it is.
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Address(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Opaque = path
	req.Close = true
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{resp.StatusCode, resp.Header}, string(body)
}

// waitFor asks path until it answers with code.
func waitFor(t *testing.T, s *Server, path string, code int) string {
	t.Helper()
	var body string
	stacktest.Eventually(t, path+" answers "+strconv.Itoa(code), func() error {
		var resp answer
		if resp, body = ask(t, s, http.MethodGet, path); resp.code != code {
			return fmt.Errorf("%d: %s", resp.code, body)
		}
		return nil
	})
	return body
}

func TestFourPathsAreServedAndNothingElse(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	m.SetPhase(PhaseRunning)
	s := serve(t, m, ServerOptions{})
	waitFor(t, s, "/health/ready", http.StatusOK)
	for _, path := range []string{"/health", "/health/live", "/health/ready", "/metrics", "/health?verbose=1"} {
		resp, body := ask(t, s, http.MethodGet, path)
		if resp.code != http.StatusOK || body == "" {
			t.Errorf("GET %s: %d %q", path, resp.code, body)
		}
		head, headBody := ask(t, s, http.MethodHead, path)
		if head.code != http.StatusOK || headBody != "" || head.header.Get("Content-Type") != resp.header.Get("Content-Type") {
			t.Errorf("HEAD %s: %d %q %v", path, head.code, headBody, head.header)
		}
	}
	for _, path := range []string{
		"/", "/healthz", "/health/", "//health", "/health/../metrics", "/metrics/", "/Health", "/debug/pprof/", "/health/live/x", "/favicon.ico",
	} {
		if resp, _ := ask(t, s, http.MethodGet, path); resp.code != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, resp.code)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"} {
		for _, path := range []string{"/health", "/metrics", "/other"} {
			resp, _ := ask(t, s, method, path)
			if resp.code != http.StatusMethodNotAllowed || resp.header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, Allow %q", method, path, resp.code, resp.header.Get("Allow"))
			}
		}
	}
}

func TestHealthAnswersWithTheSameShapeInEveryState(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	m := New(Options{Version: "1.2.3"})
	s := serve(t, m, ServerOptions{
		ProbeInterval: time.Millisecond, Grace: time.Nanosecond,
		Temporal: func(context.Context) error {
			if down.Load() {
				return errors.New("connection refused")
			}
			return nil
		},
	})
	m.StreamState(StreamStreaming, "")
	status := func(body string) any {
		t.Helper()
		var document map[string]any
		if err := json.Unmarshal([]byte(body), &document); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		if document["service"] != "temporal-worker-service" || document["version"] != "1.2.3" {
			t.Errorf("health answers %s", body)
		}
		for _, k := range []string{"status", "database", "stream", "temporal", "workers", "uptime_seconds"} {
			if _, ok := document[k]; !ok {
				t.Errorf("no %q in %s", k, body)
			}
		}
		return document["status"]
	}
	body := waitFor(t, s, "/health", http.StatusOK)
	if got := status(body); got != StatusOK {
		t.Errorf("status %q: %s", got, body)
	}
	down.Store(true)
	body = waitFor(t, s, "/health", http.StatusServiceUnavailable)
	if got := status(body); got != StatusUnavailable || !strings.Contains(body, "connection refused") {
		t.Errorf("status %q: %s", got, body)
	}
	if resp, _ := ask(t, s, http.MethodGet, "/health/live"); resp.code != http.StatusOK {
		t.Errorf("a dependency's outage ended the process's life: %d", resp.code)
	}
	down.Store(false)
	waitFor(t, s, "/health", http.StatusOK)
}

func TestAskingForHealthNeverAsksTheDependencies(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	check := func(context.Context) error { asked.Add(1); return nil }
	m := New(Options{})
	s := serve(t, m, ServerOptions{Database: check, Temporal: check, ProbeInterval: time.Hour})
	waitFor(t, s, "/health", http.StatusOK)
	for range 50 {
		ask(t, s, http.MethodGet, "/health")
		ask(t, s, http.MethodGet, "/health/ready")
		ask(t, s, http.MethodGet, "/metrics")
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("%d checks, want the first of each dependency alone", n)
	}
}

func TestAProbeThatHangsCountsAsFailedAndIsNotDoubled(t *testing.T) {
	t.Parallel()
	var running, most atomic.Int64
	m := New(Options{})
	s := serve(t, m, ServerOptions{
		ProbeInterval: time.Millisecond, ProbeTimeout: 20 * time.Millisecond,
		Database: func(ctx context.Context) error {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			<-ctx.Done()
			time.Sleep(30 * time.Millisecond) // slow to notice, but it does
			return ctx.Err()
		},
	})
	stacktest.Eventually(t, "the probe's end", func() error {
		if _, body := ask(t, s, http.MethodGet, "/health"); !strings.Contains(body, "no answer within 20ms") {
			return errors.New(body)
		}
		return nil
	})
	if most.Load() != 1 {
		t.Errorf("%d probes at once", most.Load())
	}
}

func TestMetricsAreServedAndLintClean(t *testing.T) {
	t.Parallel()
	m := New(Options{})
	report(m)
	asWorker(clientTags(m.TemporalHandler()), "q")
	s := serve(t, m, ServerOptions{})
	resp, body := ask(t, s, http.MethodGet, "/metrics")
	if resp.code != http.StatusOK || !strings.HasPrefix(resp.header.Get("Content-Type"), "text/plain") {
		t.Fatalf("%d %v", resp.code, resp.header)
	}
	for _, line := range []string{"workflow_worker_hints_total 2", "temporal_request_total{", "workflow_worker_build_info{"} {
		if !strings.Contains(body, "\n"+line) {
			t.Errorf("no %q in the exposition", line)
		}
	}
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestARequestsHeadersAreLimited(t *testing.T) {
	t.Parallel()
	s := serve(t, New(Options{}), ServerOptions{})
	conn, err := net.Dial("tcp", s.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// The server may answer and close before it has read all.
	_, _ = fmt.Fprintf(conn, "GET /health HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n\r\n", strings.Repeat("a", 64<<10))
	status, _ := bufio.NewReader(conn).ReadString('\n')
	if !strings.Contains(status, "431") {
		t.Errorf("64 KB of headers are answered with %q", status)
	}
}

func TestAServerThatHasEndedListensNoMore(t *testing.T) {
	t.Parallel()
	s, end := running(t, New(Options{}), here(t))
	ask(t, s, http.MethodGet, "/health/live")
	if err := end(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if conn, err := net.Dial("tcp", s.Address()); err == nil {
		_ = conn.Close()
		t.Error("a stopped server still listens")
	}
}

// Not parallel: it looks at all goroutines of the process.
func TestAServerThatEndsAsItBeginsLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for range 20 {
		s, err := Listen(t.Context(), New(Options{}), here(t))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var work sync.WaitGroup
		work.Go(cancel)
		if err := s.Run(ctx); err != nil {
			t.Fatal(err)
		}
		work.Wait()
		if conn, err := net.Dial("tcp", s.Address()); err == nil {
			_ = conn.Close()
			t.Error("a stopped server still listens")
		}
	}
}

func TestTheEndCutsARequestAtItsDeadline(t *testing.T) {
	t.Parallel()
	o := here(t)
	o.StopTimeout = 50 * time.Millisecond
	s, end := running(t, New(Options{}), o)
	conn, err := net.Dial("tcp", s.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /health HTTP/1.1\r\nHost: "); err != nil {
		t.Fatal(err)
	}
	// A whole exchange on a second connection: by then the first is accepted.
	ask(t, s, http.MethodGet, "/health/live")
	if err := end(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stop with half a request open: %v", err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the connection is not cut: %v", err)
	}
}

func TestTheEndSaysWhatItAbandoned(t *testing.T) {
	t.Parallel()
	release, entered := make(chan struct{}), make(chan struct{})
	o := here(t)
	o.StopTimeout = 20 * time.Millisecond
	o.Database = func(context.Context) error { close(entered); <-release; return nil }
	_, end := running(t, New(Options{}), o)
	<-entered
	if err := end(); err == nil || !strings.Contains(err.Error(), "abandoned") {
		t.Errorf("stop over a check that hangs: %v", err)
	}
	close(release)
}

func TestMistakesInTheOptionsAreNamedTogether(t *testing.T) {
	t.Parallel()
	_, err := Listen(t.Context(), New(Options{}), ServerOptions{Grace: -1})
	for _, part := range []string{"address", "check", "duration"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v doesn't name the %s", err, part)
		}
	}
	_, err = Listen(t.Context(), New(Options{}), ServerOptions{Address: "256.0.0.1:x", Database: answers, Temporal: answers})
	if err == nil || !strings.Contains(err.Error(), "256.0.0.1:x") {
		t.Errorf("listen on a bad address: %v", err)
	}
}
