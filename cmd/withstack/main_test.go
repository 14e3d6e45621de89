package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"workflow-worker/docker/stack/stacktest"
)

// given addresses keep the tests from starting servers: they are about the command.
func givenServers(t *testing.T) {
	t.Setenv(stacktest.EnvDatabaseURL, "postgres://given")
	t.Setenv(stacktest.EnvTemporalAddress, "given:7233")
}

func TestCommandSeesAddressesAndItsExitCodeIsReturned(t *testing.T) {
	givenServers(t)
	for script, want := range map[string]int{
		"exit 0": 0,
		"exit 3": 3,
		`[ "$TEST_DATABASE_URL $TEST_TEMPORAL_ADDRESS" = "postgres://given given:7233" ] || exit 9`: 0,
	} {
		if code, err := run(t.Context(), []string{"--", "sh", "-c", script}); code != want || err != nil {
			t.Errorf("%s: code %d, error %v; want %d", script, code, err, want)
		}
	}
}

func TestKilledCommandIsAFailure(t *testing.T) {
	givenServers(t)
	if code, err := run(t.Context(), []string{"--", "sh", "-c", "kill -9 $$"}); code == 0 || err == nil {
		t.Errorf("code %d, error %v", code, err)
	}
}

func TestInterruptEndsTheCommandAndItsChildren(t *testing.T) {
	givenServers(t)
	pipe := filepath.Join(t.TempDir(), "child")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	go func() {
		// Returns once the child has opened its end, so once it runs.
		_, err := os.ReadFile(pipe)
		interrupt(errors.Join(interrupted, err))
	}()
	// The child, not the shell, would go on for a minute.
	code, err := run(ctx, []string{"--", "sh", "-c", "sh -c 'echo > " + pipe + "; exec sleep 60'; exit 0"})
	if code == 0 || !errors.Is(err, interrupted) {
		t.Errorf("code %d, error %v", code, err)
	}
}

func TestUsageIsAnError(t *testing.T) {
	if code, err := run(t.Context(), []string{"go", "test"}); code == 0 || err == nil || !strings.Contains(err.Error(), "usage") {
		t.Errorf("code %d, error %v", code, err)
	}
}
