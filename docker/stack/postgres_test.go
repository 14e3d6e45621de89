package stack_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack"
)

func TestPostgresStopLeavesNoProcessAndNoDirectory(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, stack.PostgresOptions{})
	dir := show(t, p, "data_directory")
	pid := p.PID()
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there: %v", pid, err)
	}
	if _, err := os.Stat(filepath.Dir(dir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", filepath.Dir(dir), err)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Errorf("stopping again: %v", err)
	}
}

func TestPostgresRestartKeepsPortAndData(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, stack.PostgresOptions{})
	exec(t, p, "CREATE TABLE kept AS SELECT 42 AS answer")
	url, pid := p.URL("postgres"), p.PID()
	if err := p.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p.URL("postgres") != url {
		t.Errorf("was at %s, is at %s", url, p.URL("postgres"))
	}
	if p.PID() == pid {
		t.Error("the same process: it was not restarted")
	}
	if got := query(t, p, "SELECT answer::text FROM kept"); got != "42" {
		t.Errorf("kept %s", got)
	}
}

func TestPostgresStreamsLogicalChangesByDefault(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, stack.PostgresOptions{Settings: map[string]string{"wal_sender_timeout": "7s", "cluster_name": "it's quoted"}})
	for name, want := range map[string]string{
		"wal_level": "logical", "max_replication_slots": "50", "max_wal_senders": "50", "listen_addresses": "127.0.0.1",
		"unix_socket_directories": "", "wal_sender_timeout": "7s", "cluster_name": "it's quoted",
	} {
		if got := show(t, p, name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func TestPostgresLetsTestsAlterItsSettings(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, stack.PostgresOptions{})
	exec(t, p, "ALTER SYSTEM SET wal_level = replica")
	if err := p.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := show(t, p, "wal_level"); got != "replica" {
		t.Errorf("wal_level = %s", got)
	}
}

func TestPostgresKeepsAGivenDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(reachableTempDir(t), "data")
	p := startPostgres(t, stack.PostgresOptions{Dir: dir})
	exec(t, p, "CREATE TABLE kept AS SELECT 42 AS answer")
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	p = startPostgres(t, stack.PostgresOptions{Dir: dir})
	if got := query(t, p, "SELECT answer::text FROM kept"); got != "42" {
		t.Errorf("kept %s", got)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := stack.RemoveData(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

// Root's checkout may lie below /root, where PostgreSQL's user gets nowhere.
func TestPostgresStartsForADirectoryThatItsUserCannotReach(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root starts PostgreSQL as another user")
	}
	closed := reachableTempDir(t)
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(closed, "checkout", ".local", "postgres")
	t.Cleanup(func() {
		if err := stack.RemoveData(dir); err != nil {
			t.Error(err)
		}
	})
	p := startPostgres(t, stack.PostgresOptions{Dir: dir})
	elsewhere := show(t, p, "data_directory")
	if strings.HasPrefix(elsewhere, closed) {
		t.Errorf("runs in %s", elsewhere)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := startPostgres(t, stack.PostgresOptions{Dir: dir})
	if got := show(t, again, "data_directory"); got != elsewhere {
		t.Errorf("was in %s, is in %s", elsewhere, got)
	}
	if err := again.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := stack.RemoveData(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(elsewhere); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", elsewhere, err)
	}
}

// A killed server leaves its pid file, and the number may be another server's by now.
func TestPostgresStartsOverAPIDFileOfAnotherProcess(t *testing.T) {
	t.Parallel()
	other := startPostgres(t, stack.PostgresOptions{})
	p := startPostgres(t, stack.PostgresOptions{})
	file := filepath.Join(show(t, p, "data_directory"), "postmaster.pid")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.StopServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n")
	stale := query(t, other, "SELECT pg_read_file('postmaster.pid')")
	pid, _, _ := strings.Cut(stale, "\n")
	if err := os.WriteFile(file, []byte(pid+"\n"+rest), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := p.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestPostgresStopSaysThatItHadToUseForce(t *testing.T) {
	t.Parallel()
	p := startPostgres(t, stack.PostgresOptions{})
	pid := p.PID()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil { // it hears nothing any more
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := p.Stop(ctx); err == nil {
		t.Error("no error")
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there: %v", pid, err)
	}
}

func TestPostgresSaysWhyItDidNotStart(t *testing.T) {
	t.Parallel()
	p, err := stack.StartPostgres(t.Context(), stack.PostgresOptions{Settings: map[string]string{"wal_level": "sideways"}})
	if err == nil {
		t.Error("it started", p.Stop(t.Context()))
	} else if !strings.Contains(err.Error(), "wal_level") {
		t.Errorf("the error doesn't name the setting: %v", err)
	}
}

func startPostgres(t *testing.T, o stack.PostgresOptions) *stack.Postgres {
	t.Helper()
	p, err := stack.StartPostgres(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

// reachableTempDir is like t.TempDir, whose parent is closed to everyone else.
func reachableTempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "stack-test-") //nolint:usetesting // t.TempDir's parent is the closed one
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func show(t *testing.T, p *stack.Postgres, setting string) string {
	t.Helper()
	return query(t, p, "SELECT current_setting('"+setting+"')")
}

func query(t *testing.T, p *stack.Postgres, sql string) string {
	t.Helper()
	conn := connect(t, p)
	defer conn.Close(t.Context())
	var value string
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func exec(t *testing.T, p *stack.Postgres, sql string) {
	t.Helper()
	conn := connect(t, p)
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func connect(t *testing.T, p *stack.Postgres) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	return conn
}
