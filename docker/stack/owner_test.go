package stack_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"workflow-worker/docker/stack"
)

// ownerEnv makes this test binary the owner of two servers, to be killed.
const ownerEnv = "STACK_TEST_OWNER"

// owned is what the owner tells about them.
type owned struct {
	Postgres, Temporal int // process ids
	Dir                string
}

func TestMain(m *testing.M) {
	if os.Getenv(ownerEnv) == "" {
		os.Exit(m.Run())
	}
	if err := ownServers(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ownServers() error {
	ctx := context.Background()
	p, err := stack.StartPostgres(ctx, stack.PostgresOptions{})
	if err != nil {
		return err
	}
	t, err := stack.StartTemporal(ctx, stack.TemporalOptions{Headless: true})
	if err != nil {
		return err
	}
	dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", p.PID()))
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(owned{Postgres: p.PID(), Temporal: t.PID(), Dir: dir}); err != nil {
		return err
	}
	select {}
}

func TestServersEndWithTheirKilledOwnerAndTheNextStartTidiesUp(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a server that its owner died")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	owner := osexec.Command(self)
	owner.Env = append(os.Environ(), ownerEnv+"=1")
	owner.Stderr = os.Stderr
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	var servers owned
	decodeErr := json.NewDecoder(out).Decode(&servers)
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait() // "killed"
	if decodeErr != nil {
		t.Fatal(decodeErr)
	}
	for _, pid := range []int{servers.Postgres, servers.Temporal} {
		waitGone(t, pid)
	}
	startPostgres(t, stack.PostgresOptions{})
	if _, err := os.Stat(filepath.Dir(servers.Dir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", filepath.Dir(servers.Dir), err)
	}
}

// waitGone waits for a process that is not our child, so that only asking again
// and again tells.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		if gone(pid) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("process %d is still there", pid)
}

// gone counts a zombie as gone: in a container, nobody may be there to wait for it.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	var id int
	var name, state string
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, err = fmt.Sscanf(string(text), "%d %s %s", &id, &name, &state)
	return err == nil && state == "Z"
}
