// Package raced tells tests whether they were built with the race detector. It imports nothing of
// ours. Only tests import it.
package raced

import "testing"

// AtSpeed is for a test whose code needs most of the time that it may take: the race detector takes
// ten times as long. `make test` runs these once more, without it.
func AtSpeed(t testing.TB) {
	t.Helper()
	if On {
		t.Skip("takes ten times its budget with the race detector; runs without it, too")
	}
}
