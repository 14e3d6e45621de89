package workflow

import (
	"testing"

	"workflow-worker/docker/stack/stacktest/race"
)

// atSpeed is for a test whose code needs most of a task's second, or that runs everything again: the
// race detector takes ten times as long, and Temporal waits for a task no longer. `make test` runs
// these without it; they are named in the Makefile.
func atSpeed(t *testing.T) {
	t.Helper()
	if race.Enabled {
		t.Skip("takes ten times its budget with the race detector; `make test` runs it without")
	}
}
