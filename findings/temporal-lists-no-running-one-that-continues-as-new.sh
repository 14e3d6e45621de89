#!/usr/bin/env bash
# Temporal's server 1.29.1 (its CLI's dev server, v1.5.1, whose visibility store is SQLite) with its Go SDK 1.50.0: which executions a listing
# in pages shows, of nine that all run before the first page and after the last, when something happens to one of them between.
#
# The behaviour: each page is asked for anew, from the start time on where the page before ended, latest first. What continues as new, or
# is reset, gets a start time of now: its former run is closed and no longer "Running", its new one belongs to a page that is
# over. So it is on no page at all. One that ends goes to the end of a listing without a status, where it turns up again.
#
# Guessed: a listing shows each execution that runs all the time once; what begins meanwhile may be missing, and what ends may be
# shown as running still.
# Surprising: an id under which something runs without a pause is missing, so that "all running ones were asked" isn't so after the last
# page; and a count over pages is too high where something ended. The newest first is what makes it likely: those that have
# run longest come last, and continuing as new is for just those.
#
# Seen on 2026-12-01 (pages of three):
#   running, nothing happens: 9 listed, 9 different ones, without none
#   running, one that was listed continues as new: 9 listed, 9 different ones, without none
#   running, one that is yet to come continues as new: 8 listed, 8 different ones, without wait-0
#   running, one that is yet to come is reset: 8 listed, 8 different ones, without wait-0
#   of all statuses, one that was listed ends: 10 listed, 9 different ones, without none
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
	"fmt"
	"os"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

// wait waits to be told how to go on.
func wait(ctx workflow.Context) error {
	var again bool
	workflow.GetSignalChannel(ctx, "go on").Receive(ctx, &again)
	if again {
		return workflow.NewContinueAsNewError(ctx, wait)
	}
	return nil
}

const (
	namespace, queue = "default", "waits"
	executions       = 9
)

var ctx = context.Background()

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
	w := worker.New(c, queue, worker.Options{WorkerStopTimeout: time.Second})
	w.RegisterWorkflow(wait)
	must(w.Start())
	defer w.Stop()
	reset := func(id string) {
		_, err := c.ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
			Namespace: namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: id}, WorkflowTaskFinishEventId: 4, RequestId: id,
		})
		must(err)
	}
	goOn := func(again bool) func(string) {
		return func(id string) { must(c.SignalWorkflow(ctx, id, "", "go on", again)) }
	}
	first, last := fmt.Sprintf("wait-%d", executions-1), "wait-0" // of a listing
	const running, all = `ExecutionStatus = 'Running'`, `WorkflowType = 'wait'`
	for _, x := range []struct {
		what, query, id string
		between         func(id string)
	}{
		{"running, nothing happens", running, "", func(string) {}},
		{"running, one that was listed continues as new", running, first, goOn(true)},
		{"running, one that is yet to come continues as new", running, last, goOn(true)},
		{"running, one that is yet to come is reset", running, last, reset},
		{"of all statuses, one that was listed ends", all, first, goOn(false)},
	} {
		for i := range executions {
			_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: fmt.Sprintf("wait-%d", i), TaskQueue: queue}, wait)
			must(err)
			time.Sleep(50 * time.Millisecond) // one start time each
		}
		until(c, running, executions)
		time.Sleep(time.Second) // their first tasks are over
		listed, times := 0, map[string]int{}
		request := &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace, PageSize: 3, Query: x.query}
		for page := 0; page == 0 || len(request.NextPageToken) > 0; page++ {
			answer, err := c.ListWorkflow(ctx, request)
			must(err)
			for _, e := range answer.GetExecutions() {
				listed++
				times[e.GetExecution().GetWorkflowId()]++
			}
			request.NextPageToken = answer.GetNextPageToken()
			if page == 0 {
				x.between(x.id)
				time.Sleep(2 * time.Second) // the store of visibility has it
			}
		}
		without := "none"
		for i := range executions {
			if id := fmt.Sprintf("wait-%d", i); times[id] == 0 {
				without = id
			}
		}
		fmt.Printf("%s: %d listed, %d different ones, without %s\n", x.what, listed, len(times), without)
		forget(c)
	}
}

// until waits until as many are found.
func until(c client.Client, query string, n int64) {
	for {
		answer, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: namespace, Query: query})
		must(err)
		if answer.GetCount() == n {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// forget deletes all executions.
func forget(c client.Client) {
	answer, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace})
	must(err)
	for _, e := range answer.GetExecutions() {
		_, err := c.WorkflowService().DeleteWorkflowExecution(ctx, &workflowservice.DeleteWorkflowExecutionRequest{Namespace: namespace, WorkflowExecution: e.GetExecution()})
		must(err)
	}
	until(c, "", 0)
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
running, nothing happens: 9 listed, 9 different ones, without none
running, one that was listed continues as new: 9 listed, 9 different ones, without none
running, one that is yet to come continues as new: 8 listed, 8 different ones, without wait-0
running, one that is yet to come is reset: 8 listed, 8 different ones, without wait-0
of all statuses, one that was listed ends: 10 listed, 9 different ones, without none
WANT
