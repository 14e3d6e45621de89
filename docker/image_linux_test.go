package docker_test

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"fmt"
	"go/version"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
)

// The Dockerfile's steps make a static binary that runs as the image's user in the
// image's file system: it migrates, serves a project, answers its own health check
// and stops cleanly.
func TestTheImageRunsAProject(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the service")
	}
	t.Parallel()
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	// Without the profile: compiling all that the program consists of by it takes minutes.
	made := build(t, root, filepath.Join(root, "docker", "Dockerfile"), map[string]string{"PGO": "off"})
	if made.base != "scratch" || made.user != "65532:65532" {
		t.Errorf("from %s as user %q, want scratch and 65532:65532", made.base, made.user)
	}
	if made.healthcheck[0] != made.entrypoint[0] {
		t.Errorf("health check %v is not the program itself %v", made.healthcheck, made.entrypoint)
	}
	checkStatic(t, filepath.Join(made.root, made.entrypoint[0]))
	if text, err := os.ReadFile(filepath.Join(made.root, "etc/ssl/certs/ca-certificates.crt")); err != nil || !strings.Contains(string(text), "BEGIN CERTIFICATE") {
		t.Errorf("no certificates of authorities in the image: %v", err)
	}

	for _, label := range []string{"title", "description", "version", "revision", "licenses"} {
		if !strings.Contains(made.labels, "org.opencontainers.image."+label+`="`) {
			t.Errorf("the label %s is not in %s", label, made.labels)
		}
	}
	notices, err := os.ReadFile(filepath.Join(made.root, "NOTICES"))
	if err != nil || !strings.Contains(string(notices), "npm: @temporalio/workflow ") || !strings.Contains(string(notices), "github.com/jackc/pgx/v5 ") {
		t.Errorf("no notices of licences in the image: %v, %d bytes", err, len(notices))
	}
	// Whoever builds the same commit elsewhere gets the same.
	second := made.stages["build"].again(t)
	for name, in := range map[string]string{"workflow-worker": made.entrypoint[0], "NOTICES": "NOTICES"} {
		first, err := os.ReadFile(filepath.Join(made.root, in))
		if err != nil {
			t.Fatal(err)
		}
		if other, err := os.ReadFile(filepath.Join(second.root, "out", name)); err != nil || !bytes.Equal(other, first) {
			t.Errorf("built in another folder, %s is another: %v, %d and %d bytes", name, err, len(other), len(first))
		}
	}

	port := freePort(t)
	database := stacktest.Database(t)
	container := made.container(t, "DATABASE_URL="+database, "TEMPORAL_ADDRESS="+stacktest.TemporalAddress(t),
		"WORKER_SERVICE_HOST=127.0.0.1", fmt.Sprint("WORKER_SERVICE_PORT=", port))

	if err := container(t.Context(), made.healthcheck).Run(); err == nil {
		t.Error("the health check succeeds before the service runs")
	}
	service := container(context.WithoutCancel(t.Context()), made.entrypoint)
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = service.Process.Kill()
		_ = service.Wait()
	})
	until(t, "the health check succeeds", func(ctx context.Context) error {
		return container(ctx, made.healthcheck).Run()
	})
	answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/health", port))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var health struct{ Status, Service string }
	if err := json.NewDecoder(answer.Body).Decode(&health); err != nil || health.Status != "ok" {
		t.Errorf("/health: %+v, %v", health, err)
	}

	// A project needs the bundle, the compiler's child process and the database.
	c, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	if _, err := c.Exec(t.Context(), `
WITH p AS (INSERT INTO projects (name, task_queue_name) VALUES ('image', $1) RETURNING id),
     w AS (INSERT INTO workflows (project_id, kebab_name) SELECT id, 'hello' FROM p RETURNING id)
INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code)
SELECT id, '1.0.0', 'export async function hello(name: string): Promise<string> { return name }' FROM w`, stacktest.TaskQueue(t)); err != nil {
		t.Fatal(err)
	}
	until(t, "the project's worker runs with its workflow", func(ctx context.Context) error {
		var row string
		if err := c.QueryRow(ctx, `SELECT coalesce(string_agg(status || ' ' || metadata::text, ' '), 'no row') FROM workflow_workers`).Scan(&row); err != nil {
			return err
		}
		if !strings.HasPrefix(row, "running") || !strings.Contains(row, `"hello"`) {
			return fmt.Errorf("workflow_workers: %s", row)
		}
		return nil
	})

	if err := service.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := service.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
}

// container returns what makes commands of the image: as its user, in its file
// system, with nothing in the environment but what is given. Without root the two
// stay as they are.
func (i *image) container(t testing.TB, env ...string) func(context.Context, []string) *exec.Cmd {
	t.Helper()
	root := os.Getuid() == 0
	if root {
		// Every container has /proc; the service finds its own program by it.
		proc := filepath.Join(i.root, "proc")
		if err := os.Mkdir(proc, 0o555); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("proc", proc, "proc", 0, ""); err != nil {
			t.Logf("not in the image's file system: mounting /proc there: %v", err)
			root = false
		} else {
			t.Cleanup(func() {
				if err := syscall.Unmount(proc, syscall.MNT_DETACH); err != nil {
					t.Error(err)
				}
			})
		}
	}
	return func(ctx context.Context, command []string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Env = env
		cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
		if root {
			cmd.Dir = "/"
			cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: i.root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		} else {
			cmd.Path = filepath.Join(i.root, command[0])
		}
		return cmd
	}
}

// checkStatic fails for a program that needs a loader or libraries: scratch has none.
func checkStatic(t testing.TB, program string) {
	t.Helper()
	file, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			t.Error("the program is not static")
		}
	}
}

func TestBaseImagesArePinned(t *testing.T) {
	t.Parallel()
	pinned := regexp.MustCompile(`^\S+:\d+\.\d+\.\d+-[a-z-]+(@sha256:[0-9a-f]{64})?$`)
	found := 0
	for _, line := range instructions(t, "Dockerfile") {
		words := strings.Fields(line)
		if words[0] != "FROM" || words[1] == "scratch" {
			continue
		}
		found++
		if !pinned.MatchString(words[2]) {
			t.Errorf("%s: not a whole version", words[2])
		}
		if tag, found := strings.CutPrefix(words[2], "golang:"); found {
			if v, _, _ := strings.Cut(tag, "-"); version.Compare("go"+v, goVersion(t)) < 0 {
				t.Errorf("%s is older than go.mod wants: %s", words[2], goVersion(t))
			}
		}
	}
	if found != 4 {
		t.Errorf("%d base images, want 4", found)
	}
}

// goVersion is the one that go.mod asks for, as "go1.26.0".
func goVersion(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(regexp.MustCompile(`(?m)^go \S+`).FindString(string(text)), " ", "", 1)
}

func TestWhatIsMadeHereStaysOutOfTheContext(t *testing.T) {
	t.Parallel()
	ignored := dockerignore(t, "..")
	for name, want := range map[string]bool{
		".git/config": true, ".local/bin/temporal": true, "bin/workflow-worker": true,
		"runtime/bundle/node_modules/long/index.js": true, "runtime/bundle/dist/workflow.js": true, "cdc/cdc.test": true,
		"runtime/bundle/dist/.gitignore": false, "runtime/bundle/.npmrc": false, "go.mod": false,
		"cmd/workflow-worker/main.go": false, "migrations/role.sql": false, "migrations/sql/00001_tables.sql": false,
	} {
		if ignored(name) != want {
			t.Errorf("%s: left out %v, want %v", name, ignored(name), want)
		}
	}
}
