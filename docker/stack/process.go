package stack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// process is a server that this process started and waits for.
type process struct {
	cmd  *exec.Cmd
	tail *tail
	done chan struct{} // closed when the process has ended and was waited for
	err  error         // what Wait returned; read it after done
}

// startProcess starts cmd in a process group of its own, so that a terminal's
// Ctrl-C reaches us alone and we stop our servers in the right order. If we die
// first, the kernel sends the server orphaned (on Linux).
func startProcess(cmd *exec.Cmd, account *account, orphaned syscall.Signal, log io.Writer) (*process, error) {
	p := &process{cmd: cmd, tail: &tail{next: log}, done: make(chan struct{})}
	cmd.Stdout = p.tail
	cmd.Stderr = p.tail
	cmd.Stdin = nil
	// A grandchild that keeps our pipe open must not keep us from noticing the end.
	cmd.WaitDelay = 2 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: account.credential()}
	signalWhenOrphaned(cmd.SysProcAttr, orphaned)

	started := make(chan error, 1)
	go func() {
		// The kernel counts the *thread* that forked as the parent, and Go ends
		// idle threads as it likes: this one stays until the server has ended.
		runtime.LockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) signal(s syscall.Signal) {
	// The only error left is that it has ended already, which done says too.
	_ = p.cmd.Process.Signal(s)
}

// stop sends the signals one after the other, each after the one before had its
// time, and kills what is left. The error says which of them it took.
func (p *process) stop(ctx context.Context, steps ...stopStep) error {
	for i, step := range steps {
		p.signal(step.signal)
		if step.patient && p.wait(ctx, step.within) || !step.patient && p.wait(context.Background(), step.within) {
			if i > 0 {
				return errors.New("it did not end by " + steps[i-1].signal.String() + " and was ended by " + step.signal.String())
			}
			return nil
		}
	}
	p.killTree()
	<-p.done
	return errors.New("it did not end by itself and was killed")
}

type stopStep struct {
	signal  syscall.Signal
	within  time.Duration
	patient bool // its time also ends with the caller's context
}

// wait says whether the process ended in time.
func (p *process) wait(ctx context.Context, within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.done:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	// Both may be ready at once; ended counts.
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// killTree kills the process and its children. The children are listed first:
// they belong to init once their parent is gone. A stopped child (a test may have
// sent SIGSTOP to a walsender) ends by nothing less.
func (p *process) killTree() {
	pids := append(children(p.pid()), p.pid())
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// tail passes output on and keeps its end, for the error message of a server
// that did not start.
type tail struct {
	mu   sync.Mutex // guards kept
	kept []byte
	next io.Writer // may be nil
}

const tailSize = 8 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	if n := len(t.kept) - tailSize; n > 0 {
		t.kept = append(t.kept[:0], t.kept[n:]...)
	}
	if t.next != nil {
		// A log that can't be written to is no reason to block the server.
		_, _ = t.next.Write(b)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.kept))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
