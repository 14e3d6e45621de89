// Command ensure installs what `make test` and `make lint` need:
//
//	ensure npm             Debian's nodejs and npm, for the TypeScript SDK's bundle
//	ensure gcc             Debian's gcc, for the race detector
//	ensure PACKAGE@VERSION a pinned Go program, built once; prints its path
//
// Where installing needs somebody's help, the error names the command.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"workflow-worker/docker/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for _, what := range os.Args[1:] {
		if err := ensure(ctx, what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func ensure(ctx context.Context, what string) error {
	switch {
	case what == "npm":
		return install(ctx, "Node.js with npm is missing", "nodejs", "npm")
	case what == "gcc":
		return install(ctx, "a C compiler is missing", "gcc", "libc6-dev")
	case strings.Contains(what, "@"):
		path, err := stack.InstallTool(ctx, os.Stderr, what, "this takes some minutes")
		if err == nil {
			fmt.Println(path)
		}
		return err
	}
	return fmt.Errorf("ensure: %q is neither npm, gcc, nor package@version", what)
}

func install(ctx context.Context, missing string, packages ...string) error {
	if err := stack.InstallPackages(ctx, os.Stderr, packages...); err != nil {
		return fmt.Errorf("%s: %w", missing, err)
	}
	return nil
}
