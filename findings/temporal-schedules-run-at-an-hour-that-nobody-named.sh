#!/usr/bin/env bash
# Temporal's server 1.29.1 (its CLI's dev server, v1.5.1) with its Go API 1.63.5: what a schedule by the clock of a zone does on the day
# on which clocks go back there, and on the one on which they go forth.
#
# The behaviour: it depends on the side of Greenwich. In New York, where 01:00 to 02:00 comes twice, a schedule for 01:30 runs twice, and one
# for every full hour 25 times. In Berlin 02:00 to 03:00 comes twice, but it is the schedule for 01:30 that runs twice: at 01:30
# and at the first 02:30; one for 02:30 runs once, at the second; and one for every full hour runs 24 times in 25 hours, leaving an hour
# out. London and Sydney are like Berlin. So a backfill of that day in Berlin starts two executions of a daily 01:30. An interval
# of an hour is 25 in all of them. In spring a time that doesn't come is left out everywhere.
#
# Guessed: the same everywhere: a time that comes twice is run once, or in both; one that comes once is run once; every full hour is 25.
# Surprising: to put a nightly job at 01:30, so that it keeps away from the hour that is repeated, is what makes it run twice in Europe,
# and the second time under a clock reading that nobody asked for.
#
# Seen on 2026-11-30 (in 2025; backfilled executions have the time in UTC in their id):
#   Europe/Berlin, 25 hours: 30 0 * * * 00:30 CEST; 30 1 * * * 01:30 CEST and 02:30 CEST; 30 2 * * * 02:30 CET; 30 3 * * * 03:30 CET; 0 * * * * 24 times; every hour 25 times;
#   Europe/Berlin, 23 hours: 30 0 * * * 00:30 CET; 30 1 * * * 01:30 CET; 30 2 * * * ; 30 3 * * * 03:30 CEST; 0 * * * * 23 times; every hour 23 times;
#   Europe/London, 25 hours: 30 0 * * * 00:30 BST and 01:30 BST; 30 1 * * * 01:30 GMT; 30 2 * * * 02:30 GMT; 30 3 * * * 03:30 GMT; 0 * * * * 24 times; every hour 25 times;
#   Europe/London, 23 hours: 30 0 * * * 00:30 GMT; 30 1 * * * ; 30 2 * * * 02:30 BST; 30 3 * * * 03:30 BST; 0 * * * * 23 times; every hour 23 times;
#   Australia/Sydney, 25 hours: 30 0 * * * 00:30 AEDT; 30 1 * * * 01:30 AEDT and 02:30 AEDT; 30 2 * * * 02:30 AEST; 30 3 * * * 03:30 AEST; 0 * * * * 24 times; every hour 25 times;
#   Australia/Sydney, 23 hours: 30 0 * * * 00:30 AEST; 30 1 * * * 01:30 AEST; 30 2 * * * ; 30 3 * * * 03:30 AEDT; 0 * * * * 23 times; every hour 23 times;
#   America/New_York, 25 hours: 30 0 * * * 00:30 EDT; 30 1 * * * 01:30 EDT and 01:30 EST; 30 2 * * * 02:30 EST; 30 3 * * * 03:30 EST; 0 * * * * 25 times; every hour 25 times;
#   America/New_York, 23 hours: 30 0 * * * 00:30 EST; 30 1 * * * 01:30 EST; 30 2 * * * ; 30 3 * * * 03:30 EDT; 0 * * * * 23 times; every hour 23 times;
#   America/Los_Angeles, 25 hours: 30 0 * * * 00:30 PDT; 30 1 * * * 01:30 PDT and 01:30 PST; 30 2 * * * 02:30 PST; 30 3 * * * 03:30 PST; 0 * * * * 25 times; every hour 25 times;
#   America/Los_Angeles, 23 hours: 30 0 * * * 00:30 PST; 30 1 * * * 01:30 PST; 30 2 * * * ; 30 3 * * * 03:30 PDT; 0 * * * * 23 times; every hour 23 times;
#   Europe/Berlin, backfill of 30 1 * * * for that day: daily-2025-10-25T23:30:00Z daily-2025-10-26T00:30:00Z
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
	"sort"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/timestamppb"
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
	create := func(zone, id string, spec client.ScheduleSpec) client.ScheduleHandle {
		spec.TimeZoneName = zone
		h, err := c.ScheduleClient().Create(ctx, client.ScheduleOptions{
			ID: id, Spec: spec, Paused: true,
			Action: &client.ScheduleWorkflowAction{ID: id, Workflow: "anything", TaskQueue: "nobody"},
		})
		must(err)
		return h
	}
	for i, day := range []struct{ zone, back, forth string }{
		{"Europe/Berlin", "2025-10-26", "2025-03-30"},
		{"Europe/London", "2025-10-26", "2025-03-30"},
		{"Australia/Sydney", "2025-04-06", "2025-10-05"},
		{"America/New_York", "2025-11-02", "2025-03-09"},
		{"America/Los_Angeles", "2025-11-02", "2025-03-09"},
	} {
		zone, err := time.LoadLocation(day.zone)
		must(err)
		for _, d := range []string{day.back, day.forth} {
			from, err := time.ParseInLocation(time.DateOnly, d, zone)
			must(err)
			to := from.AddDate(0, 0, 1)
			fmt.Printf("%s, %d hours:", day.zone, int(to.Sub(from).Hours()))
			for j, spec := range []string{"30 0 * * *", "30 1 * * *", "30 2 * * *", "30 3 * * *", "0 * * * *", "every hour"} {
				id := fmt.Sprint(i, d, j)
				s := client.ScheduleSpec{CronExpressions: []string{spec}}
				if spec == "every hour" {
					s = client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: time.Hour}}}
				}
				create(day.zone, id, s)
				r, err := c.WorkflowService().ListScheduleMatchingTimes(ctx, &workflowservice.ListScheduleMatchingTimesRequest{
					Namespace: "default", ScheduleId: id, StartTime: timestamppb.New(from.Add(-time.Second)), EndTime: timestamppb.New(to.Add(-time.Second)),
				})
				must(err)
				var times []string
				for _, t := range r.GetStartTime() {
					times = append(times, t.AsTime().In(zone).Format("15:04 MST"))
				}
				switch {
				case j > 3:
					fmt.Printf(" %s %d times;", spec, len(times))
				default:
					fmt.Printf(" %s %s;", spec, strings.Join(times, " and "))
				}
			}
			fmt.Println()
		}
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	must(err)
	from := time.Date(2025, 10, 26, 0, 0, 0, 0, zone)
	h := create("Europe/Berlin", "daily", client.ScheduleSpec{CronExpressions: []string{"30 1 * * *"}})
	must(h.Backfill(ctx, client.ScheduleBackfillOptions{Backfill: []client.ScheduleBackfill{{
		Start: from, End: from.AddDate(0, 0, 1), Overlap: enumspb.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
	}}}))
	var started []string
	for tries := 0; len(started) < 2 && tries < 60; tries++ {
		time.Sleep(time.Second)
		r, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Query: "WorkflowId STARTS_WITH 'daily-'"})
		must(err)
		started = nil
		for _, e := range r.GetExecutions() {
			started = append(started, e.GetExecution().GetWorkflowId())
		}
	}
	sort.Strings(started)
	fmt.Println("Europe/Berlin, backfill of 30 1 * * * for that day:", strings.Join(started, " "))
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
Europe/Berlin, 25 hours: 30 0 * * * 00:30 CEST; 30 1 * * * 01:30 CEST and 02:30 CEST; 30 2 * * * 02:30 CET; 30 3 * * * 03:30 CET; 0 * * * * 24 times; every hour 25 times;
Europe/Berlin, 23 hours: 30 0 * * * 00:30 CET; 30 1 * * * 01:30 CET; 30 2 * * * ; 30 3 * * * 03:30 CEST; 0 * * * * 23 times; every hour 23 times;
Europe/London, 25 hours: 30 0 * * * 00:30 BST and 01:30 BST; 30 1 * * * 01:30 GMT; 30 2 * * * 02:30 GMT; 30 3 * * * 03:30 GMT; 0 * * * * 24 times; every hour 25 times;
Europe/London, 23 hours: 30 0 * * * 00:30 GMT; 30 1 * * * ; 30 2 * * * 02:30 BST; 30 3 * * * 03:30 BST; 0 * * * * 23 times; every hour 23 times;
Australia/Sydney, 25 hours: 30 0 * * * 00:30 AEDT; 30 1 * * * 01:30 AEDT and 02:30 AEDT; 30 2 * * * 02:30 AEST; 30 3 * * * 03:30 AEST; 0 * * * * 24 times; every hour 25 times;
Australia/Sydney, 23 hours: 30 0 * * * 00:30 AEST; 30 1 * * * 01:30 AEST; 30 2 * * * ; 30 3 * * * 03:30 AEDT; 0 * * * * 23 times; every hour 23 times;
America/New_York, 25 hours: 30 0 * * * 00:30 EDT; 30 1 * * * 01:30 EDT and 01:30 EST; 30 2 * * * 02:30 EST; 30 3 * * * 03:30 EST; 0 * * * * 25 times; every hour 25 times;
America/New_York, 23 hours: 30 0 * * * 00:30 EST; 30 1 * * * 01:30 EST; 30 2 * * * ; 30 3 * * * 03:30 EDT; 0 * * * * 23 times; every hour 23 times;
America/Los_Angeles, 25 hours: 30 0 * * * 00:30 PDT; 30 1 * * * 01:30 PDT and 01:30 PST; 30 2 * * * 02:30 PST; 30 3 * * * 03:30 PST; 0 * * * * 25 times; every hour 25 times;
America/Los_Angeles, 23 hours: 30 0 * * * 00:30 PST; 30 1 * * * 01:30 PST; 30 2 * * * ; 30 3 * * * 03:30 PDT; 0 * * * * 23 times; every hour 23 times;
Europe/Berlin, backfill of 30 1 * * * for that day: daily-2025-10-25T23:30:00Z daily-2025-10-26T00:30:00Z
WANT
