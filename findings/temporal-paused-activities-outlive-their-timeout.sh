#!/usr/bin/env bash
# Temporal's server 1.29.1 (its CLI's dev server, v1.5.1) with its Go SDK 1.51.0: an activity that is paused between two attempts,
# and its schedule-to-close timeout.
#
# The behaviour: the timeout doesn't end it while it is paused, however long that takes; nor does its clock stand still. When it is
# unpaused after that time there is no further attempt: it ends with the timeout at once.
#
# Guessed: a pause doesn't stop the clock, and the activity times out in time, paused or not; or the clock stops, and an activity
# that is unpaused has the rest of its time.
# Surprising: neither. The pending activity shows an expiration time that has passed and waits for an operator for ever; and who
# mends a service, then unpauses what waited for it, fails the activities that they wanted to save.
#
# Seen on 2026-12-01:
#   twice its timeout after its schedule: Paused, expired
#   unpaused: ended with ScheduleToClose, attempts since 0
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
	go.temporal.io/api v1.64.3
	go.temporal.io/sdk v1.51.0
)
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/activity"
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

const timeout = 8 * time.Second

var attempts atomic.Int64

func callService(context.Context) error {
	attempts.Add(1)
	return errors.New("not there")
}

func calls(ctx workflow.Context) (string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		ActivityID: "call", ScheduleToCloseTimeout: timeout, RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 1},
	})
	err := workflow.ExecuteActivity(ctx, "CallService").Get(ctx, nil)
	var over *temporal.TimeoutError
	if errors.As(err, &over) {
		return over.TimeoutType().String(), nil
	}
	return fmt.Sprint(err), nil
}

func main() {
	ctx := context.Background()
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
	w := worker.New(c, "calls", worker.Options{WorkerStopTimeout: time.Second})
	w.RegisterWorkflow(calls)
	w.RegisterActivityWithOptions(callService, activity.RegisterOptions{Name: "CallService"})
	must(w.Start())
	defer w.Stop()
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: "calls"}, calls)
	must(err)
	pending := func() *workflowpb.PendingActivityInfo {
		d, err := c.DescribeWorkflowExecution(ctx, run.GetID(), "")
		must(err)
		if len(d.GetPendingActivities()) == 0 {
			return nil
		}
		return d.GetPendingActivities()[0]
	}
	for pending() == nil || attempts.Load() == 0 {
		time.Sleep(50 * time.Millisecond)
	}
	of := &commonpb.WorkflowExecution{WorkflowId: run.GetID()}
	_, err = c.WorkflowService().PauseActivity(ctx, &workflowservice.PauseActivityRequest{
		Namespace: "default", Execution: of, Activity: &workflowservice.PauseActivityRequest_Id{Id: "call"},
	})
	must(err)
	for pending().GetState() != enumspb.PENDING_ACTIVITY_STATE_PAUSED {
		time.Sleep(50 * time.Millisecond)
	}
	before := attempts.Load()
	time.Sleep(2 * timeout)
	p, expired := pending(), "gone"
	if p != nil {
		expired = "not expired"
		if p.GetExpirationTime().AsTime().Before(time.Now()) {
			expired = "expired"
		}
	}
	fmt.Printf("twice its timeout after its schedule: %v, %s\n", p.GetState(), expired)
	_, err = c.WorkflowService().UnpauseActivity(ctx, &workflowservice.UnpauseActivityRequest{
		Namespace: "default", Execution: of, Activity: &workflowservice.UnpauseActivityRequest_Id{Id: "call"},
	})
	must(err)
	var ended string
	must(run.Get(ctx, &ended))
	fmt.Printf("unpaused: ended with %s, attempts since %d\n", ended, attempts.Load()-before)
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
twice its timeout after its schedule: Paused, expired
unpaused: ended with ScheduleToClose, attempts since 0
WANT
