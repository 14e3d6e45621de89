#!/usr/bin/env bash
# Temporal's server 1.29.1 (its CLI's dev server, v1.5.1) with its Go SDK 1.50.0: who pays for a value of more than 2 MB.
#
# The behaviour: whoever asks pays for what he sends, and for a query's answer. What the code gives is paid by the execution: the server
# terminates it, also for the result of an update that one caller asked for, who is told that the workflow task failed. An
# activity pays with its retries: its result, its failure and its heartbeat's details each end it for good, a failure that says
# it may be retried too; a heartbeat reaches the activity's code as a cancellation that nobody asked for. Several values below
# the limit that make more than 4 MB in one task fail the task, which is tried again.
#
# Guessed: the exchange that carries it: the update fails as the query does, an activity's attempt fails and is followed by the next, and
# of what the code commands the task fails, so that it can be mended.
# Surprising: a read that is written as an update takes the execution with it once its answer has grown, and all callers' work. And the size of
# an error's text decides whether it is retried. From 4 kB on it is retried, but whoever asks meanwhile why it failed is told "Failure
# exceeds size limit." and nothing of the error's type, which has become a cause.
#
# Seen on 2026-11-30 (attempts of three that the policy allows; the execution's status some seconds later):
#   an activity fails with 3 kB: attempts 3, meanwhile Busy, at the end Busy; Completed
#   an activity fails with 100 kB: attempts 3, meanwhile Failure exceeds size limit., at the end Busy; Completed
#   an activity fails with 2.2 MB: attempts 1, at the end Failure exceeds size limit.; Completed
#   an activity's result: attempts 1, at the end Complete result exceeds size limit.; Completed
#   an activity's heartbeat: attempts 1, its context is canceled, at the end Heartbeat details exceed size limit.; Completed
#   a signal: InvalidArgument; Running
#   a query's answer: QueryFailed; Running
#   an update's result: WorkflowNotReady; Terminated
#   an activity's argument: Terminated
#   the result: Terminated
#   three arguments of 1.5 MB: Running
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
	"strings"
	"sync/atomic"
	"time"

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

func text(bytes int) string { return strings.Repeat("x", bytes) }

const large = 2_200_000

var attempts atomic.Int32

func fails(_ context.Context, bytes int) error {
	attempts.Add(1)
	return temporal.NewApplicationError(text(bytes), "Busy")
}

func returns(context.Context) (string, error) {
	attempts.Add(1)
	return text(large), nil
}

var told = make(chan error, 1)

func beats(ctx context.Context) error {
	attempts.Add(1)
	activity.RecordHeartbeat(ctx, text(large))
	<-ctx.Done()
	told <- ctx.Err()
	return nil
}

func takes(context.Context, string) error { return nil }

func order(ctx workflow.Context, what string, bytes int) (string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute, HeartbeatTimeout: 30 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 2 * time.Second, BackoffCoefficient: 1, MaximumAttempts: 3},
	})
	if err := workflow.SetQueryHandler(ctx, "state", func() (string, error) { return text(large), nil }); err != nil {
		return "", err
	}
	if err := workflow.SetUpdateHandler(ctx, "state", func(workflow.Context) (string, error) { return text(large), nil }); err != nil {
		return "", err
	}
	switch what {
	case "fails":
		return said(workflow.ExecuteActivity(ctx, fails, bytes).Get(ctx, nil)), nil
	case "returns":
		return said(workflow.ExecuteActivity(ctx, returns).Get(ctx, nil)), nil
	case "beats":
		return said(workflow.ExecuteActivity(ctx, beats).Get(ctx, nil)), nil
	case "takes":
		return said(workflow.ExecuteActivity(ctx, takes, text(large)).Get(ctx, nil)), nil
	case "three":
		for range 3 {
			workflow.ExecuteActivity(ctx, takes, text(1_500_000))
		}
	case "ends":
		return text(large), nil
	}
	workflow.GetSignalChannel(ctx, "end").Receive(ctx, nil)
	return "", nil
}

// said gives the outermost words of what an activity failed with: a type, or the server's text.
func said(err error) string {
	var server *temporal.ServerError
	var application *temporal.ApplicationError
	switch {
	case errors.As(err, &server):
		return server.Message()
	case errors.As(err, &application):
		return application.Type()
	}
	return fmt.Sprint(err)
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
	for _, a := range []any{fails, returns, beats, takes} {
		w.RegisterActivity(a)
	}
	must(w.Start())
	defer w.Stop()
	ctx := context.Background()
	begin := func(what string, bytes int) client.WorkflowRun {
		attempts.Store(0)
		run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: "orders"}, order, what, bytes)
		must(err)
		return run
	}
	status := func(run client.WorkflowRun) string {
		d, err := c.DescribeWorkflowExecution(ctx, run.GetID(), run.GetRunID())
		must(err)
		return d.GetWorkflowExecutionInfo().GetStatus().String()
	}
	for _, f := range []struct {
		name  string
		what  string
		bytes int
	}{
		{"an activity fails with 3 kB", "fails", 3_000},
		{"an activity fails with 100 kB", "fails", 100_000},
		{"an activity fails with 2.2 MB", "fails", large},
		{"an activity's result", "returns", 0},
		{"an activity's heartbeat", "beats", 0},
	} {
		run := begin(f.what, f.bytes)
		meanwhile := ""
		for began := time.Now(); meanwhile == "" && time.Since(began) < 1500*time.Millisecond; time.Sleep(100 * time.Millisecond) {
			d, err := c.DescribeWorkflowExecution(ctx, run.GetID(), "")
			must(err)
			for _, p := range d.GetPendingActivities() {
				switch last := p.GetLastFailure(); {
				case last.GetApplicationFailureInfo() != nil:
					meanwhile = ", meanwhile " + last.GetApplicationFailureInfo().GetType()
				case last != nil:
					meanwhile = ", meanwhile " + last.GetMessage()
				}
			}
		}
		var end string
		must(run.Get(ctx, &end))
		if f.what == "beats" {
			meanwhile = ", its " + strings.Replace((<-told).Error(), "context", "context is", 1)
		}
		fmt.Printf("%s: attempts %d%s, at the end %s; %s\n", f.name, attempts.Load(), meanwhile, end, status(run))
	}

	later := func() { time.Sleep(4 * time.Second) }
	kind := func(err error) string {
		_, name, _ := strings.Cut(fmt.Sprintf("%T", err), ".")
		return name
	}
	run := begin("waits", 0)
	err := c.SignalWorkflow(ctx, run.GetID(), "", "other", text(large))
	later()
	fmt.Printf("a signal: %s; %s\n", kind(err), status(run))
	_, err = c.QueryWorkflow(ctx, run.GetID(), "", "state")
	later()
	fmt.Printf("a query's answer: %s; %s\n", kind(err), status(run))
	h, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: run.GetID(), UpdateName: "state", WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = h.Get(ctx, nil)
	}
	later()
	fmt.Printf("an update's result: %s; %s\n", kind(err), status(run))
	for _, what := range [][2]string{{"an activity's argument", "takes"}, {"the result", "ends"}, {"three arguments of 1.5 MB", "three"}} {
		run := begin(what[1], 0)
		later()
		fmt.Printf("%s: %s\n", what[0], status(run))
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
timeout 120 go run . "127.0.0.1:$port" >seen
cat seen
diff seen - <<'WANT'
an activity fails with 3 kB: attempts 3, meanwhile Busy, at the end Busy; Completed
an activity fails with 100 kB: attempts 3, meanwhile Failure exceeds size limit., at the end Busy; Completed
an activity fails with 2.2 MB: attempts 1, at the end Failure exceeds size limit.; Completed
an activity's result: attempts 1, at the end Complete result exceeds size limit.; Completed
an activity's heartbeat: attempts 1, its context is canceled, at the end Heartbeat details exceed size limit.; Completed
a signal: InvalidArgument; Running
a query's answer: QueryFailed; Running
an update's result: WorkflowNotReady; Terminated
an activity's argument: Terminated
the result: Terminated
three arguments of 1.5 MB: Running
WANT
