//go:build !linux

package cell

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// confined says what the system can't do for a cell.
func confined() (lacks []string, err error) {
	for fd := callsFile; fd < filesEnd; fd++ {
		unix.CloseOnExec(fd)
	}
	return []string{"Landlock, no new privileges, being ended before its parent: they are Linux's"}, nil
}

func attributes() *syscall.SysProcAttr { return nil }

func wait(cmd *exec.Cmd) error { return cmd.Wait() }

func ownProgram() (string, error) { return os.Executable() }

func confinement([]string) ([]string, error) { return nil, nil }
