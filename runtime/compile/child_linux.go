package compile

import "syscall"

// dieWithParent makes the kernel end the child when the parent dies without saying so.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
