#!/usr/bin/env bash
# Temporal's server 1.29.1 (its CLI's dev server, v1.5.1) with its Go SDK 1.50.0: what becomes of a null in a memo.
#
# The behaviour: it depends on who writes it. An execution that is started with a null keeps it as a value, whether it is JSON's or
# the SDKs' own encoding of nothing. The same null in an upsert of the running code is no value: it removes the field, and of one
# that was never there nothing is left either.
#
# Guessed: one meaning for both: a null removes, so that a start's nulls are dropped; or a null is a value, and stays after an upsert.
# Surprising: code that copies its memo into an upsert, to leave it as it is, loses the fields that were started as null.
#
# Seen on 2026-11-30:
#   started with: jsonNull json/plain "null", nothing binary/null "", number json/plain "1", other binary/null ""
#   after nothing, number and never were set to null: jsonNull json/plain "null", more json/plain "2", other binary/null ""
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
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
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

func order(ctx workflow.Context) error {
	workflow.GetSignalChannel(ctx, "change").Receive(ctx, nil)
	if err := workflow.UpsertMemo(ctx, map[string]any{"nothing": nil, "number": nil, "never": nil, "more": 2}); err != nil {
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
	defer w.Stop()
	ctx := context.Background()
	json := func(text string) *commonpb.Payload {
		return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(text)}
	}
	null := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("binary/null")}}
	_, err := c.WorkflowService().StartWorkflowExecution(ctx, &workflowservice.StartWorkflowExecutionRequest{
		Namespace: "default", WorkflowId: "order", RequestId: "order", WorkflowType: &commonpb.WorkflowType{Name: "order"},
		TaskQueue: &taskqueuepb.TaskQueue{Name: "orders"},
		Memo: &commonpb.Memo{Fields: map[string]*commonpb.Payload{"nothing": null, "other": null, "jsonNull": json("null"), "number": json("1")}},
	})
	must(err)
	fmt.Println("started with:", memo(ctx, c))
	must(c.SignalWorkflow(ctx, "order", "", "change", nil))
	for tries := 0; !strings.Contains(memo(ctx, c), "more"); tries++ {
		if tries > 100 {
			panic("the memo doesn't change")
		}
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Println("after nothing, number and never were set to null:", memo(ctx, c))
	must(c.SignalWorkflow(ctx, "order", "", "end", nil))
}

// memo is what the server shows.
func memo(ctx context.Context, c client.Client) string {
	d, err := c.DescribeWorkflowExecution(ctx, "order", "")
	must(err)
	var all []string
	for name, p := range d.GetWorkflowExecutionInfo().GetMemo().GetFields() {
		all = append(all, fmt.Sprintf("%s %s %q", name, p.GetMetadata()["encoding"], p.GetData()))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
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
started with: jsonNull json/plain "null", nothing binary/null "", number json/plain "1", other binary/null ""
after nothing, number and never were set to null: jsonNull json/plain "null", more json/plain "2", other binary/null ""
WANT
