//go:build race

package sandbox

// slower is how much more time and memory things take under the race detector.
const slower = 10
