// Package race tells tests whether they were built with the race detector, under which code takes
// some ten times as long. Only tests import it.
package race

import "testing"

// leftOut are the modules that the detector leaves alone: see the Makefile.
var leftOut = []string{"github.com/dop251/goja", "github.com/evanw/esbuild"}

// BuildFlags are those of `make test` by which these tests were built, as far as the detector goes.
func BuildFlags() []string {
	if !Enabled {
		return nil
	}
	flags := []string{"-race"}
	for _, module := range leftOut {
		flags = append(flags, "-gcflags="+module+"/...=-race=false")
	}
	return flags
}

// AtSpeed is for a test whose code needs most of the time that it may take, or that does a lot: with
// the race detector it would tell nothing. `make test` runs these without it; they are named in the
// Makefile.
func AtSpeed(t testing.TB) {
	t.Helper()
	if Enabled {
		t.Skip("takes ten times its budget with the race detector; `make test` runs it without")
	}
}
