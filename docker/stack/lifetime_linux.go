package stack

import (
	"os"
	"syscall"
)

// EndWithParent has the kernel send this process SIGTERM when its parent dies,
// so that `make` killed outright leaves no servers behind. Call it from main's
// init: the kernel binds it to the calling thread, and only the main thread, which
// init runs on, surely lives as long as the process.
func EndWithParent() {
	const prSetPdeathsig = 1
	parent := os.Getppid()
	// An error would mean a kernel without it; then nothing is lost but the convenience.
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, prSetPdeathsig, uintptr(syscall.SIGTERM), 0)
	if os.Getppid() != parent { // it died before we asked
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
	}
}
