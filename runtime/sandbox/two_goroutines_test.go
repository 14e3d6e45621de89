package sandbox

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"workflow-worker/docker/stack/stacktest/race"
)

const twoInOneVM = "WORKFLOW_WORKER_TEST_TWO_IN_ONE_VM"

// The tests are built without the race detector inside of goja, which it makes three times as slow.
func TestTheRaceDetectorSeesTwoGoroutinesInOneVM(t *testing.T) {
	t.Parallel()
	if os.Getenv(twoInOneVM) != "" {
		enterTogether(t)
		return
	}
	if !race.Enabled {
		t.Skip("there is no race detector")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), twoInOneVM+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "WARNING: DATA RACE") {
		t.Errorf("nothing was seen: %v\n%s", err, out)
	}
}

// enterTogether enters one VM from two goroutines, which nothing keeps apart.
func enterTogether(t *testing.T) {
	v := newVM(t)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if err := v.Enter(t.Context(), time.Minute, func() error { return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
