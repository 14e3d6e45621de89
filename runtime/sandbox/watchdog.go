package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/dop251/goja"
)

// wallFactor is how many times its budget an entry may take on the clock while the machine is busy
// with others.
const wallFactor = 10

// Interrupted is JavaScript that was ended because its time was over.
type Interrupted struct {
	// Budget is what it had. 0 if it was the context that ended.
	Budget time.Duration
	// Cause is the context's cause; nil if it was the budget.
	Cause error
	// Clock is how long it took on the clock, if that was too long although the budget wasn't over:
	// the machine was busy with others. 0 otherwise.
	Clock time.Duration
	// Stack is where it was, cleaned.
	Stack string
	// Waiting is how many reactions of promises the entry made that didn't run: what it started and
	// never waited for.
	Waiting int
}

func (e *Interrupted) Error() string {
	where := ""
	if e.Stack != "" {
		where = "\n" + e.Stack
	}
	if e.Cause != nil {
		return fmt.Sprintf("JavaScript was interrupted: %v%s", e.Cause, where)
	}
	if e.Clock > 0 {
		return fmt.Sprintf("JavaScript didn't yield for %v on a busy machine, although its %v of CPU time weren't over%s", e.Clock, e.Budget, where)
	}
	return fmt.Sprintf("JavaScript ran for longer than %v without yielding%s", e.Budget, where)
}

func (e *Interrupted) Unwrap() error { return e.Cause }

// Fault is a failure of goja's, or of a builtin of ours, that no JavaScript could cause or catch if
// there were no mistake in it: a panic. What goes through an iterator whose next is no function is
// one.
type Fault struct {
	// Cause is what was panicked with, Stack where the code was, cleaned; may be "".
	Cause, Stack string
}

func (e *Fault) Error() string {
	where := ""
	if e.Stack != "" {
		where = "\n" + e.Stack
	}
	return "the JavaScript interpreter failed, which the code can avoid but isn't to blame for: " + e.Cause + where
}

// fault is what an entry ends with that panicked. goja's state is as the panic left it.
func (v *VM) fault(cause any) (f *Fault) {
	f = &Fault{Cause: fmt.Sprint(cause)}
	defer func() { _ = recover() }() // there may be no stack to be read
	var b bytes.Buffer
	for _, frame := range v.Runtime.CaptureCallStack(0, nil) {
		b.WriteString("\tat ")
		frame.Write(&b)
		b.WriteByte('\n')
	}
	f.Stack = CleanStack(b.String())
	return f
}

// CutOff tells whether JavaScript was ended where it couldn't catch it: its VM isn't to be used
// again. goja unwinds such an end badly where an async function is on the stack: it then believes to
// be inside a call for good, runs no promise reactions any more and keeps those of the code that was
// cut off for the next.
func CutOff(err error) bool {
	var interrupted *Interrupted
	var overflow *goja.StackOverflowError
	var fault *Fault
	return errors.As(err, &interrupted) || errors.As(err, &overflow) || errors.As(err, &fault)
}

// watchdog interrupts one entry at a time.
type watchdog struct {
	mu sync.Mutex // guards entry
	// entry counts entries, so that a timer that fires late can't interrupt the next.
	entry uint64
}

// Enter runs f, the only place where JavaScript of this VM may run, and interrupts it after budget,
// counted in CPU time of the thread where the system tells it and in ten times that, or
// Options.MostClock, on the clock at the latest, or when ctx ends. What JavaScript throws through f comes back as an
// error: *goja.Exception in an *Escaped, *goja.StackOverflowError, *Interrupted, *Fault. The VM must not be used again
// after *Interrupted, *Fault or *goja.StackOverflowError: goja doesn't unwind async functions that were cut
// off, and microtasks never run again.
func (v *VM) Enter(ctx context.Context, budget time.Duration, f func() error) (err error) {
	growStack()
	v.Runtime.ClearInterrupt()
	v.async.current = nil
	v.async.over.Store(false)
	v.async.waiting = 0
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cpu := threadCPU()
	started := time.Now()

	w := &v.watch
	w.mu.Lock()
	w.entry++
	entry := w.entry
	w.mu.Unlock()
	end := func(why Interrupted) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.entry == entry {
			why.Budget = budget
			v.Runtime.Interrupt(&why)
			v.async.over.Store(true) // afterwards: who sees it must find the interrupt
		}
	}
	interrupt := func(cause error) { end(Interrupted{Cause: cause}) }
	onClock := wallFactor * budget
	if most := v.opts.MostClock; most > 0 {
		onClock = min(onClock, most)
	}
	var timer *time.Timer
	// The timer is set anew from inside itself; armed holds that back until it is assigned.
	armed := make(chan struct{})
	timer = time.AfterFunc(min(budget, onClock), func() {
		<-armed
		left, took := budget-cpu.used(), time.Since(started)
		switch {
		case left <= 0:
			end(Interrupted{})
		case took >= onClock:
			end(Interrupted{Clock: took.Round(time.Millisecond)})
		default:
			timer.Reset(max(min(left, onClock-took), time.Millisecond))
		}
	})
	close(armed)
	if v.account == nil {
		v.account = v.opts.Memory.Account(v.opts.Budget)
	}
	memory := v.account.memory()
	running, over := memory.enter(v.account, cpu, interrupt)
	stop := context.AfterFunc(ctx, func() { interrupt(context.Cause(ctx)) })
	defer func() {
		timer.Stop()
		stop()
		memory.leave(running)
		v.globals.RegExps.Forget()
		v.async.linear.Forget()
		v.cpuTime += min(cpu.used(), time.Since(started))
		w.mu.Lock()
		w.entry++
		w.mu.Unlock()
		switch r := recover().(type) {
		case nil:
		case *goja.InterruptedError:
			err = r
		case *goja.StackOverflowError:
			err = r
		default:
			err = v.fault(r)
		}
		err = interruption(err, v.async.waiting)
	}()
	if over != nil {
		return &Interrupted{Budget: budget, Cause: over}
	}
	if ex := v.Runtime.Try(func() { err = f() }); ex != nil {
		return v.escaping(ex)
	}
	return v.escaping(err)
}

// stackOfCalls is what a few calls between JavaScript and Go take of a goroutine's stack.
const stackOfCalls = 14 << 10

// growStack makes the stack as large as most entries need, once. The Go SDK runs each task on a
// goroutine of its own, whose stack starts small and would be doubled deep inside of goja, where
// copying its hundred frames takes a tenth of an activation.
//
//go:noinline
func growStack() byte {
	var room [stackOfCalls]byte
	return room[len(os.Args)%stackOfCalls] // what the compiler can't foresee, so that it keeps the room
}

// end ends an entry from inside: code can't catch it.
func (v *VM) end(cause error) {
	v.Runtime.Interrupt(&Interrupted{Cause: cause})
	v.async.over.Store(true)
	v.stop()
}

// stop unwinds an entry that was interrupted, for what computes in Go.
func (v *VM) stop() {
	if !v.async.over.Load() {
		return
	}
	program, err := nothing()
	if err == nil {
		_, err = v.Runtime.RunProgram(program)
	}
	if err != nil {
		panic(err) // what goja throws when it finds itself interrupted
	}
}

var nothing = sync.OnceValues(func() (*goja.Program, error) { return goja.Compile(Internal+"nothing>", "0", true) })

// Interrupt ends the entry under way, with a cause. It must be called inside Enter, by what
// JavaScript called.
func (v *VM) Interrupt(cause error) {
	v.Runtime.Interrupt(&Interrupted{Cause: cause})
	v.async.over.Store(true) // afterwards: who sees it must find the interrupt
}

// CPUTime is what all entries so far took of the processor, on the clock where the system doesn't
// tell.
func (v *VM) CPUTime() time.Duration { return v.cpuTime }

// interruption unwraps what Enter interrupted with.
func interruption(err error, waiting int) error {
	var ie *goja.InterruptedError
	if !errors.As(err, &ie) {
		return err
	}
	i, ok := ie.Value().(*Interrupted)
	if !ok {
		return err
	}
	out := *i
	out.Stack, out.Waiting = CleanStack(ie.String()), max(0, waiting)
	return &out
}
