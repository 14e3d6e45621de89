#!/usr/bin/env bash
# Temporal's server 1.29.1 (its CLI's dev server, v1.5.1) with its Go API 1.63.5: which JSON is a value of a search attribute.
#
# The behaviour: the type decides how the text is read, not what the number or the list is. 1.0 is no Int, and the error calls it 1;
# an integer beyond 2^53 is one. A list of one is a Keyword, but one text is no KeywordList.
#
# Guessed: numbers are numbers, so that 1.0 is 1 and 2^53 + 1 is at risk; and a single text is taken for a list of one, not the other
# way round.
# Surprising: whatever keeps the digits of a number as they were written (PostgreSQL's jsonb, Python's and Java's decimals) makes
# starts fail with a message that shows a value which is right.
#
# Seen on 2026-11-30:
#   Amount 1: taken
#   Amount 1.0: invalid value for search attribute Amount of type Int: 1
#   Amount 9007199254740993: taken
#   Region "north": taken
#   Region ["north"]: taken
#   Region ["north","south"]: invalid value for search attribute Region of type Keyword: [north south]
#   Tags ["new"]: taken
#   Tags "new": invalid value for search attribute Tags of type KeywordList: new
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
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

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
	ctx := context.Background()
	_, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: "default", SearchAttributes: map[string]enumspb.IndexedValueType{
			"Amount": enumspb.INDEXED_VALUE_TYPE_INT, "Region": enumspb.INDEXED_VALUE_TYPE_KEYWORD, "Tags": enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST,
		},
	})
	if err != nil {
		panic(err)
	}
	for i, one := range []struct{ name, json string }{
		{"Amount", "1"}, {"Amount", "1.0"}, {"Amount", "9007199254740993"},
		{"Region", `"north"`}, {"Region", `["north"]`}, {"Region", `["north","south"]`},
		{"Tags", `["new"]`}, {"Tags", `"new"`},
	} {
		fmt.Printf("%s %s: %s\n", one.name, one.json, start(ctx, c, i, one.name, one.json))
	}
}

// start starts an execution with a search attribute that is JSON as it stands.
func start(ctx context.Context, c client.Client, i int, name, json string) string {
	value := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(json)}
	for tries := 0; ; tries++ {
		_, err := c.WorkflowService().StartWorkflowExecution(ctx, &workflowservice.StartWorkflowExecutionRequest{
			Namespace: "default", WorkflowId: fmt.Sprint("order-", i), RequestId: fmt.Sprint(i, "/", tries),
			WorkflowType: &commonpb.WorkflowType{Name: "order"}, TaskQueue: &taskqueuepb.TaskQueue{Name: "orders"},
			SearchAttributes: &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{name: value}},
		})
		var invalid *serviceerror.InvalidArgument
		switch {
		case err == nil:
			return "taken"
		case errors.As(err, &invalid) && tries < 50 && err.Error() == "Namespace default has no mapping defined for search attribute "+name:
			time.Sleep(200 * time.Millisecond) // it is on its way to the server's parts
		case errors.As(err, &invalid):
			return err.Error()
		default:
			panic(err)
		}
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
Amount 1: taken
Amount 1.0: invalid value for search attribute Amount of type Int: 1
Amount 9007199254740993: taken
Region "north": taken
Region ["north"]: taken
Region ["north","south"]: invalid value for search attribute Region of type Keyword: [north south]
Tags ["new"]: taken
Tags "new": invalid value for search attribute Tags of type KeywordList: new
WANT
