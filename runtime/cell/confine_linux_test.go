package cell

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// asConfined has the test binary confine itself and say what it can do.
const asConfined = "TEST_OF_CONFINEMENT"

func TestMain(m *testing.M) {
	if dir, ok := os.LookupEnv(asConfined); ok {
		fmt.Println(tryAll(dir))
		return
	}
	os.Exit(m.Run())
}

// tries are what a confined process tries, by name.
func tryAll(dir string) string {
	lacks, err := confined()
	if err != nil {
		return err.Error()
	}
	out := map[string]string{"lacks": strings.Join(lacks, "; ")}
	for name, try := range map[string]func() error{
		"read what is allowed": func() error { _, err := os.ReadFile(filepath.Join(dir, "allowed", "file")); return err },
		"list what is allowed": func() error { _, err := os.ReadDir(filepath.Join(dir, "allowed")); return err },
		"write there": func() error {
			return os.WriteFile(filepath.Join(dir, "allowed", "new"), nil, 0o600)
		},
		"read something else": func() error { _, err := os.ReadFile(filepath.Join(dir, "other", "file")); return err },
		"read the parent's environment": func() error {
			_, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", os.Getppid()))
			return err
		},
		"listen": func() error {
			var c net.ListenConfig
			c.SetMultipathTCP(false) // which Landlock leaves alone
			l, err := c.Listen(context.Background(), "tcp", "127.0.0.1:0")
			if err == nil {
				_ = l.Close()
			}
			return err
		},
		"signal the parent": func() error { return syscall.Kill(os.Getppid(), 0) },
		"run the program": func() error {
			cmd := exec.Command("/proc/self/exe", "-test.run=^$")
			cmd.Env = []string{} // it is an ordinary test binary, and does nothing
			return cmd.Run()
		},
		"run another": func() error { return exec.Command("/bin/true").Run() },
	} {
		said := make(chan error)
		go func() { said <- try() }() // on whatever thread
		err := <-said
		var number syscall.Errno
		switch {
		case err == nil:
			out[name] = "yes"
		case errors.As(err, &number):
			out[name] = unix.ErrnoName(number)
		default:
			out[name] = err.Error()
		}
	}
	b, err := json.Marshal(out)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func TestAConfinedProcessReachesOnlyWhatItNeeds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"allowed", "other"} {
		if err := errors.Join(os.Mkdir(filepath.Join(dir, name), 0o700), os.WriteFile(filepath.Join(dir, name, "file"), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	variables, err := confinement([]string{filepath.Join(dir, "allowed"), filepath.Join(dir, "is not there")})
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(variables, asConfined+"="+dir)
	said, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	if err := json.Unmarshal(said, &got); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	if strings.Contains(got["lacks"], "Landlock") {
		t.Skipf("this kernel lacks %s", got["lacks"])
	}
	for name, want := range map[string]string{
		"lacks": "", "read what is allowed": "yes", "list what is allowed": "yes", "run the program": "yes",
		"write there": "EACCES", "read something else": "EACCES", "read the parent's environment": "EACCES", "run another": "EACCES",
		"listen": "EACCES", "signal the parent": "EPERM",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
}
