//go:build unix

package main

import (
	"os"
	"syscall"
)

// levelSignal asks for more of the log, and for less again.
var levelSignal os.Signal = syscall.SIGUSR1
