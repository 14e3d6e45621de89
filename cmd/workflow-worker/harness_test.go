package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"workflow-worker/docker/stack/stacktest"
)

// asProgram makes the test binary be the program: end-to-end tests run the service as a process of
// its own.
const asProgram = "WORKFLOW_WORKER_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" || (len(os.Args) == 2 && os.Args[1] == compileCommand) {
		main()
		return
	}
	stacktest.Main(m)
}

// service is a running workflow-worker.
type service struct {
	t       testing.TB
	cmd     *exec.Cmd
	address string
	done    chan struct{} // closed when the process has ended

	mu  sync.Mutex // guards log
	log strings.Builder
}

var upLine = regexp.MustCompile(`workflow-worker is up.*address"?[=:]"?\S*?:(\d+)`)

// startService runs the service against the database until the test ends, and waits until it is
// ready.
func startService(t testing.TB, databaseURL string, environment ...string) *service {
	t.Helper()
	s := launchService(t, databaseURL, environment...)
	eventually(t, "the service is ready", func() error {
		status, body, err := s.get("/health/ready")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d: %s", status, body)
		}
		return err
	})
	return s
}

// launchService is startService for a service that may never be ready: it only waits until it
// serves.
func launchService(t testing.TB, databaseURL string, environment ...string) *service {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, done: make(chan struct{})}
	s.cmd = exec.Command(exe)
	s.cmd.Env = append([]string{
		asProgram + "=1",
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(),
		"DATABASE_URL=" + databaseURL,
		"TEMPORAL_ADDRESS=" + stacktest.TemporalAddress(t),
		"WORKER_SERVICE_HOST=127.0.0.1", "WORKER_SERVICE_PORT=0",
		"HEARTBEAT_INTERVAL=1s", "SHUTDOWN_TIMEOUT=10s", "HTTP_ALLOW=127.0.0.1",
	}, environment...)
	output, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	up := make(chan string, 1)
	go s.follow(output, up)
	t.Cleanup(func() {
		s.signal(syscall.SIGKILL)
		<-s.done
		if t.Failed() {
			t.Logf("the service's log:\n%s", s.output())
		}
	})
	select {
	case s.address = <-up:
	case <-s.done:
		t.Fatalf("the service ended at start:\n%s", s.output())
	case <-time.After(time.Minute):
		t.Fatalf("the service didn't come up:\n%s", s.output())
	}
	return s
}

func (s *service) follow(output io.Reader, up chan<- string) {
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if m := upLine.FindStringSubmatch(lines.Text()); m != nil {
			up <- "127.0.0.1:" + m[1]
		}
		s.mu.Lock()
		s.log.WriteString(lines.Text() + "\n")
		s.mu.Unlock()
	}
	_ = s.cmd.Wait() // its end is what counts; tests ask the process state
	close(s.done)
}

func (s *service) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func (s *service) signal(sig syscall.Signal) { _ = s.cmd.Process.Signal(sig) }

// stop sends a signal and gives the exit code.
func (s *service) stop(sig syscall.Signal) int {
	s.t.Helper()
	s.signal(sig)
	select {
	case <-s.done:
	case <-time.After(time.Minute):
		s.t.Fatal("the service didn't end")
	}
	return s.cmd.ProcessState.ExitCode()
}

func (s *service) get(path string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+path, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(b), err
}

func eventually(t testing.TB, what string, f func() error) {
	t.Helper()
	stacktest.Eventually(t, what, f)
}
