package cell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"

	"workflow-worker/runtime"
)

// process is one life of a cell.
type process struct {
	cells   *Cells
	cell    int
	alone   string // the only project that it is for; "" if it is for all
	cmd     *exec.Cmd
	calls   *grpc.ClientConn
	end     func() // of what it is served
	notes   *page  // whose JavaScript is under way
	words   lastWords
	began   time.Time
	dead    chan struct{}             // closed once it is, and all that it said was read
	noted   chan struct{}             // closed once it is known whose code it was
	noting  sync.Once                 // of that
	cause   string                    // of its death; for after that
	inside  []runtime.Entry           // whose JavaScript was under way; so too
	wanted  atomic.Bool               // its end is
	late    atomic.Bool               // it didn't answer lately
	silent  atomic.Bool               // it was ended because it gave no answer
	used    atomic.Int64              // bytes, as it last said
	held    map[string][]runtime.Held // by project, as it was told; guarded by cells.mu
	cleanup sync.Once
}

// helloTimeout bounds a cell's start, on a machine that is busy.
const helloTimeout = 30 * time.Second

// launch starts the process of a cell, and tells it what it is.
func (c *Cells) launch(ctx context.Context, number int, memory int64, alone string) (*process, error) {
	p, err := c.spawn(number, alone)
	if err != nil {
		return nil, fmt.Errorf("start cell %d: %w", number, err)
	}
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	c.mu.Lock()
	followed := c.follow
	c.mu.Unlock()
	w, err := ask[welcome](ctx, p.calls, cellService, methodHello, hello{
		Protocol: protocol, Cell: number, Environment: c.cfg.Environment, Handed: c.cfg.Handed, Memory: memory, Level: int(c.cfg.Level.Level()), Follow: followed,
	})
	if err == nil && w.Protocol != protocol {
		err = fmt.Errorf("it speaks version %d, the service version %d: both must be the same program", w.Protocol, protocol)
	}
	if err != nil {
		p.kill()
		if said := p.words.String(); said != "" {
			err = fmt.Errorf("%w; it said: %s", err, said)
		}
		return nil, fmt.Errorf("start cell %d: %w", number, err)
	}
	c.lacks(w.Lacks)
	c.work.Go(func() { c.listen(p) })
	return p, nil
}

// beatEvery is how often a cell is asked whether it lives.
const beatEvery = time.Second

// lateBeats is after how many beats without an answer a cell is given no more projects.
const lateBeats = 2

// listen ends a process that doesn't answer any more. It has all of its time for one answer: where
// much JavaScript wants the processors, even that comes late. What counts are beats that it missed:
// while the parent itself is stopped, none are due.
func (c *Cells) listen(p *process) {
	ticks := time.NewTicker(beatEvery)
	defer ticks.Stop()
	type reply struct {
		beat beat
		err  error
	}
	replies := make(chan reply, 1)
	ctx, cancel := context.WithCancel(c.life)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel()
	for asked, missed := false, 0; ; {
		select {
		case <-p.dead:
			return
		case <-c.life.Done():
			return
		case r := <-replies:
			asked = false
			if r.err == nil {
				missed = 0
				p.late.Store(false)
				p.used.Store(r.beat.Used)
			}
			continue
		case <-ticks.C:
		}
		missed++
		p.late.Store(missed > lateBeats)
		if time.Duration(missed)*beatEvery > c.cfg.Silence && p.lives() && !p.wanted.Load() && c.life.Err() == nil {
			p.silent.Store(true)
			_ = p.cmd.Process.Kill() // it may be over already
			return
		}
		if !asked {
			asked = true
			asking.Go(func() {
				b, err := ask[beat](ctx, p.calls, cellService, methodBeat, ok{})
				replies <- reply{b, err}
			})
		}
	}
}

// spawn starts the process. It inherits its two connections and what Config.ProcessEnvironment says,
// nothing else.
func (c *Cells) spawn(number int, alone string) (*process, error) {
	program, err := ownProgram()
	if err != nil {
		return nil, err
	}
	calls, itsCalls, err := pair()
	if err != nil {
		return nil, err
	}
	defer itsCalls.Close()
	asks, itsAsks, err := pair()
	if err != nil {
		_ = calls.Close() // nothing was written
		return nil, err
	}
	defer itsAsks.Close()
	variables, err := confinement(c.cfg.Reads)
	if err != nil {
		return nil, err
	}
	notes, itsNotes, err := newPage()
	if err != nil {
		return nil, err
	}
	defer itsNotes.Close()
	p := &process{cells: c, cell: number, alone: alone, notes: notes, dead: make(chan struct{}), noted: make(chan struct{}), began: time.Now()}
	p.cmd = exec.Command(program, c.cfg.Arguments...)
	p.cmd.Args[0] = "workflow-worker"
	p.cmd.Env = append(variables, c.cfg.ProcessEnvironment...)
	p.cmd.Dir = "/"
	p.cmd.ExtraFiles = []*os.File{itsCalls, itsAsks, itsNotes}
	p.cmd.SysProcAttr = attributes()
	stderr, itsStderr, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	// What is given to it isn't opened: an image may have no /dev/null.
	nothing, none, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, stderr.Close(), itsStderr.Close())
	}
	_ = none.Close()
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = nothing, itsStderr, itsStderr
	err = p.cmd.Start()
	_ = errors.Join(nothing.Close(), itsStderr.Close()) // its copies are open
	if err != nil {
		_ = errors.Join(calls.Close(), asks.Close(), stderr.Close()) // nothing was written
		return nil, err
	}
	var read sync.WaitGroup
	read.Go(func() {
		follow(stderr, c.cfg.Logger, &p.words)
		_ = stderr.Close() // read to its end
	})
	if err := p.connect(calls, asks); err != nil {
		_ = p.cmd.Process.Kill() // it may be over already
		_ = p.cmd.Wait()         // says that it was killed
		return nil, err
	}
	c.mu.Lock()
	c.all[p] = true
	c.mu.Unlock()
	go func() {
		defer close(p.dead)
		err := wait(p.cmd)
		c.mu.Lock()
		delete(c.all, p)
		c.mu.Unlock()
		p.disconnect()
		read.Wait()
		p.inside = p.notes.entries()
		p.notes.close()
		switch {
		case p.silent.Load():
			p.cause = fmt.Sprintf("it gave no answer for %s, and was killed", c.cfg.Silence)
		case err != nil:
			p.cause = err.Error()
		default:
			p.cause = "it ended"
		}
	}()
	return p, nil
}

func (p *process) connect(calls, asks *os.File) error {
	ours, err := connOf(calls)
	if err != nil {
		_ = asks.Close() // nothing was written
		return err
	}
	its, err := connOf(asks)
	if err != nil {
		_ = ours.Close() // so too
		return err
	}
	if p.calls, err = dial(ours); err != nil {
		return err
	}
	p.end, _ = serve(its, parentService, &parent{p}, parentMethods()...)
	return nil
}

func (p *process) disconnect() {
	p.cleanup.Do(func() {
		_ = p.calls.Close() // what is under way ends with an error of its own
		p.end()
	})
}

// leaveTimeout is how long a process may take to end once nobody talks to it.
const leaveTimeout = 2 * time.Second

// leave ends a process that has nothing to do any more. Of one that is dead already the end wasn't
// wanted.
func (p *process) leave() {
	if !p.lives() {
		return
	}
	p.wanted.Store(true)
	p.disconnect()
	late := time.NewTimer(leaveTimeout)
	defer late.Stop()
	select {
	case <-p.dead:
	case <-late.C:
		p.kill()
	}
}

// kill ends a process at once.
func (p *process) kill() {
	p.wanted.Store(true)
	_ = p.cmd.Process.Kill() // it may be over already
	<-p.dead
}

// lives says whether it can be asked.
func (p *process) lives() bool {
	select {
	case <-p.dead:
		return false
	default:
		return true
	}
}

// pair is a connection's two ends.
func pair() (ours, theirs *os.File, err error) {
	// No process that begins between the two calls has the other end of another cell's connection.
	syscall.ForkLock.RLock()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, fmt.Errorf("connect parent and cell: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "cell"), os.NewFile(uintptr(fds[1]), "parent"), nil
}

// Death is of a cell.
type Death struct {
	Cell int
	// Projects are those that ran there, sorted.
	Projects []string
	// Cause is how the process ended, for people.
	Cause string
	// Words are the first lines of what it said in the end; "" if it said nothing.
	Words string
	Lived time.Duration
	// Inside is whose JavaScript was under way.
	Inside []runtime.Entry
}

// String puts it into one line.
func (d Death) String() string {
	text := fmt.Sprintf("the process that the project's code ran in ended (cell %d, after %s): %s", d.Cell, d.Lived.Round(time.Millisecond), d.Cause)
	if first, _, _ := strings.Cut(d.Words, "\n"); first != "" {
		text += ": " + first
	}
	return text
}
