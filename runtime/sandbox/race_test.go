//go:build race

package sandbox

// raced tells that this was built with the race detector.
const raced = true
