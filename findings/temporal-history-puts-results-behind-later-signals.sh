#!/usr/bin/env bash
# Temporal's server 1.29.1 (its CLI's dev server, v1.5.1) with its Go SDK 1.50.0: the order in the history of what arrives while a workflow
# task is under way (here one that waits fifteen seconds for a local activity).
#
# The behaviour: it isn't the order of arrival. What arrives meanwhile is kept until the task ends and then written in two groups: first what is
# no result (signals, timers), then what ends an activity or a child. An activity that completed six seconds before a timer
# fired and nine before a signal was sent comes behind both, with its true time on it: the history's times go back.
#
# Guessed: event ids ascend with time; of two things of which one was over before the other began, the code sees the first one first.
# Surprising: "the payment went through, then the customer cancelled" becomes "cancelled, then paid", only if a task happened to be under
# way: with workers that are busy, with a local activity, never in a quiet test. Whoever measures from event to event
# gets negative durations, and the last event's time isn't the latest.
#
# Seen on 2026-11-30:
#   the history: timer signal activity child
#   by their times: activity child timer signal
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

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

func work(_ context.Context, d time.Duration) error {
	time.Sleep(d)
	return nil
}

func child(ctx workflow.Context) error { return workflow.Sleep(ctx, 5*time.Second) }

func order(ctx workflow.Context) error {
	minute := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	activity := workflow.ExecuteActivity(minute, work, 2*time.Second)
	sub := workflow.ExecuteChildWorkflow(ctx, child)
	timer := workflow.NewTimer(ctx, 8*time.Second)
	workflow.GetSignalChannel(ctx, "go").Receive(ctx, nil)
	// The workflow task stays open for as long as this takes.
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: time.Minute})
	if err := workflow.ExecuteLocalActivity(local, work, 15*time.Second).Get(ctx, nil); err != nil {
		return err
	}
	for _, f := range []workflow.Future{activity, sub, timer} {
		if err := f.Get(ctx, nil); err != nil {
			return err
		}
	}
	workflow.GetSignalChannel(ctx, "signal").Receive(ctx, nil)
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
	w.RegisterWorkflow(child)
	w.RegisterActivity(work)
	must(w.Start())
	defer w.Stop()
	ctx := context.Background()
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: "orders", WorkflowTaskTimeout: time.Minute}, order)
	must(err)
	for tries := 0; ; tries++ { // until the first workflow task is over
		d, err := c.DescribeWorkflowExecution(ctx, run.GetID(), "")
		must(err)
		if len(d.GetPendingActivities()) > 0 {
			break
		}
		if tries > 200 {
			panic("no activity")
		}
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(time.Second)
	must(c.SignalWorkflow(ctx, run.GetID(), "", "go", nil))
	time.Sleep(10 * time.Second)
	must(c.SignalWorkflow(ctx, run.GetID(), "", "signal", nil))
	must(run.Get(ctx, nil))
	names := map[enumspb.EventType]string{
		enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:            "activity",
		enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED: "child",
		enumspb.EVENT_TYPE_TIMER_FIRED:                        "timer",
		enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:        "signal",
	}
	type event struct {
		name string
		at   time.Time
	}
	var inHistory []event
	h := c.GetWorkflowHistory(ctx, run.GetID(), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for h.HasNext() {
		e, err := h.Next()
		must(err)
		if name := names[e.GetEventType()]; name != "" && e.GetWorkflowExecutionSignaledEventAttributes().GetSignalName() != "go" {
			inHistory = append(inHistory, event{name, e.GetEventTime().AsTime()})
		}
	}
	fmt.Print("the history:")
	for _, e := range inHistory {
		fmt.Print(" ", e.name)
	}
	fmt.Print("\nby their times:")
	for len(inHistory) > 0 {
		first := 0
		for i := range inHistory {
			if inHistory[i].at.Before(inHistory[first].at) {
				first = i
			}
		}
		fmt.Print(" ", inHistory[first].name)
		inHistory = append(inHistory[:first], inHistory[first+1:]...)
	}
	fmt.Println()
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
the history: timer signal activity child
by their times: activity child timer signal
WANT
