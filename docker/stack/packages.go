package stack

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

//go:embed packages/package.json packages/package-lock.json
var nodePackages embed.FS

// NodePackages returns a folder of npm packages as an operator names it with
// MODULES_DIR. npm installs what packages/package-lock.json pins into .local of
// the checkout, once for each lock file.
func NodePackages(ctx context.Context, progress io.Writer) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	lock, err := nodePackages.ReadFile("packages/package-lock.json")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(lock)
	dir := filepath.Join(root, ".local", "packages-"+hex.EncodeToString(sum[:4]))
	if exists(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	// Test programs ask at the same moment; one installs, the others wait.
	f, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	if exists(dir) {
		return dir, nil
	}
	if err := installNodePackages(ctx, progress, dir); err != nil {
		return "", fmt.Errorf("install npm packages into %s: %w", dir, err)
	}
	return dir, nil
}

func installNodePackages(ctx context.Context, progress io.Writer, dir string) error {
	unfinished := dir + ".new"
	if err := errors.Join(os.RemoveAll(unfinished), os.CopyFS(unfinished, nodePackages)); err != nil {
		return err
	}
	fmt.Fprintln(progress, "installing npm packages for the tests, once")
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = filepath.Join(unfinished, "packages")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w: %s", err, output)
	}
	return errors.Join(os.Rename(cmd.Dir, dir), os.RemoveAll(unfinished))
}
