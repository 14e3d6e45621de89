//go:build race

package raced

// On tells that this was built with the race detector.
const On = true
