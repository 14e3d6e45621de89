// Command ensure sees to it that a program which the Makefile needs is there:
//
//	ensure npm             installs Debian's nodejs and npm, where that needs nobody's help
//	ensure PACKAGE@VERSION builds a pinned Go program once and prints its path
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
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
	if strings.Contains(what, "@") {
		path, err := stack.InstallTool(ctx, os.Stderr, what, "this takes some minutes")
		if err == nil {
			fmt.Println(path)
		}
		return err
	}
	if what != "npm" {
		return fmt.Errorf("ensure: %q is neither npm nor package@version", what)
	}
	_, nodeErr := exec.LookPath("node")
	_, npmErr := exec.LookPath("npm")
	if nodeErr == nil && npmErr == nil {
		return nil
	}
	if err := stack.InstallPackages(ctx, os.Stderr, "nodejs", "npm"); err != nil {
		return fmt.Errorf("Node.js with npm, which fetches Temporal's TypeScript packages, is missing: %w", err)
	}
	return nil
}
