#!/usr/bin/env bash
# Temporal's server 1.29.1 (its CLI's dev server, v1.5.1) with its Go SDK 1.50.0: what becomes of a running child when its parent is
# reset. Children have the default parent close policy, which terminates them.
#
# The behaviour: a reset terminates the parent's run without asking that policy. A child that was begun before the point of the reset stays
# the new run's, and its end reaches it. One that was begun after that point runs on and belongs to nobody: nothing that is done
# to the parent touches it any more. The new run starts it a second time: beside the first one if it has no id of its own (the
# default one holds the run's id), else in vain, as one of this id runs already.
#
# Guessed: the former run is shown as Terminated, so its children go with it as they do when it is terminated; or the new run takes
# them over where it starts the same child again, all the more so under the same id.
# Surprising: to go back before a step that went wrong doubles what is under way, or, with the ids that are recommended so that nothing
# is done twice, fails at that very step, until somebody has found the child and ended it by hand.
#
# Seen on 2026-11-30:
#   terminated: parent Terminated, child Terminated
#   reset to before the child: former run Terminated, its child Running; new run Running, its child is another true, Running
#   ... and then terminated: former run's child Running, new run's child Terminated
#   reset to before a child with an id of its own: former run's child Running; new run Completed: already started
#   reset to after the child's start: child Running; once it has ended: new run Completed: the child's result
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
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
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

// parent starts a child once it is told to, and says what came of it.
func parent(ctx workflow.Context, childID string) (string, error) {
	workflow.GetSignalChannel(ctx, "go").Receive(ctx, nil)
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: childID})
	var said string
	if err := workflow.ExecuteChildWorkflow(ctx, child).Get(ctx, &said); err != nil {
		if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
			return "already started", nil
		}
		return err.Error(), nil
	}
	return said, nil
}

func child(ctx workflow.Context) (string, error) {
	workflow.GetSignalChannel(ctx, "end").Receive(ctx, nil)
	return "the child's result", nil
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
	w.RegisterWorkflow(parent)
	w.RegisterWorkflow(child)
	must(w.Start())
	defer w.Stop()
	ctx := context.Background()
	settle := func() { time.Sleep(3 * time.Second) }
	status := func(id, run string) string {
		d, err := c.DescribeWorkflowExecution(ctx, id, run)
		must(err)
		return d.GetWorkflowExecutionInfo().GetStatus().String()
	}
	// begin gives a parent whose child runs, and the child's id.
	begin := func(childID string) (client.WorkflowRun, string) {
		run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: "orders"}, parent, childID)
		must(err)
		settle()
		must(c.SignalWorkflow(ctx, run.GetID(), "", "go", nil))
		settle()
		d, err := c.DescribeWorkflowExecution(ctx, run.GetID(), "")
		must(err)
		return run, d.GetPendingChildren()[0].GetWorkflowId()
	}
	// reset goes to the first completed workflow task, or to the last.
	reset := func(run client.WorkflowRun, last bool) string {
		var to int64
		events := c.GetWorkflowHistory(ctx, run.GetID(), run.GetRunID(), false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		for events.HasNext() {
			e, err := events.Next()
			must(err)
			if e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED && (to == 0 || last) {
				to = e.GetEventId()
			}
		}
		answer, err := c.WorkflowService().ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
			Namespace: "default", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: run.GetID(), RunId: run.GetRunID()},
			WorkflowTaskFinishEventId: to, RequestId: run.GetID(),
		})
		must(err)
		settle()
		return answer.GetRunId()
	}

	run, kid := begin("")
	must(c.TerminateWorkflow(ctx, run.GetID(), "", ""))
	settle()
	fmt.Printf("terminated: parent %s, child %s\n", status(run.GetID(), ""), status(kid, ""))

	run, kid = begin("")
	again := reset(run, false)
	d, err := c.DescribeWorkflowExecution(ctx, run.GetID(), again)
	must(err)
	second := d.GetPendingChildren()[0].GetWorkflowId()
	fmt.Printf("reset to before the child: former run %s, its child %s; new run %s, its child is another %v, %s\n",
		status(run.GetID(), run.GetRunID()), status(kid, ""), status(run.GetID(), again), second != kid, status(second, ""))
	must(c.TerminateWorkflow(ctx, run.GetID(), "", ""))
	settle()
	fmt.Printf("... and then terminated: former run's child %s, new run's child %s\n", status(kid, ""), status(second, ""))

	run, kid = begin("invoice")
	again = reset(run, false)
	var said string
	must(c.GetWorkflow(ctx, run.GetID(), again).Get(ctx, &said))
	fmt.Printf("reset to before a child with an id of its own: former run's child %s; new run %s: %s\n",
		status(kid, ""), status(run.GetID(), again), said)

	run, kid = begin("")
	again = reset(run, true)
	before := status(kid, "")
	must(c.SignalWorkflow(ctx, kid, "", "end", nil))
	settle()
	limited, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := c.GetWorkflow(limited, run.GetID(), again).Get(limited, &said); err != nil {
		said = "waits"
	}
	fmt.Printf("reset to after the child's start: child %s; once it has ended: new run %s: %s\n", before, status(run.GetID(), again), said)
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
timeout 120 go run . "127.0.0.1:$port" >seen
cat seen
diff seen - <<'WANT'
terminated: parent Terminated, child Terminated
reset to before the child: former run Terminated, its child Running; new run Running, its child is another true, Running
... and then terminated: former run's child Running, new run's child Terminated
reset to before a child with an id of its own: former run's child Running; new run Completed: already started
reset to after the child's start: child Running; once it has ended: new run Completed: the child's result
WANT
