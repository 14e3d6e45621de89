package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// PgBouncerOptions describes a PgBouncer before a server of this machine.
type PgBouncerOptions struct {
	// Server is the URL of any database of the server.
	Server string
	// Mode is PgBouncer's pool_mode: session or transaction.
	Mode string
	// PoolSize is how many connections to the server there are for each database and
	// user. 0 means 4: few enough for statements to change from one to the other; in
	// session mode, where each client keeps one, 20.
	PoolSize int
	// Users may connect beside the server URL's own; nobody needs a password.
	Users []string
	// Log receives its log; nil discards it.
	Log io.Writer
	// Progress receives a line when it must be installed first; nil discards it.
	Progress io.Writer
}

// PgBouncer is a pooler that this process started.
type PgBouncer struct {
	server  *url.URL
	port    int
	dir     *tempDir
	process *Process
}

// findPgBouncer returns its program: this machine's, else the one of Debian's package.
func findPgBouncer(ctx context.Context, progress io.Writer) (string, error) {
	for try := range 2 {
		for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} { // Debian's lies where only root looks
			if path, err := exec.LookPath(name); err == nil {
				return path, nil
			}
		}
		if try == 0 {
			if err := InstallPackages(ctx, progress, "pgbouncer"); err != nil {
				return "", err
			}
		}
	}
	return "", errors.New("the package pgbouncer brought no program")
}

// StartPgBouncer starts a pooler and returns when it accepts connections.
func StartPgBouncer(ctx context.Context, o PgBouncerOptions) (_ *PgBouncer, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("start PgBouncer: %w", err)
		}
	}()
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	switch {
	case o.PoolSize > 0:
	case o.Mode == "session":
		o.PoolSize = 20
	default:
		o.PoolSize = 4
	}
	program, err := findPgBouncer(ctx, o.Progress)
	if err != nil {
		return nil, err
	}
	account, err := serverAccount() // it doesn't run as root either
	if err != nil {
		return nil, err
	}
	server, err := url.Parse(o.Server)
	if err != nil {
		return nil, errors.New("the server's URL can't be read")
	}
	dir, err := newTempDir("pgbouncer", account)
	if err != nil {
		return nil, err
	}
	b := &PgBouncer{server: server, dir: dir}
	if b.port, err = FreePort(); err == nil {
		err = b.configure(o)
	}
	if err != nil {
		return nil, errors.Join(err, dir.remove())
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, filepath.Join(dir.path, "pgbouncer.ini"))
	cmd.Dir, cmd.Env = dir.path, []string{"LC_ALL=C", "TZ=UTC"}
	if b.process, err = startProcess(cmd, account, syscall.SIGTERM, o.Log); err != nil {
		return nil, errors.Join(err, dir.remove())
	}
	if err := b.waitReady(ctx); err != nil {
		return nil, errors.Join(err, b.Stop(ctx))
	}
	return b, nil
}

func (b *PgBouncer) configure(o PgBouncerOptions) error {
	var users strings.Builder
	for _, user := range append(o.Users, b.server.User.Username()) {
		fmt.Fprintf(&users, "\"%s\" \"\"\n", user)
	}
	text := fmt.Sprintf(`[databases]
* = host=%s port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = %s
default_pool_size = %d
max_client_conn = 200
server_login_retry = 0.2
`, b.server.Hostname(), b.server.Port(), b.port, filepath.Join(b.dir.path, "users.txt"), o.Mode, o.PoolSize)
	// World-readable is fine here: nobody has a password.
	return errors.Join(os.WriteFile(filepath.Join(b.dir.path, "users.txt"), []byte(users.String()), 0o644),
		os.WriteFile(filepath.Join(b.dir.path, "pgbouncer.ini"), []byte(text), 0o644))
}

func (b *PgBouncer) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("it did not listen within 30s"))
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port)))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-b.process.done:
			return fmt.Errorf("it ended by itself (%w): %s", b.process.err, b.process.tail)
		case <-ctx.Done():
			return fmt.Errorf("%w: %s", context.Cause(ctx), b.process.tail)
		}
	}
}

// URL leads through the pooler to a database, given the URL that leads there directly.
func (b *PgBouncer) URL(direct string) (string, error) {
	u, err := url.Parse(direct)
	if err != nil {
		return "", errors.New("the database's URL can't be read")
	}
	u.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port))
	return u.String(), nil
}

// Stop ends it and removes its files.
func (b *PgBouncer) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	// SIGTERM is its immediate shutdown.
	return errors.Join(b.process.Stop(ctx), b.dir.remove())
}
