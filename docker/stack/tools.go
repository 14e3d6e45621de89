package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// temporalCLI is the version that is built where the machine has none: the last
// one with the server that our figures were measured against.
const temporalCLI = "github.com/temporalio/cli/cmd/temporal@v1.5.1"

// findTemporal returns Temporal's CLI: the one on PATH, else the one that is there
// from earlier, for this checkout or another one of this user, else the release, else
// one built now.
func findTemporal(ctx context.Context, progress io.Writer) (string, error) {
	if path, err := exec.LookPath("temporal"); err == nil {
		return path, nil
	}
	cache, err := cacheDir()
	if err != nil {
		return "", fmt.Errorf("find Temporal's CLI: %w", err)
	}
	name, version := toolName(temporalCLI)
	if built := filepath.Join(cache, name+"-"+version); !isBuiltFrom(built, version) {
		released, err := releasedTemporal(ctx, progress, cache, version)
		if err == nil {
			return released, nil
		}
		fmt.Fprintf(progress, "the release can't be had: %v\n", err)
	}
	return InstallTool(ctx, progress, temporalCLI, "this takes two to five minutes, by the machine; `temporal` on PATH would be used instead")
}

// reachTimeout bounds the question whether releases can be had; fetchTimeout their
// fetching, 40 MB, with the program that does it, which has to be compiled.
const (
	reachTimeout = 5 * time.Second
	fetchTimeout = 6 * time.Minute
)

// releasedTemporal returns the release, fetched once by the Go SDK's own downloader. That is a
// program of its own: the SDK takes a minute to compile, which nobody waits for who has the CLI.
func releasedTemporal(ctx context.Context, progress io.Writer, dir, version string) (string, error) {
	path := filepath.Join(dir, "temporal-cli-"+version) // as the downloader names it
	if exists(path) {
		return path, nil
	}
	root, err := Root()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	// Where nothing answers, the downloader would wait as long as it may.
	asking, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	q, err := http.NewRequestWithContext(asking, http.MethodHead, "https://temporal.download/", http.NoBody)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return "", err
	}
	_ = answer.Body.Close() // it has none
	fmt.Fprintf(progress, "fetching Temporal's CLI %s, once: some 40 MB\n", version)
	fetching, stop := context.WithTimeout(ctx, fetchTimeout)
	defer stop()
	fetch := exec.CommandContext(fetching, "go", "run", "./docker/stack/release", "-version", version, "-dir", dir)
	fetch.Dir = root
	said, err := fetch.CombinedOutput()
	if exists(path) {
		return path, nil
	}
	return "", fmt.Errorf("%w: %s", err, bytes.TrimSpace(said))
}

// InstallTool returns a Go program (package path and version), built once into
// .local/bin of the checkout. A copy in the user's cache directory serves the
// next clone. The remark is said before a build starts.
func InstallTool(ctx context.Context, progress io.Writer, pkg, remark string) (string, error) {
	name, version := toolName(pkg)
	cache, err := cacheDir()
	if err != nil {
		return "", fmt.Errorf("install %s: %w", pkg, err)
	}
	cached := filepath.Join(cache, name+"-"+version)
	installed := cached
	if root, err := Root(); err == nil {
		installed = filepath.Join(root, ".local", "bin", name)
	}
	switch {
	case isBuiltFrom(installed, version):
		if !exists(cached) {
			_ = place(installed, cached) // the next clone would have to build it, no more
		}
		return installed, nil
	case isBuiltFrom(cached, version):
		if err := place(cached, installed); err != nil {
			return "", fmt.Errorf("install %s from %s: %w", pkg, cached, err)
		}
		return installed, nil
	}
	fmt.Fprintf(progress, "building %s, once: %s\n", pkg, remark)
	bin, err := os.MkdirTemp("", "workflow-worker-build-")
	if err != nil {
		return "", fmt.Errorf("install %s: %w", pkg, err)
	}
	defer os.RemoveAll(bin)
	cmd := exec.CommandContext(ctx, "go", "install", pkg)
	cmd.Env = append(os.Environ(), "GOBIN="+bin, "CGO_ENABLED=0", "GOFLAGS=")
	output := new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("install %s: %w: %s", pkg, err, output)
	}
	err = errors.Join(place(filepath.Join(bin, name), cached), place(filepath.Join(bin, name), installed))
	if err != nil {
		return "", fmt.Errorf("install %s: %w", pkg, err)
	}
	return installed, nil
}

// toolName takes github.com/owner/repo/cmd/temporal@v1 apart into temporal and v1.
func toolName(pkg string) (name, version string) {
	path, version, _ := strings.Cut(pkg, "@")
	return filepath.Base(path), version
}

// isBuiltFrom asks for the version that `go install` writes into a program, so that
// another pinned version replaces an old one.
func isBuiltFrom(program, version string) bool {
	said, err := exec.Command("go", "version", "-m", program).Output()
	if err != nil {
		return false
	}
	module := isBuilt.FindSubmatch(said)
	return module != nil && string(module[1]) == version
}

// isBuilt is what `go version -m` says of the main module.
var isBuilt = regexp.MustCompile(`(?m)^\tmod\t\S+\t(\S+)`)

// place copies a program to where others may look for it at the same moment: it
// appears complete or not at all. A hard link saves Temporal's 250 MB.
func place(from, to string) error {
	if from == to {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(to), "placing-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	unfinished := filepath.Join(dir, filepath.Base(to))
	if os.Link(from, unfinished) != nil {
		if err := copyProgram(from, unfinished); err != nil {
			return err
		}
	}
	return os.Rename(unfinished, to)
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// Root is the checkout that the process works in: the nearest folder upwards
// with our go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for start := dir; ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(text, []byte("module workflow-worker\n")) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside a checkout of workflow-worker", start)
		}
	}
}
