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

// Process is a program that this process started and waits for. It does not
// outlive us: if we are killed, the kernel sends it a signal (on Linux).
type Process struct {
	cmd  *exec.Cmd
	tail *tail
	done chan struct{} // closed when the process has ended and was waited for
	err  error         // what Wait returned; read it after done
}

// StartProcess starts a program whose output goes to log (nil discards it), and
// which gets SIGTERM if we are killed. Use it for programs that a person's
// Ctrl-C shall reach through us only: it runs in a process group of its own.
func StartProcess(cmd *exec.Cmd, log io.Writer) (*Process, error) {
	return startProcess(cmd, nil, syscall.SIGTERM, log)
}

func startProcess(cmd *exec.Cmd, account *account, orphaned syscall.Signal, log io.Writer) (*Process, error) {
	p := &Process{cmd: cmd, tail: &tail{next: log}, done: make(chan struct{})}
	cmd.Stdout = p.tail
	cmd.Stderr = p.tail
	// A grandchild that keeps our pipe open must not keep us from noticing the end.
	cmd.WaitDelay = 2 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: account.credential()}
	signalWhenOrphaned(cmd.SysProcAttr, orphaned)

	started := make(chan error, 1)
	go func() {
		// The kernel counts the *thread* that forked as the parent, and Go ends
		// idle threads as it likes: this one stays until the process has ended.
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

// PID is its process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err says how the process ended, nil for exit code 0. Call it after Done.
func (p *Process) Err() error { return p.err }

// ExitCode is that of the process, -1 if a signal ended it. Call it after Done.
func (p *Process) ExitCode() int { return p.cmd.ProcessState.ExitCode() }

// Stop sends SIGTERM and waits until the process has ended; past the context it
// is killed, and the error says so.
func (p *Process) Stop(ctx context.Context) error {
	return p.stop(ctx, syscall.SIGTERM)
}

// stop sends a signal and waits. When the context ends, or after harder's time,
// the next signal follows; what is left after all is killed. The error says which
// of them it took.
func (p *Process) stop(ctx context.Context, ask syscall.Signal, harder ...stopStep) error {
	p.Signal(ask)
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	for _, step := range harder {
		p.Signal(step.signal)
		timer := time.NewTimer(step.within)
		defer timer.Stop()
		select {
		case <-p.done:
			return errors.New("it did not end in time when asked, but by signal " + step.signal.String())
		case <-timer.C:
		}
	}
	p.Kill()
	<-p.done
	return errors.New("it did not end in time when asked, and was killed")
}

type stopStep struct {
	signal syscall.Signal
	within time.Duration
}

// Signal sends a signal.
func (p *Process) Signal(s syscall.Signal) {
	// The only error left is that it has ended already, which done says too.
	_ = p.cmd.Process.Signal(s)
}

// Kill kills the process and its children without asking. The children are
// listed first, they belong to init once their parent is gone; a stopped one (a
// test may have sent SIGSTOP to a walsender) ends by nothing less.
func (p *Process) Kill() {
	select {
	case <-p.done:
		return // the number may be somebody else's by now
	default:
	}
	for _, pid := range append(children(p.PID()), p.PID()) {
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
