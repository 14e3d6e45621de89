package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// PostgresOptions describes a PostgreSQL server. The zero value is a server for
// one test: a temporary directory, a free port, settings for logical replication.
type PostgresOptions struct {
	// Dir is the data directory, made when it doesn't exist and kept by Stop. If
	// PostgreSQL's user cannot reach it (we are root, in a checkout below /root),
	// the data lies in a directory of ours elsewhere and Dir is a symbolic link to
	// it; RemoveData removes both. Empty means a temporary one, removed by Stop.
	Dir string
	// Port of 127.0.0.1; 0 means a free one.
	Port int
	// Binaries is the folder of the server's programs. Empty means those that
	// findPostgres finds.
	Binaries string
	// Settings are added to postgresql.conf, over the defaults (see settings).
	// ALTER SYSTEM overrides both.
	Settings map[string]string
	// Log receives the server's log; nil discards it. The end of it is part of
	// the error when the server doesn't start.
	Log io.Writer
	// Progress receives a line when PostgreSQL must be fetched first; nil discards it.
	Progress io.Writer
}

// Postgres is a PostgreSQL server that this process started. Its methods may be
// called from any goroutine.
type Postgres struct {
	options   PostgresOptions
	binaries  string // the folder of initdb and postgres
	account   *account
	dir       string // the data directory, symbolic links resolved
	port      int
	temporary *tempDir // nil when the caller gave a directory

	mu     sync.Mutex // guards server, and makes starting and stopping one at a time
	server *Process   // nil while the server is down
}

// StartPostgres starts a server and returns when it accepts connections.
// Where PostgreSQL is not installed, it is fetched first (see findPostgres).
func StartPostgres(ctx context.Context, o PostgresOptions) (_ *Postgres, err error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	account, err := serverAccount()
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	binaries := o.Binaries
	if binaries == "" {
		if binaries, err = findPostgres(ctx, account, o.Progress); err != nil {
			return nil, fmt.Errorf("start PostgreSQL: %w", err)
		}
	}
	if account, err = serverAccount(); err != nil { // its package may just have made the user
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	p := &Postgres{options: o, binaries: binaries, account: account, port: o.Port}
	if o.Dir == "" {
		if p.temporary, err = newTempDir("postgres", account, inMemory()...); err != nil {
			return nil, fmt.Errorf("start PostgreSQL: %w", err)
		}
		p.dir = filepath.Join(p.temporary.path, "data")
	} else if p.dir, err = reachableDir(o.Dir, account); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := p.create(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL in %s: %w", p.dir, err), p.removeTemporary())
	}
	if err := p.firstStart(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL in %s: %w", p.dir, err), p.removeTemporary())
	}
	return p, nil
}

// URL is the superuser's connection URL for a database of this server.
func (p *Postgres) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.User("postgres"), Path: "/" + database, RawQuery: "sslmode=disable",
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)),
	}
	return u.String()
}

// PID is the postmaster's process id, 0 while the server is down.
func (p *Postgres) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server == nil {
		return 0
	}
	return p.server.PID()
}

// Stop ends the server by a fast shutdown and removes a temporary data directory.
// It may be called again. Past the context, or 30 s, the server is ended the hard
// way, and the error says so: whoever holds a replication connection open without
// confirming what it received makes a fast shutdown hang.
func (p *Postgres) Stop(ctx context.Context) error {
	return errors.Join(p.StopServer(ctx), p.removeTemporary())
}

var immediate = stopStep{signal: syscall.SIGQUIT, within: 10 * time.Second}

// StopServer ends the server as Stop does, but keeps its data for StartServer.
func (p *Postgres) StopServer(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server == nil {
		return nil
	}
	server := p.server
	p.server = nil
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	// SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one, after which
	// the postmaster gives its children five seconds before it kills them.
	if err := server.stop(ctx, syscall.SIGINT, immediate); err != nil {
		return fmt.Errorf("stop PostgreSQL on port %d: %w", p.port, err)
	}
	return nil
}

// StartServer starts a server that StopServer ended, with the same data and port.
func (p *Postgres) StartServer(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server != nil {
		// One that died by itself, or was killed by a test, may be started again.
		select {
		case <-p.server.done:
			p.server = nil
		default:
			return nil
		}
	}
	if err := p.start(ctx); err != nil {
		return fmt.Errorf("start PostgreSQL on port %d: %w", p.port, err)
	}
	return nil
}

// Restart is StopServer and StartServer.
func (p *Postgres) Restart(ctx context.Context) error {
	if err := p.StopServer(ctx); err != nil {
		return err
	}
	return p.StartServer(ctx)
}

func (p *Postgres) removeTemporary() error {
	if p.temporary == nil {
		return nil
	}
	return p.temporary.remove()
}

// create makes the data directory if there is none, completely or not at all: an
// initdb that is interrupted leaves a directory that looks finished.
func (p *Postgres) create(ctx context.Context) error {
	if version, err := os.ReadFile(filepath.Join(p.dir, "PG_VERSION")); err == nil {
		return p.checkVersion(ctx, strings.TrimSpace(string(version)))
	}
	parent := filepath.Dir(p.dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	unfinished := p.dir + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	if err := os.Mkdir(unfinished, 0o700); err != nil {
		return err
	}
	if err := p.account.own(unfinished); err != nil {
		return err
	}
	// C.UTF-8 is not everywhere; C is, and sorts the same.
	cmd := p.command(ctx, "initdb", "-D", unfinished, "-U", "postgres", "-A", "trust",
		"-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	cmd.Dir = unfinished // a directory that its user may be in
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.account.credential()}
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(out))), os.RemoveAll(unfinished))
	}
	return os.Rename(unfinished, p.dir)
}

// checkVersion refuses another major version's data, which the server would
// refuse too, in words that help.
func (p *Postgres) checkVersion(ctx context.Context, data string) error {
	out, err := p.command(ctx, "postgres", "--version").Output()
	if err != nil {
		return fmt.Errorf("ask %s for its version: %w", filepath.Join(p.binaries, "postgres"), err)
	}
	if fields := strings.Fields(string(out)); len(fields) < 3 || fields[2] != data && !strings.HasPrefix(fields[2], data+".") {
		return fmt.Errorf("the data is PostgreSQL %s's, the server is %s: remove it by `make clean`", data, strings.TrimSpace(string(out)))
	}
	return nil
}

// firstStart finds a port if none was given. Between finding and listening
// somebody else may take it: then another one.
func (p *Postgres) firstStart(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for try := 1; ; try++ {
		if p.options.Port == 0 {
			var err error
			if p.port, err = FreePort(); err != nil {
				return err
			}
		}
		if err := p.configure(); err != nil {
			return err
		}
		err := p.start(ctx)
		if taken := new(portTakenError); !errors.As(err, &taken) || p.options.Port != 0 || try == 5 {
			return err
		}
	}
}

type portTakenError struct{ log string }

func (e *portTakenError) Error() string { return "the port is taken: " + e.log }

// settings are the defaults under PostgresOptions.Settings. wal_level,
// max_replication_slots and max_wal_senders are what change capture needs;
// connections, slots and senders are plenty because all test binaries share one server.
func settings(temporary bool) map[string]string {
	s := map[string]string{
		"listen_addresses":          "127.0.0.1",
		"unix_socket_directories":   "", // their default lies outside our directory, and may not be ours to write
		"wal_level":                 "logical",
		"max_connections":           "300",
		"max_replication_slots":     "50",
		"max_wal_senders":           "50",
		"max_prepared_transactions": "5",
		"jit":                       "off", // compiling costs more than every query we have
		"lc_messages":               "C",
		"timezone":                  "UTC",
		"log_timezone":              "UTC",
	}
	if temporary { // it need not survive a power cut
		s["fsync"] = "off"
		s["full_page_writes"] = "off"
		s["max_wal_size"] = "256MB" // it lies in memory
		// In its directory, so that one that is killed leaves nothing elsewhere.
		s["dynamic_shared_memory_type"] = "mmap"
	}
	return s
}

const settingsFile = "workflow-worker.conf"

// configure writes our settings into a file that postgresql.conf includes. Not
// onto the command line, which would override a test's ALTER SYSTEM.
func (p *Postgres) configure() error {
	s := settings(p.temporary != nil)
	maps.Copy(s, p.options.Settings)
	s["port"] = strconv.Itoa(p.port)
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&text, "%s = '%s'\n", name, strings.ReplaceAll(s[name], "'", "''"))
	}
	// World-readable is fine here: the directory is not.
	if err := os.WriteFile(filepath.Join(p.dir, settingsFile), []byte(text.String()), 0o644); err != nil {
		return err
	}
	main := filepath.Join(p.dir, "postgresql.conf")
	old, err := os.ReadFile(main)
	if err != nil {
		return err
	}
	include := "\ninclude '" + settingsFile + "'\n"
	if strings.HasSuffix(string(old), include) {
		return nil
	}
	return os.WriteFile(main, append(old, include...), 0o644)
}

// start starts the server and waits until it is ready. The caller holds mu.
func (p *Postgres) start(ctx context.Context) error {
	if err := p.clearPIDFile(ctx); err != nil {
		return err
	}
	// With a directory of its own it is worth ending in order; a temporary one
	// goes with its owner.
	orphaned := syscall.SIGINT
	if p.temporary != nil {
		orphaned = syscall.SIGQUIT
	}
	// Not CommandContext: ctx is about starting, the server lives on.
	cmd := p.command(context.WithoutCancel(ctx), "postgres", "-D", p.dir)
	cmd.Dir = p.dir
	server, err := startProcess(cmd, p.account, orphaned, p.options.Log)
	if err != nil {
		return err
	}
	if err := p.waitReady(ctx, server); err != nil {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), immediate.within)
		defer cancel()
		_ = server.stop(stopping, immediate.signal) // err says more
		return err
	}
	p.server = server
	return nil
}

// waitReady watches the postmaster's own pid file, as pg_ctl does: unlike a
// connection it cannot be answered by somebody else's server.
func (p *Postgres) waitReady(ctx context.Context, server *Process) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 60*time.Second, errors.New("it was not ready within 60s"))
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if pid, status := p.pidFile(); pid == server.PID() && (status == "ready" || status == "standby") {
			return nil
		}
		select {
		case <-tick.C:
		case <-server.done:
			log := server.tail.String()
			if strings.Contains(log, "could not bind") || strings.Contains(log, "could not create any TCP/IP sockets") {
				return &portTakenError{log: log}
			}
			return fmt.Errorf("it ended by itself (%w): %s", server.err, log)
		case <-ctx.Done():
			return fmt.Errorf("%w: %s", context.Cause(ctx), server.tail.String())
		}
	}
}

// pidFile reads postmaster.pid: the process id and, once it is known, the status.
func (p *Postgres) pidFile() (pid int, status string) {
	text, err := os.ReadFile(filepath.Join(p.dir, "postmaster.pid"))
	if err != nil {
		return 0, ""
	}
	lines := strings.Split(string(text), "\n")
	pid, err = strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil {
		return 0, ""
	}
	if len(lines) > 7 {
		status = strings.TrimSpace(lines[7])
	}
	return pid, status
}

// clearPIDFile removes the pid file of a server that was killed. PostgreSQL does
// so itself, unless the id was given to another process of the same user since,
// such as another test's server. One that really runs here may be on its way
// out, its owner having just died: it gets a moment.
func (p *Postgres) clearPIDFile(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		pid, _ := p.pidFile()
		if pid == 0 || !runsIn(pid, p.dir) {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("another server runs on this directory (process %d)", pid)
		}
	}
	err := os.Remove(filepath.Join(p.dir, "postmaster.pid"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// command is one of PostgreSQL's programs in a clean environment: PG* variables
// and the locale of whoever runs the tests must not change what they do.
func (p *Postgres) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(p.binaries, name), args...)
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
	return cmd
}
