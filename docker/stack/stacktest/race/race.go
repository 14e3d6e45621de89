// Package race tells tests whether they were built with the race detector, under which code takes
// some ten times as long. Only tests import it.
package race

import "testing"

// AtSpeed is for a test whose code needs most of the time that it may take, or that does a lot: with
// the race detector it would tell nothing. `make test` runs these without it; they are named in the
// Makefile.
func AtSpeed(t testing.TB) {
	t.Helper()
	if Enabled {
		t.Skip("takes ten times its budget with the race detector; `make test` runs it without")
	}
}
