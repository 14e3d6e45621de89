#!/usr/bin/env bash
# Temporal's server 1.29.1 (its CLI's dev server, v1.5.1) with its Go SDK 1.50.0: what becomes of a signal, or an update, that is sent a
# second time under the same id, as a client does that got no answer, when the execution was reset in between.
#
# The behaviour: the new run has the first signal, copied with the history before the point of the reset or applied again after it, and
# takes the second one too: the ids of the requests stay with the former run. SignalWithStart is alike. An update's id is part of
# what is copied and applied again: the second one only gets the first one's answer.
#
# Guessed: what comes along with a reset comes with its id, for signals as for updates; all the more where the event lies before the
# point of the reset, as nothing is done anew with it there.
# Surprising: a reset turns a retry that was safe into a second delivery, and nothing in the history of the new run tells it from
# two signals that were meant. Who must not signal twice has to look for the request in the former run's history.
#
# Seen on 2026-12-01 (how many the execution counts in the end):
#   signal, signal: 1
#   signal, reset to after it, signal: 2
#   signal, reset to before it, signal: 2
#   signal, reset to before it, signal, signal: 2
#   signal with start, signal with start: 1
#   signal with start, reset to after it, signal with start: 2
#   update, update: 1
#   update, reset to after it, update: 1
#   update, reset to before it, update: 1
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
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
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

// count counts what comes until it is to end.
func count(ctx workflow.Context) (n int, err error) {
	if err := workflow.SetUpdateHandler(ctx, "add", func(workflow.Context) error { n++; return nil }); err != nil {
		return 0, err
	}
	for end := false; !end; {
		workflow.NewSelector(ctx).
			AddReceive(workflow.GetSignalChannel(ctx, "add"), func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, nil); n++ }).
			AddReceive(workflow.GetSignalChannel(ctx, "end"), func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, nil); end = true }).
			Select(ctx)
	}
	return n, nil
}

const namespace, queue = "default", "counts"

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
	w.RegisterWorkflow(count)
	must(w.Start())
	defer w.Stop()
	for i, steps := range []string{
		"signal, signal", "signal, reset to after it, signal", "signal, reset to before it, signal", "signal, reset to before it, signal, signal",
		"signal with start, signal with start", "signal with start, reset to after it, signal with start",
		"update, update", "update, reset to after it, update", "update, reset to before it, update",
	} {
		x := execution{c, fmt.Sprintf("count-%d", i)}
		if !strings.HasPrefix(steps, "signal with start") {
			_, err := c.ExecuteWorkflow(context.Background(), client.StartWorkflowOptions{ID: x.id, TaskQueue: queue}, count)
			must(err)
			x.settle()
		}
		for step := range strings.SplitSeq(steps, ", ") {
			x.do(step)
			x.settle()
		}
		must(c.SignalWorkflow(context.Background(), x.id, "", "end", nil))
		var n int
		must(c.GetWorkflow(context.Background(), x.id, "").Get(context.Background(), &n))
		fmt.Printf("%s: %d\n", steps, n)
	}
}

type execution struct {
	client.Client
	id string
}

func (x execution) do(step string) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	me := &commonpb.WorkflowExecution{WorkflowId: x.id}
	switch step {
	case "signal":
		_, err := x.WorkflowService().SignalWorkflowExecution(ctx, &workflowservice.SignalWorkflowExecutionRequest{
			Namespace: namespace, WorkflowExecution: me, SignalName: "add", RequestId: "one",
		})
		must(err)
	case "signal with start":
		_, err := x.WorkflowService().SignalWithStartWorkflowExecution(ctx, &workflowservice.SignalWithStartWorkflowExecutionRequest{
			Namespace: namespace, WorkflowId: x.id, WorkflowType: &commonpb.WorkflowType{Name: "count"},
			TaskQueue: &taskqueuepb.TaskQueue{Name: queue}, SignalName: "add", RequestId: "one",
		})
		must(err)
	case "update":
		h, err := x.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
			WorkflowID: x.id, UpdateName: "add", UpdateID: "one", WaitForStage: client.WorkflowUpdateStageCompleted,
		})
		must(err)
		must(h.Get(ctx, nil))
	default:
		tasks := x.completed()
		at := tasks[len(tasks)-1]
		if step == "reset to before it" {
			at = tasks[0]
		}
		_, err := x.WorkflowService().ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
			Namespace: namespace, WorkflowExecution: me, WorkflowTaskFinishEventId: at, RequestId: x.id, Reason: step,
		})
		must(err)
	}
}

// completed are the workflow tasks that were completed.
func (x execution) completed() (ids []int64) {
	all := x.GetWorkflowHistory(context.Background(), x.id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for all.HasNext() {
		e, err := all.Next()
		must(err)
		if e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			ids = append(ids, e.GetEventId())
		}
	}
	return ids
}

// settle waits until nothing is left to be done.
func (x execution) settle() {
	for {
		time.Sleep(200 * time.Millisecond)
		d, err := x.DescribeWorkflowExecution(context.Background(), x.id, "")
		must(err)
		if d.GetPendingWorkflowTask() == nil && len(x.completed()) > 0 {
			return
		}
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
signal, signal: 1
signal, reset to after it, signal: 2
signal, reset to before it, signal: 2
signal, reset to before it, signal, signal: 2
signal with start, signal with start: 1
signal with start, reset to after it, signal with start: 2
update, update: 1
update, reset to after it, update: 1
update, reset to before it, update: 1
WANT
