#!/usr/bin/env bash
# Temporal's server 1.29.1 (its CLI's dev server, v1.5.1) with its Go SDK 1.51.0: heartbeat details above the server's limit of 2 MiB.
#
# The behaviour: the server ends the activity with a failure of its own, of kind ServerFailure and not to be retried, whatever
# the retry policy says, while the activity runs on. Its worker gets no error: what it hears is that cancellation was requested.
# The workflow is told "Heartbeat details exceed size limit."
#
# Guessed: the heartbeat is refused with an error as other requests with large payloads are (or is cut), the activity goes on with
# the details of before, and completes.
# Surprising: progress that is remembered for the next attempt is what rules out a next attempt; and an activity that handles
# its cancellation believes that somebody wished it.
#
# Seen on 2026-12-01:
#   1 KiB: attempts 1: completed; the activity's context: <nil>
#   3072 KiB: attempts 1: ServerFailure "Heartbeat details exceed size limit.", NonRetryableFailure; the activity's context: context canceled
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
	"strings"
	"sync"
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

// heard is what an activity's context said, and how often it was tried.
type heard struct {
	sync.Mutex
	attempts map[int]int
	context  map[int]chan error
}

func (h *heard) copyFile(ctx context.Context, size int) error {
	h.Lock()
	h.attempts[size]++
	h.Unlock()
	activity.RecordHeartbeat(ctx, strings.Repeat("x", size))
	select {
	case <-ctx.Done():
	case <-time.After(5 * time.Second):
	}
	h.context[size] <- ctx.Err()
	return ctx.Err()
}

func copies(ctx workflow.Context, size int) (string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: time.Minute, HeartbeatTimeout: 20 * time.Second,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 100 * time.Millisecond, MaximumAttempts: 3},
	})
	err := workflow.ExecuteActivity(ctx, "CopyFile", size).Get(ctx, nil)
	var refused *temporal.ServerError
	if errors.As(err, &refused) {
		var failed *temporal.ActivityError
		errors.As(err, &failed)
		return fmt.Sprintf("ServerFailure %q, %v", refused.Error(), failed.RetryState()), nil
	}
	if err != nil {
		return err.Error(), nil
	}
	return "completed", nil
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
	small, large := 1<<10, 3<<20
	h := &heard{attempts: map[int]int{}, context: map[int]chan error{small: make(chan error, 3), large: make(chan error, 3)}}
	w := worker.New(c, "files", worker.Options{WorkerStopTimeout: time.Second})
	w.RegisterWorkflow(copies)
	w.RegisterActivityWithOptions(h.copyFile, activity.RegisterOptions{Name: "CopyFile"})
	if err := w.Start(); err != nil {
		panic(err)
	}
	defer w.Stop()
	for _, size := range []int{small, large} {
		run, err := c.ExecuteWorkflow(context.Background(), client.StartWorkflowOptions{TaskQueue: "files"}, copies, size)
		if err != nil {
			panic(err)
		}
		var ended string
		if err := run.Get(context.Background(), &ended); err != nil {
			panic(err)
		}
		said := <-h.context[size]
		h.Lock()
		fmt.Printf("%d KiB: attempts %d: %s; the activity's context: %v\n", size>>10, h.attempts[size], ended, said)
		h.Unlock()
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
1 KiB: attempts 1: completed; the activity's context: <nil>
3072 KiB: attempts 1: ServerFailure "Heartbeat details exceed size limit.", NonRetryableFailure; the activity's context: context canceled
WANT
