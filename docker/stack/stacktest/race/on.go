//go:build race

// Package race tells tests whether they were built with the race detector, under which code takes
// some ten times as long. Only tests import it.
package race

// Enabled tells that the race detector is on.
const Enabled = true
