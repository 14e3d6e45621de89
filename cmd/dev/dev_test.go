package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/client"

	"workflow-worker/cmd/dev/devenv"
	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
)

// serviceEnv makes this test binary the service that `make dev` runs.
const serviceEnv = "DEV_TEST_SERVICE"

func TestMain(m *testing.M) {
	switch os.Getenv(serviceEnv) {
	case "":
		stacktest.Main(m)
	case "broken":
		if len(os.Args) == 1 {
			fmt.Println("nothing works")
			os.Exit(7)
		}
	default:
		if len(os.Args) == 1 {
			serve()
		}
	}
}

// serve answers /health until it is asked to end.
func serve() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	mux := http.NewServeMux()
	mux.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("WORKER_SERVICE_PORT"), Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	_ = server.ListenAndServe()
}

// newTestDev is a checkout of its own whose service is this test binary.
func newTestDev(t *testing.T, service string) *dev {
	t.Helper()
	t.Setenv(serviceEnv, service)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return newDevOf(t, self)
}

// newDevOf is a checkout of its own with this program as the service.
func newDevOf(t *testing.T, program string) *dev {
	t.Helper()
	t.Setenv("DATABASE_URL", "")
	t.Setenv("TEMPORAL_ADDRESS", "")
	t.Setenv("TEMPORAL_NAMESPACE", "")
	root := t.TempDir()
	d := &dev{root: root, local: filepath.Join(root, ".local")}
	if err := errors.Join(os.Mkdir(d.local, 0o755), os.Mkdir(filepath.Join(root, "bin"), 0o755),
		os.Symlink(program, filepath.Join(root, "bin", "workflow-worker"))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.clean(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestDevRunsTheStackUntilInterruptedAndKeepsItsData(t *testing.T) {
	d := newTestDev(t, "healthy")
	addresses, stop := runDev(t, d)
	if err := d.run(t.Context()); err == nil || !strings.Contains(err.Error(), "already runs") {
		t.Errorf("a second one beside it: %v", err)
	}
	if status, err := get(t.Context(), addresses.ServiceURL+"/health"); status != http.StatusOK {
		t.Errorf("service: %d, %v", status, err)
	}
	if status, err := get(t.Context(), addresses.TemporalUI); status != http.StatusOK {
		t.Errorf("Temporal's UI: %d, %v", status, err)
	}
	execute(t, addresses.DatabaseURL, "CREATE TABLE kept ()")
	stop()
	for _, address := range []string{addresses.TemporalAddress, strings.TrimPrefix(addresses.ServiceURL, "http://")} {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			t.Errorf("somebody still listens on %s", address)
		}
	}
	if _, err := devenv.Read(d.root); !errors.Is(err, devenv.ErrNotRunning) {
		t.Errorf("its addresses are still told: %v", err)
	}

	addresses, stop = runDev(t, d)
	execute(t, addresses.DatabaseURL, "SELECT FROM kept")
	stop()
}

func TestDevRunsTheServiceOnItsOwnServersWhateverTheEnvironmentNames(t *testing.T) {
	d := newDevOf(t, stacktest.ServiceProgram(t))
	// What a developer may have around for servers elsewhere.
	t.Setenv("REPLICATION_DATABASE_URL", "postgres://nobody@127.0.0.1:1/nowhere")
	t.Setenv("TEMPORAL_TLS", "true")
	t.Setenv("TEMPORAL_API_KEY", "secret")
	t.Setenv("TEMPORAL_PROFILE", "missing")
	addresses, stop := runDev(t, d)
	defer stop()

	const project = "d0d0d0d0-0000-4000-8000-000000000001"
	execute(t, addresses.DatabaseURL, `
INSERT INTO projects (id, name, task_queue_name) VALUES ('`+project+`', 'Test', 'test');
INSERT INTO workflows (id, project_id, kebab_name, display_name, definition) VALUES ('`+project+`', '`+project+`', 'one', 'One', '{}');
INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code, is_active)
VALUES ('`+project+`', '1', 'export async function one() { return 1 }', true)`)
	temporal, err := client.Dial(client.Options{HostPort: addresses.TemporalAddress, Namespace: addresses.TemporalNamespace})
	if err != nil {
		t.Fatal(err)
	}
	defer temporal.Close()
	run, err := temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: "test"}, "one")
	if err != nil {
		t.Fatal(err)
	}
	var result int
	if err := run.Get(t.Context(), &result); err != nil || result != 1 {
		t.Errorf("%d, %v", result, err)
	}
	var health struct {
		Status string
		Stream struct{ Mode string }
	}
	getJSON(t, addresses.ServiceURL+"/health", &health)
	if health.Status != "ok" || health.Stream.Mode != "streaming" {
		t.Errorf("%+v", health)
	}
}

func TestDevSaysThatTheServiceEndedAndStopsTheRest(t *testing.T) {
	d := newTestDev(t, "broken")
	err := d.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "service ended") || !strings.Contains(err.Error(), "7") {
		t.Errorf("%v", err)
	}
	if pid, err := os.ReadFile(filepath.Join(d.local, "postgres", "postmaster.pid")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("PostgreSQL still runs: %s %v", pid, err)
	}
}

func TestDevUsesThePortsThatPeopleKnowUnlessTheyAreTaken(t *testing.T) {
	free, err := stack.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	if port, err := choosePort("a server", free); port != free || err != nil {
		t.Errorf("port %d, error %v; want %d", port, err, free)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	number := taken.Addr().(*net.TCPAddr).Port
	if port, err := choosePort("a server", number); port == number || err != nil {
		t.Errorf("port %d, error %v; that one is taken", port, err)
	}
}

func get(ctx context.Context, url string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// runDev runs it until stop is called, and returns when it is up.
func runDev(t *testing.T, d *dev) (addresses devenv.Addresses, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx) }()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		a, err := devenv.Read(d.root)
		if err == nil {
			return a, stop
		}
		select {
		case <-tick.C:
		case err := <-ended:
			cancel()
			t.Fatalf("it ended by itself: %v", err)
		}
	}
}

func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func execute(t *testing.T, databaseURL, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestSettingsOfTheShellAreNamed(t *testing.T) {
	root := t.TempDir()
	page := filepath.Join(root, "cmd", "workflow-worker", "README.md")
	if err := errors.Join(os.MkdirAll(filepath.Dir(page), 0o755), os.WriteFile(page, []byte("| `LOG_LEVEL`, `LOG_FORMAT` | `info` | |\n| `HTTP_ALLOW` | | |\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	s := &servers{dev: &dev{root: root}, temporal: &stack.Temporal{}}
	out := captured(t, func() {
		s.tellSettings([]string{"HTTP_ALLOW=10.0.0.0/8", "LOG_LEVEL=debug", "LOG_FORMAT=", "PATH=/bin", "TEMPORAL_API_KEY=hidden"})
	})
	for _, want := range []string{"from this shell: HTTP_ALLOW, LOG_LEVEL\n", "another server: TEMPORAL_API_KEY\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in %q", want, out)
		}
	}
	if strings.Contains(out, "hidden") || strings.Contains(out, "PATH") {
		t.Errorf("it tells too much: %q", out)
	}
}

// captured gives what f prints.
func captured(t *testing.T, f func()) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = file // what prints has no other doorway
	f()
	os.Stdout = stdout
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
