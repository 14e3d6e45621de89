package stacktest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest/race"
)

// ServiceProgram is the path of the service's program, for tests of what runs
// beside it. Unless EnvServiceProgram names one, the binary's first call builds it
// from this checkout, with -race if the tests have that; Main removes it.
func ServiceProgram(t testing.TB) string {
	t.Helper()
	if built := os.Getenv(EnvServiceProgram); built != "" {
		return built
	}
	path, err := shared.serviceProgram(t)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *servers) serviceProgram(t testing.TB) (string, error) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.programs == "" {
		s.mustRun(t)
		root, err := stack.Root()
		if err != nil {
			return "", err
		}
		dir, err := os.MkdirTemp("", "workflow-worker-program-") //nolint:usetesting // it outlives the test, for the next one
		if err != nil {
			return "", err
		}
		// The tests' own build flags, so that what was compiled for them needs only linking.
		args := append([]string{"build", "-buildvcs=false", "-pgo=off", "-o", dir}, race.BuildFlags()...)
		build := exec.Command("go", append(args, "./cmd/workflow-worker")...)
		build.Dir = root
		if out, err := build.CombinedOutput(); err != nil {
			return "", errors.Join(fmt.Errorf("build the service: %w: %s", err, out), os.RemoveAll(dir))
		}
		s.programs = dir
	}
	return filepath.Join(s.programs, "workflow-worker"), nil
}
