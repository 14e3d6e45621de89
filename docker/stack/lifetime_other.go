//go:build unix && !linux

package stack

// EndWithParent does nothing where the kernel offers no such signal.
func EndWithParent() {}
