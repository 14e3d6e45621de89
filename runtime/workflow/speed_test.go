package workflow

import "testing"

// atSpeed is for a test whose code needs most of a task's second: the race detector takes ten times as
// long, and Temporal waits for a task no longer. `make test` runs these once more, without it.
func atSpeed(t *testing.T) {
	t.Helper()
	if raced {
		t.Skip("takes ten times its budget with the race detector; runs without it, too")
	}
}
