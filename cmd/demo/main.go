// Command demo is `make demo`, against a running `make dev`: it writes a project
// as rows, the way the Workflow Builder does, runs its workflows by rows, changes their
// code, and runs them again. It can be run any number of times.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/jackc/pgx/v5"

	"workflow-worker/cmd/dev/devenv"
	"workflow-worker/cmd/dev/term"
	"workflow-worker/docker/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "\n%s %v\n", term.Bold("make demo:"), err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	root, err := stack.Root()
	if err != nil {
		return err
	}
	addresses, err := devenv.Read(root)
	if err != nil {
		return err
	}
	db, err := pgx.Connect(ctx, addresses.DatabaseURL)
	if err != nil {
		return fmt.Errorf("is `make dev` still running? %w", err)
	}
	defer db.Close(context.WithoutCancel(ctx))

	d := &demo{story: story{os.Stdout}, db: db, addresses: addresses, taskQueue: "demo"}
	return d.tell(ctx)
}
