// Command workflow-worker runs the workflows and activities that the Workflow Builder stores in
// PostgreSQL: it reads the environment, wires the rooms together and runs until a signal. Its other
// commands are for the people who operate it. It holds no logic of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"workflow-worker/runtime/compile"
)

// compileCommand is the child process that run starts for itself; it is not for people.
const compileCommand = "compile"

// cellCommand is so too: it runs projects.
const cellCommand = "cell"

func main() {
	// Local dates in JavaScript are those of this process: the same on every replica and machine.
	// goja has no setting for it.
	time.Local = time.UTC
	os.Exit(dispatch(process{args: os.Args[1:], environment: environmentOf(os.Environ()), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, alone: true}))
}

// process is the one doorway to the outside.
type process struct {
	args           []string
	environment    environment
	stdin          io.Reader
	stdout, stderr io.Writer
	// alone says that it is the whole process, and what is global is its own.
	alone bool
}

// dispatch runs the command and gives the exit code.
func dispatch(p process) int {
	if len(p.args) == 1 && p.args[0] == compileCommand { // not for people, and in a hurry
		return p.report(compile.Child(p.stdin, p.stdout))
	}
	if len(p.args) == 1 && p.args[0] == cellCommand { // so too
		return p.report(p.cell())
	}
	ctx, stop := untilSignal()
	defer stop()
	return p.report(p.execute(ctx))
}

// report tells what went wrong, and gives the exit code.
func (p process) report(err error) int {
	if err == nil {
		return exitDone
	}
	var said quiet
	if !errors.As(err, &said) {
		fmt.Fprintf(p.stderr, "workflow-worker: %v\n", err)
	}
	return exitCode(err)
}

var errSignal = errors.New("a signal asked to stop")

// untilSignal gives a context that ends with the first SIGINT or SIGTERM; the second ends the
// process at once.
func untilSignal() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	var work sync.WaitGroup
	work.Go(func() {
		if _, ok := <-signals; !ok {
			return
		}
		cancel(errSignal)
		if _, ok := <-signals; ok {
			fmt.Fprintln(os.Stderr, "workflow-worker: a second signal: ending at once")
			os.Exit(exitFailed)
		}
	})
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel(nil)
		work.Wait()
	}
}
