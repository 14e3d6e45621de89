package main

import (
	"context"
	"net/http"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"workflow-worker/docker/stack/program"
	"workflow-worker/docker/stack/stacktest"
)

// asProgram makes the test binary be the program: end-to-end tests run the service as a process of
// its own.
const asProgram = "WORKFLOW_WORKER_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == cellCommand {
		asCell()
	}
	if os.Getenv(asProgram) != "" || (len(os.Args) == 2 && (os.Args[1] == compileCommand || os.Args[1] == cellCommand)) {
		main()
		return
	}
	stacktest.MainOfWaiting(m)
}

// asCell is what cells of the tests do beside what they do.
var asCell = func() {}

// service is a running workflow-worker.
type service struct {
	*program.Service
	t       testing.TB
	address string
}

// startService runs the service against the database until the test ends, and waits until it is
// ready.
func startService(t testing.TB, databaseURL string, environment ...string) *service {
	t.Helper()
	s := launchService(t, databaseURL, environment...)
	eventually(t, "the service is ready", s.ready(http.StatusOK))
	return s
}

// launchService is startService for a service that may never be ready: it only waits until it
// serves.
func launchService(t testing.TB, databaseURL string, environment ...string) *service {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	started, err := program.Start(t.Context(), program.Options{File: self, Environment: append([]string{
		asProgram + "=1",
		"HOME=" + t.TempDir(),
		"DATABASE_URL=" + databaseURL,
		"TEMPORAL_ADDRESS=" + stacktest.TemporalAddress(t),
		"HEARTBEAT_INTERVAL=1s", "SHUTDOWN_TIMEOUT=10s", "HTTP_ALLOW=127.0.0.1",
		"CELLS=" + os.Getenv("TEST_CELLS"), // empty is the default
		"GORACE=" + os.Getenv("GORACE"),    // else each process that ends is a second late
	}, environment...)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		started.Signal(syscall.SIGKILL)
		<-started.Done()
		if t.Failed() {
			t.Logf("the service's log:\n%s", started.Log())
		}
	})
	return &service{Service: started, t: t, address: started.Address()}
}

func (s *service) output() string { return s.Log() }

func (s *service) signal(sig syscall.Signal) { s.Signal(sig) }

// stop sends a signal and gives the exit code.
func (s *service) stop(sig syscall.Signal) int {
	s.t.Helper()
	s.Signal(sig)
	select {
	case <-s.Done():
	case <-time.After(time.Minute):
		s.t.Fatal("the service didn't end")
	}
	return s.ExitCode()
}

func (s *service) get(path string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	status, b, err := s.Get(ctx, path)
	return status, string(b), err
}

func eventually(t testing.TB, what string, f func() error) {
	t.Helper()
	stacktest.Eventually(t, what, f)
}

// isOneOf tells whether an execution that a row names is one of those.
func isOneOf(runs []client.WorkflowRun, workflowID, runID string) bool {
	return slices.ContainsFunc(runs, func(run client.WorkflowRun) bool { return run.GetID() == workflowID && run.GetRunID() == runID })
}
