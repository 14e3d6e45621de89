#!/usr/bin/env bash
# Temporal's server 1.29.1 (its CLI's dev server, v1.5.1) with its Go API 1.63.5: what a start says that is sent again with the same request
# id, as after an answer that was lost.
#
# The behaviour: the request id belongs to the run that the start made, not to the execution. While that run is the newest of its workflow
# id, the start is answered with it, also after it has completed. Once the execution has continued as new, or was reset, the
# same call is refused as a start of something that runs already; and once it has completed it starts a second
# execution, under the default reuse policy.
#
# Guessed: the same answer each time, the run that was started, for as long as the execution is known: that is what a request id is
# for, and a lost answer may be asked for at any time.
# Surprising: whether a start can be tried again depends on what the workflow's code does meanwhile. One that continues as new early on turns
# the retry of a start that went well into an error, and later into a second execution. Only reuse policy RejectDuplicate is
# safe; and "already started" may be one's own start.
#
# Seen on 2026-11-30 (each is the same call, to the byte):
#   plain: started, again the same run, completed the same run
#   continues as new: started, in its second run already started, completed another execution
#   reset: started, in its second run already started, completed another execution
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

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

// order waits for a signal and then ends, or continues as new once.
func order(ctx workflow.Context, again bool) error {
	workflow.GetSignalChannel(ctx, "go").Receive(ctx, nil)
	if again {
		return workflow.NewContinueAsNewError(ctx, order, false)
	}
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
	defer w.Stop()
	ctx := context.Background()
	runs := map[string]string{} // the first run of each id
	// start is the same call each time, to the byte.
	start := func(id string, again bool) string {
		input, err := converter.GetDefaultDataConverter().ToPayloads(again)
		must(err)
		r, err := c.WorkflowService().StartWorkflowExecution(ctx, &workflowservice.StartWorkflowExecutionRequest{
			Namespace: "default", WorkflowId: id, RequestId: "request of " + id, WorkflowType: &commonpb.WorkflowType{Name: "order"},
			TaskQueue: &taskqueuepb.TaskQueue{Name: "orders"}, Input: input,
		})
		var already *serviceerror.WorkflowExecutionAlreadyStarted
		switch {
		case errors.As(err, &already):
			return "already started"
		case err != nil:
			return err.Error()
		case runs[id] == "":
			runs[id] = r.GetRunId()
			return "started"
		case runs[id] == r.GetRunId():
			return "the same run"
		}
		return "another execution"
	}
	// signal waits until the run that it goes to has ended.
	signal := func(id string) {
		before, err := c.DescribeWorkflowExecution(ctx, id, "")
		must(err)
		must(c.SignalWorkflow(ctx, id, "", "go", nil))
		for tries := 0; ; tries++ {
			now, err := c.DescribeWorkflowExecution(ctx, id, "")
			must(err)
			if now.GetWorkflowExecutionInfo().GetExecution().GetRunId() != before.GetWorkflowExecutionInfo().GetExecution().GetRunId() ||
				now.GetWorkflowExecutionInfo().GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
				return
			}
			if tries > 200 {
				panic("the run goes on")
			}
			time.Sleep(200 * time.Millisecond)
		}
	}
	fmt.Printf("plain: %s", start("plain", false))
	fmt.Printf(", again %s", start("plain", false))
	signal("plain")
	fmt.Printf(", completed %s\n", start("plain", false))

	fmt.Printf("continues as new: %s", start("new", true))
	signal("new")
	fmt.Printf(", in its second run %s", start("new", true))
	signal("new")
	fmt.Printf(", completed %s\n", start("new", true))

	fmt.Printf("reset: %s", start("reset", false))
	for tries := 0; ; tries++ { // until the first workflow task is over
		d, err := c.DescribeWorkflowExecution(ctx, "reset", "")
		must(err)
		if d.GetWorkflowExecutionInfo().GetHistoryLength() >= 4 {
			break
		}
		if tries > 200 {
			panic("no workflow task")
		}
		time.Sleep(200 * time.Millisecond)
	}
	_, err := c.ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: "default", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: "reset", RunId: runs["reset"]},
		RequestId: "a reset", WorkflowTaskFinishEventId: 4,
	})
	must(err)
	fmt.Printf(", in its second run %s", start("reset", false))
	signal("reset")
	fmt.Printf(", completed %s\n", start("reset", false))
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
plain: started, again the same run, completed the same run
continues as new: started, in its second run already started, completed another execution
reset: started, in its second run already started, completed another execution
WANT
