package compile

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// limitData has the kernel refuse the process more memory than that.
func limitData(bytes uint64) {
	var now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_DATA, &now); err != nil {
		return // then the clock is the limit
	}
	now.Cur = min(bytes, now.Max)
	_ = unix.Setrlimit(unix.RLIMIT_DATA, &now) // likewise
}

// dieWithParent makes the kernel end the child when the parent dies without saying so.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
