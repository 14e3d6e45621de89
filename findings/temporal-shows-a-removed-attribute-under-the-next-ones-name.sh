#!/usr/bin/env bash
# Temporal's server 1.29.1 (its CLI's dev server, v1.5.1, which keeps its visibility in SQLite) with its Go SDK 1.50.0: what becomes of the
# values of a search attribute that is removed, once another one of the same type is added.
#
# The behaviour: where visibility is an SQL database a custom attribute is a name for one of a fixed number of columns (ten for Keyword).
# Removing the attribute frees the name; the values stay in the column, in visibility and in the execution itself. The next
# attribute that gets the column has them: an execution that was started with Customer "acme" has Region "acme", is found by it,
# and says so when it is described. Which free column is taken is left to chance; here all others are in use, so it is this one.
# The former name, added again, gets another column and has none of them.
#
# Guessed: a removed attribute's values are hidden, and there again if the same name comes back; a new name begins empty.
# Surprising: counts and lists by the new attribute take in executions that never had it, mixed with right ones and without a trace of
# where they come from. To remove and to add is the only way to rename an attribute or to make room once its type is
# full, and it works as hoped on the small cluster where other columns are free.
#
# Seen on 2026-11-30:
#   the server takes no more Keyword attributes: true
#   Customer there: first has Customer "acme"; found by Customer = acme: first; by Region = acme: refused
#   Customer removed, Region added: first has Region "acme"; found by Customer = acme: refused; by Region = acme: first
#   Customer removed, Region added: second has Region "north"; found by Customer = acme: refused; by Region = acme: first
#   Customer added again, elsewhere: first has Region "acme"; found by Customer = acme: third; by Region = acme: first
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

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
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
	add := func(name string) error {
		_, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
			Namespace: "default", SearchAttributes: map[string]enumspb.IndexedValueType{name: enumspb.INDEXED_VALUE_TYPE_KEYWORD},
		})
		return err
	}
	remove := func(name string) {
		_, err := c.OperatorService().RemoveSearchAttributes(ctx, &operatorservice.RemoveSearchAttributesRequest{
			Namespace: "default", SearchAttributes: []string{name},
		})
		must(err)
	}
	start := func(id, name, value string) {
		for tries := 0; ; tries++ { // until the server knows of the attribute
			key := temporal.NewSearchAttributeKeyKeyword(name)
			_, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
				ID: id, TaskQueue: "nobody", TypedSearchAttributes: temporal.NewSearchAttributes(key.ValueSet(value)),
			}, "order")
			if err == nil {
				return
			}
			if tries > 60 {
				panic(err)
			}
			time.Sleep(500 * time.Millisecond)
		}
	}
	// until waits for what takes the server a moment.
	until := func(done func() bool) {
		for tries := 0; !done(); tries++ {
			if tries > 100 {
				panic("still not so")
			}
			time.Sleep(300 * time.Millisecond)
		}
	}
	found := func(query string) string {
		r, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		if err != nil {
			return "refused"
		}
		var ids []string
		for _, e := range r.GetExecutions() {
			ids = append(ids, e.GetExecution().GetWorkflowId())
		}
		return strings.Join(ids, " ")
	}
	show := func(what, id string) {
		d, err := c.DescribeWorkflowExecution(ctx, id, "")
		must(err)
		var all []string
		for _, name := range []string{"Customer", "Region"} {
			if v, ok := d.GetWorkflowExecutionInfo().GetSearchAttributes().GetIndexedFields()[name]; ok {
				all = append(all, name+" "+string(v.GetData()))
			}
		}
		fmt.Printf("%s: %s has %s; found by Customer = acme: %s; by Region = acme: %s\n", what, id, strings.Join(all, ", "), found("Customer = 'acme'"), found("Region = 'acme'"))
	}
	must(add("Customer"))
	start("first", "Customer", "acme")
	fillers := 0
	for add(fmt.Sprint("Filler", fillers)) == nil {
		fillers++
	}
	fmt.Println("the server takes no more Keyword attributes:", add("Region") != nil)
	until(func() bool { return found("Customer = 'acme'") == "first" })
	show("Customer there", "first")
	remove("Customer")
	must(add("Region"))
	start("second", "Region", "north")
	until(func() bool { return found("Region = 'north'") == "second" })
	show("Customer removed, Region added", "first")
	show("Customer removed, Region added", "second")
	remove("Filler0")
	must(add("Customer"))
	start("third", "Customer", "acme")
	until(func() bool { return strings.Contains(found("Customer = 'acme'"), "third") })
	show("Customer added again, elsewhere", "first")
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
the server takes no more Keyword attributes: true
Customer there: first has Customer "acme"; found by Customer = acme: first; by Region = acme: refused
Customer removed, Region added: first has Region "acme"; found by Customer = acme: refused; by Region = acme: first
Customer removed, Region added: second has Region "north"; found by Customer = acme: refused; by Region = acme: first
Customer added again, elsewhere: first has Region "acme"; found by Customer = acme: third; by Region = acme: first
WANT
