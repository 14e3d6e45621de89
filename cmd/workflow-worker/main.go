// Command workflow-worker runs the workflows and activities that the Workflow Builder stores in
// PostgreSQL: it reads the environment, wires the rooms together and runs until a signal. It holds
// no logic of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/sethvargo/go-envconfig"

	"workflow-worker/runtime/compile"
)

const usage = `usage: workflow-worker [command]

  run          watch the rows and run what they say (the default)
  migrate      bring the database's tables up to date and exit
  role         print the SQL of the least-privileged role for the service
  healthcheck  ask the running service's /health/ready; exit 0 if it is ready
  version      print the version

Settings come from the environment; cmd/workflow-worker/README.md lists them.
`

// compileCommand is the child process that run starts for itself; it is not for people.
const compileCommand = "compile"

func main() {
	// Local dates in JavaScript are those of this process: the same on every replica and machine.
	// goja has no setting for it.
	time.Local = time.UTC
	os.Exit(dispatch(process{args: os.Args[1:], environment: envconfig.OsLookuper(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}))
}

// process is the one doorway to the outside.
type process struct {
	args           []string
	environment    envconfig.Lookuper
	stdin          io.Reader
	stdout, stderr io.Writer
}

// dispatch runs the command and gives the exit code.
func dispatch(p process) int {
	command := "run"
	if len(p.args) > 0 {
		command = p.args[0]
	}
	if len(p.args) > 1 {
		command = "too many arguments"
	}
	if command == compileCommand {
		return p.report(compile.Child(p.stdin, p.stdout))
	}
	ctx, stop := untilSignal()
	defer stop()
	switch command {
	case "run":
		return p.report(p.run(ctx))
	case "migrate":
		return p.report(p.migrate(ctx))
	case "role":
		return p.report(p.role())
	case "healthcheck":
		return p.report(p.healthcheck(ctx))
	case "version":
		fmt.Fprintln(p.stdout, version())
		return 0
	case "help", "-h", "--help":
		fmt.Fprint(p.stdout, usage)
		return 0
	}
	fmt.Fprint(p.stderr, usage)
	return 2
}

func (p process) report(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintf(p.stderr, "workflow-worker: %v\n", err)
	return 1
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
			os.Exit(1)
		}
	})
	return ctx, func() {
		signal.Stop(signals)
		close(signals)
		cancel(nil)
		work.Wait()
	}
}

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "dev"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && info.Main.Version == "(devel)" {
			return s.Value
		}
	}
	return info.Main.Version
}
