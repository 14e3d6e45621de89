package cell

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The first process of a container is given what others leave behind, and is the only one that can have
// it taken out of the table of processes.
func TestWhatACellHadStartedIsGoneWithIt(t *testing.T) {
	t.Parallel()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command("sh", "-c", "sleep 3600 >/dev/null & echo $!; kill -9 $$")
	cmd.Stdout, cmd.SysProcAttr = &said, attributes()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := wait(cmd); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("it ended with %v", err)
	}
	left := strings.TrimSpace(said.String())
	if _, err := os.Stat(filepath.Join("/proc", left)); left == "" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("process %q that it had started is there: %v", left, err)
	}
}
