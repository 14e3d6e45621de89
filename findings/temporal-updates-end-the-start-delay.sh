#!/usr/bin/env bash
# Temporal's server 1.29.1 (its CLI's dev server, v1.5.1) with its Go SDK 1.50.0: what ends the delay of an execution that was
# started with a start delay of an hour.
#
# The behaviour: an update does, and a cancellation. The first workflow task comes at once, and all that was sent before is handled
# with it. A signal is only kept, and a query fails at once with WorkflowNotReady.
#
# Guessed: nothing does. The delay is said to hold the first workflow task back, and the SDK notes that a signal doesn't end it.
# Surprising: what looks harmless, an update that changes nothing, moves the whole execution forward
# by whatever of the delay was left; and a signal that seemed to have no effect for an hour gets its effect with somebody
# else's update.
#
# Seen on 2026-11-30:
#   nothing: taken, still waits
#   a query: WorkflowNotReady, still waits
#   a signal: taken, still waits
#   a signal, then an update: taken, ended
#   an update, then a signal: taken, ended
#   a cancellation: taken, cancelled
set -euo pipefail
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
GOBIN="$dir" GOFLAGS=-mod=mod go install github.com/temporalio/cli/cmd/temporal@v1.5.1
cat >go.mod <<'MOD'
module run

go 1.25.0

require (
	go.temporal.io/api v1.63.5
	go.temporal.io/sdk v1.50.0
)
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

func order(ctx workflow.Context) (string, error) {
	if err := workflow.SetQueryHandler(ctx, "state", func() (string, error) { return "open", nil }); err != nil {
		return "", err
	}
	if err := workflow.SetUpdateHandler(ctx, "touch", func(workflow.Context) error { return nil }); err != nil {
		return "", err
	}
	var by string
	workflow.NewSelector(ctx).
		AddReceive(workflow.GetSignalChannel(ctx, "go"), func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, &by) }).
		AddReceive(ctx.Done(), func(workflow.ReceiveChannel, bool) {}).
		Select(ctx)
	return by, ctx.Err()
}

func main() {
	var c client.Client
	for tries := 0; ; tries++ {
		var err error
		if c, err = client.Dial(client.Options{HostPort: os.Args[1], Logger: silent{}}); err == nil {
			break
		}
		if tries > 100 {
			panic(err)
		}
		time.Sleep(200 * time.Millisecond)
	}
	defer c.Close()
	w := worker.New(c, "orders", worker.Options{WorkerStopTimeout: time.Second})
	w.RegisterWorkflow(order)
	must(w.Start())
	defer w.Stop()
	ctx := context.Background()
	touch := func(run client.WorkflowRun) error {
		h, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
			WorkflowID: run.GetID(), UpdateName: "touch", WaitForStage: client.WorkflowUpdateStageCompleted,
		})
		if err != nil {
			return err
		}
		return h.Get(ctx, nil)
	}
	signal := func(run client.WorkflowRun) error { return c.SignalWorkflow(ctx, run.GetID(), "", "go", "signal") }
	for _, what := range []struct {
		name string
		do   func(client.WorkflowRun) error
	}{
		{"nothing", func(client.WorkflowRun) error { return nil }},
		{"a query", func(run client.WorkflowRun) error {
			_, err := c.QueryWorkflow(ctx, run.GetID(), "", "state")
			return err
		}},
		{"a signal", signal},
		{"a signal, then an update", func(run client.WorkflowRun) error { return errors.Join(signal(run), touch(run)) }},
		{"an update, then a signal", func(run client.WorkflowRun) error { return errors.Join(touch(run), signal(run)) }},
		{"a cancellation", func(run client.WorkflowRun) error { return c.CancelWorkflow(ctx, run.GetID(), "") }},
	} {
		run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: "orders", StartDelay: time.Hour}, order)
		must(err)
		taken := "taken"
		var early *serviceerror.WorkflowNotReady
		switch err := what.do(run); {
		case errors.As(err, &early):
			taken = "WorkflowNotReady"
		case err != nil:
			taken = fmt.Sprintf("%T %v", err, err)
		}
		fmt.Printf("%s: %s, %s\n", what.name, taken, after(c, run))
	}
}

// after says what the execution is some seconds later.
func after(c client.Client, run client.WorkflowRun) string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := run.Get(ctx, nil)
	switch cancelled := new(temporal.CanceledError); {
	case err == nil:
		return "ended"
	case errors.As(err, &cancelled):
		return "cancelled"
	case ctx.Err() != nil:
		return "still waits"
	}
	return err.Error()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
GO
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || echo 17233)
./temporal server start-dev --headless --ip 127.0.0.1 --port "$port" --log-level never >/dev/null 2>&1 &
server=$!
GOFLAGS=-mod=mod go mod tidy >/dev/null 2>&1
go run . "127.0.0.1:$port" >seen
cat seen
diff seen - <<'WANT'
nothing: taken, still waits
a query: WorkflowNotReady, still waits
a signal: taken, still waits
a signal, then an update: taken, ended
an update, then a signal: taken, ended
a cancellation: taken, cancelled
WANT
