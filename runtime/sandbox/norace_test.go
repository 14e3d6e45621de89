//go:build !race

package sandbox

const slower = 1
