#!/usr/bin/env bash
# Temporal's server 1.29.1 (its CLI's dev server, v1.5.1) with its Go SDK 1.50.0: what a query says whose task queue nobody polls.
#
# The behaviour: it depends on how long nobody has. For some twenty seconds after the last poll a query waits for a worker until its
# deadline, and fails with DeadlineExceeded. Later the very same query fails in a few milliseconds with FailedPrecondition, as
# the server has seen no poller "recently". A signal to the same execution is taken all along.
#
# Guessed: DeadlineExceeded each time, since workers may come back at any moment and the server can't know.
# Surprising: of a batch of queries with the same deadline the first wait and the last don't, and whoever takes DeadlineExceeded for "no
# worker is there" misses the usual case of a worker that is gone for longer. The other way round, a worker that comes back
# between two polls that lie apart that long finds callers that were refused meanwhile, without having been waited for.
#
# Seen on 2026-11-30:
#   a worker polls: answered
#   it has just stopped: DeadlineExceeded, after its deadline
#   half a minute later: FailedPrecondition, at once
#   a signal: taken
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
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const deadline = 4 * time.Second

type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

func order(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, "state", func() (string, error) { return "open", nil }); err != nil {
		return err
	}
	workflow.GetSignalChannel(ctx, "end").Receive(ctx, nil)
	return nil
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
	run, err := c.ExecuteWorkflow(context.Background(), client.StartWorkflowOptions{TaskQueue: "orders"}, order)
	must(err)
	fmt.Println("a worker polls:", ask(c, run.GetID()))
	w.Stop()
	fmt.Println("it has just stopped:", ask(c, run.GetID()))
	time.Sleep(30 * time.Second)
	fmt.Println("half a minute later:", ask(c, run.GetID()))
	must(c.SignalWorkflow(context.Background(), run.GetID(), "", "end", nil))
	fmt.Println("a signal: taken")
}

func ask(c client.Client, id string) string {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	began := time.Now()
	_, err := c.QueryWorkflow(ctx, id, "", "state")
	when := "at once"
	if time.Since(began) > deadline/2 {
		when = "after its deadline"
	}
	var (
		late   *serviceerror.DeadlineExceeded
		nobody *serviceerror.FailedPrecondition
	)
	switch {
	case err == nil:
		return "answered"
	case errors.As(err, &late) || errors.Is(err, context.DeadlineExceeded):
		return "DeadlineExceeded, " + when
	case errors.As(err, &nobody):
		return "FailedPrecondition, " + when
	}
	return fmt.Sprintf("%T %v, %s", err, err, when)
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
a worker polls: answered
it has just stopped: DeadlineExceeded, after its deadline
half a minute later: FailedPrecondition, at once
a signal: taken
WANT
