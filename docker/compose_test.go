package docker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
)

// composeParser is the parser that `docker compose` itself uses, with its schema and
// its checks; it needs no engine.
const composeParser = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"

type composeFile struct {
	Services map[string]*composeService
}

type composeService struct {
	Image       string
	Build       *struct{ Context, Dockerfile string }
	Command     []string
	Environment map[string]string
	Ports       []struct {
		HostIP    string `json:"host_ip"`
		Published string
		Target    int
	}
	Volumes     []struct{ Type, Source, Target string }
	Healthcheck *struct{ Test []string }
	DependsOn   map[string]struct{ Condition string } `json:"depends_on"`
	Privileged  bool
	Restart     string
	Logging     struct{ Options map[string]string }
}

// compose returns the file as Compose understands it.
func compose(t testing.TB) composeFile {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "run", composeParser, "-format", "json", "compose.yaml")
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		t.Fatalf("compose.yaml: %v\n%s%s", err, out.Bytes(), complaints.Bytes())
	}
	var f composeFile
	if err := json.Unmarshal(out.Bytes(), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestComposeStartsInOrderAndStaysOnThisMachine(t *testing.T) {
	t.Parallel()
	f := compose(t)
	ports := map[string]string{}
	for name, s := range f.Services {
		if s.Build == nil && !regexp.MustCompile(`:v?\d+\.\d+`).MatchString(s.Image) {
			t.Errorf("%s: image %s is not pinned", name, s.Image)
		}
		if s.Build == nil && s.Healthcheck == nil {
			t.Errorf("%s has no health check", name)
		}
		if s.Restart != "unless-stopped" || s.Logging.Options["max-size"] == "" {
			t.Errorf("%s restarts %q and its log grows to %q", name, s.Restart, s.Logging.Options["max-size"])
		}
		for _, v := range s.Volumes {
			if v.Type != "bind" {
				continue
			}
			if _, err := os.Stat(v.Source); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if s.Privileged {
			t.Errorf("%s is privileged", name)
		}
		for _, p := range s.Ports {
			ports[p.Published] = fmt.Sprintf("%s %d", name, p.Target)
			if p.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open to %q, want this machine only", name, p.Published, p.HostIP)
			}
		}
	}
	for port, want := range map[string]string{
		"3011": "workflow-worker 3011", "8080": "temporal 8080", "7233": "temporal 7233", "5432": "postgres 5432",
		"9090": "prometheus 9090", "3000": "grafana 3000",
	} {
		if ports[port] != want {
			t.Errorf("port %s leads to %q, want %s", port, ports[port], want)
		}
	}

	service := f.service(t, "workflow-worker")
	for _, dependency := range []string{"postgres", "temporal"} {
		if got := service.DependsOn[dependency].Condition; got != "service_healthy" {
			t.Errorf("the service waits for %s to be %q, want service_healthy", dependency, got)
		}
	}
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	if service.Build.Context != root {
		t.Errorf("build context %s, want %s", service.Build.Context, root)
	}
	if _, err := os.Stat(filepath.Join(root, service.Build.Dockerfile)); err != nil {
		t.Error(err)
	}
	// What the variables name has to exist under these names.
	config, err := pgx.ParseConfig(service.Environment["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	postgres := f.service(t, "postgres")
	if config.Host != "postgres" || config.Password != postgres.Environment["POSTGRES_PASSWORD"] || config.Database != postgres.Environment["POSTGRES_DB"] {
		t.Errorf("DATABASE_URL does not fit the service postgres: %v", postgres.Environment)
	}
	if !slices.Contains(postgres.Command, "wal_level=logical") {
		t.Errorf("postgres runs %v, want wal_level=logical", postgres.Command)
	}
	if service.Environment["TEMPORAL_ADDRESS"] != "temporal:7233" {
		t.Errorf("TEMPORAL_ADDRESS=%s", service.Environment["TEMPORAL_ADDRESS"])
	}
}

// Temporal's command line and its health check, run with the same program.
func TestComposeRunsTemporalWithItsUI(t *testing.T) {
	t.Parallel()
	temporal := compose(t).service(t, "temporal")
	stacktest.TemporalAddress(t) // makes sure that the program is there
	program := temporalProgram(t)
	port, ui := freePort(t), freePort(t)
	args := append(slices.Clone(temporal.Command), fmt.Sprint("--port=", port))
	for i, arg := range args {
		args[i] = strings.NewReplacer("0.0.0.0", "127.0.0.1", "--ui-port=8080", fmt.Sprint("--ui-port=", ui),
			temporal.Volumes[0].Target, t.TempDir()).Replace(arg)
	}
	if slices.Equal(args[:len(args)-1], temporal.Command) {
		t.Fatal("nothing was replaced")
	}
	server := exec.CommandContext(t.Context(), program, args...)
	server.Stdout, server.Stderr = t.Output(), t.Output()
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Wait() }) // t.Context has ended it

	health := temporal.Healthcheck.Test
	if health[0] != "CMD" || health[1] != "temporal" {
		t.Fatalf("health check %v", health)
	}
	until(t, "Temporal is healthy", func(ctx context.Context) error {
		args := slices.Clone(health[2:])
		for i := range args {
			args[i] = strings.Replace(args[i], ":7233", fmt.Sprint(":", port), 1)
		}
		out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	until(t, "the web UI answers", func(ctx context.Context) error {
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", ui), http.NoBody)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(q)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("answers %s", answer.Status)
		}
		return nil
	})
}

func TestComposeAsksPostgresAsItsImageCan(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("pg_isready"); err != nil {
		t.Skip("no pg_isready here")
	}
	health := compose(t).service(t, "postgres").Healthcheck.Test
	config, err := pgx.ParseConfig(stacktest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(port uint16) error {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, health[1], health[2:]...)
		cmd.Env = append(os.Environ(), fmt.Sprint("PGPORT=", port))
		return cmd.Run()
	}
	if err := ask(config.Port); err != nil {
		t.Errorf("%v of a running server: %v", health, err)
	}
	if err := ask(uint16(freePort(t))); err == nil {
		t.Errorf("%v succeeds without a server", health)
	}
}

func (f composeFile) service(t testing.TB, name string) *composeService {
	t.Helper()
	if f.Services[name] == nil {
		t.Fatalf("no service %s", name)
	}
	return f.Services[name]
}

func freePort(t testing.TB) int {
	t.Helper()
	port, err := stack.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// temporalProgram is the one that the shared Temporal server runs on.
func temporalProgram(t testing.TB) string {
	t.Helper()
	if program, err := exec.LookPath("temporal"); err == nil {
		return program
	}
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(root, ".local", "bin", "temporal")
	if _, err := os.Stat(program); err != nil {
		t.Skip("the Temporal server is not of this machine: ", err)
	}
	return program
}

// until repeats f until it succeeds.
func until(t testing.TB, what string, f func(context.Context) error) {
	t.Helper()
	stacktest.Eventually(t, what, func() error { return f(t.Context()) })
}
