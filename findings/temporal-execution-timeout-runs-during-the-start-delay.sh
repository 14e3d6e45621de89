#!/usr/bin/env bash
# Temporal's server 1.29.1 (its CLI's dev server, v1.5.1) with its Go SDK 1.50.0: from when the timeouts count of an execution that is
# started with a start delay of ten seconds.
#
# The behaviour: each from another moment. A run timeout of five seconds begins with the end of the delay, so the run ends after
# fifteen. An execution timeout of five seconds begins with the start, so the execution has timed out before its first workflow
# task, and none of its code ever ran.
#
# Guessed: both alike, and after the delay, as it is the first task that the delay holds back and there is but one run.
# Surprising: the two are used for each other where a workflow has neither retries nor continue-as-new, and without a delay they are
# the same. A delay that is longer than the execution timeout is taken without a word for something that can't happen,
# and what is seen later is a timeout like one of code that was too slow.
#
# Seen on 2026-11-30:
#   run timeout of 5 s: timed out after the delay, workflow tasks 1
#   execution timeout of 5 s: timed out during the delay, workflow tasks 0
#   execution timeout of 15 s: timed out after the delay, workflow tasks 1
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

	enumspb "go.temporal.io/api/enums/v1"
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

func order(ctx workflow.Context) error { return workflow.Sleep(ctx, time.Hour) }

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
	for _, o := range []struct {
		what           string
		run, execution time.Duration
		delay          time.Duration
	}{
		{"run timeout of 5 s", 5 * time.Second, 0, 10 * time.Second},
		{"execution timeout of 5 s", 0, 5 * time.Second, 10 * time.Second},
		{"execution timeout of 15 s", 0, 15 * time.Second, 10 * time.Second},
	} {
		run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
			TaskQueue: "orders", StartDelay: o.delay, WorkflowRunTimeout: o.run, WorkflowExecutionTimeout: o.execution,
		}, order)
		must(err)
		err = run.Get(ctx, nil)
		how := fmt.Sprint(err)
		if timeout := new(temporal.TimeoutError); errors.As(err, &timeout) {
			how = "timed out"
		}
		var began, ended time.Time
		tasks := 0
		h := c.GetWorkflowHistory(ctx, run.GetID(), run.GetRunID(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for h.HasNext() {
			e, err := h.Next()
			must(err)
			if began.IsZero() {
				began = e.GetEventTime().AsTime()
			}
			ended = e.GetEventTime().AsTime()
			if e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED {
				tasks++
			}
		}
		when := "after the delay"
		if ended.Sub(began) < o.delay {
			when = "during the delay"
		}
		fmt.Printf("%s: %s %s, workflow tasks %d\n", o.what, how, when, tasks)
	}
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
run timeout of 5 s: timed out after the delay, workflow tasks 1
execution timeout of 5 s: timed out during the delay, workflow tasks 0
execution timeout of 15 s: timed out after the delay, workflow tasks 1
WANT
