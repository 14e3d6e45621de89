package cell

import (
	"os"

	"golang.org/x/sys/unix"
)

// pageFile is memory as a file.
func pageFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("cell", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "cell")
	return f, f.Truncate(pageSize)
}
