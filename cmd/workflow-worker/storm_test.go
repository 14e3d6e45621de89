package main

import (
	"flag"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/docker/stack/stacktest/race"
)

var reloads = flag.Int("reloads", load(200, 40), "reloads in the storm: make test PKGS=./cmd/workflow-worker TESTFLAGS='-run Storm -reloads 1000'")

// load is how much a test does: what it takes to find a fault, or, with the race detector, under
// which all takes ten times as long and tasks time out, what it takes to find a race. `make test` runs
// both.
func load(whole, raced int) int {
	if race.Enabled {
		return raced
	}
	return whole
}

// Reloads as fast as they go, in several projects at once, and not one task fails, times out or is
// tried again.
//
// Not parallel: with other tests beside it, tasks might time out for want of a processor.
func TestAStormOfReloadsFailsNoTask(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	const projects = 3
	db := stacktest.MigratedDatabase(t)
	wire := newTap(t)
	s := startService(t, db, "TEMPORAL_ADDRESS="+wire.address)
	b := newBuilder(t, db)
	done := func() bool {
		return int(s.metric(`workflow_worker_reloads_total{action="reload"}`)) >= *reloads
	}
	var crowds []*crowd
	var began []*time.Time
	var all sync.WaitGroup
	for i := range projects {
		c := newCrowd(b, 20*time.Second)
		crowds = append(crowds, c)
		began = append(began, c.running(nil).StartedAt)
		stop := make(chan struct{})
		all.Go(func() { c.stream(load(8, 2), 0, uint64(i), stop) })
		all.Go(func() {
			defer close(stop)
			r := rand.New(rand.NewPCG(1, uint64(i)))
			for !done() && !t.Failed() {
				f := c.flows[kinds[r.IntN(len(kinds))].name]
				f.edit(true)
				f.live()
			}
		})
	}
	all.Wait()
	total := 0
	ok, excused := counted(wire.excuse)
	for i, c := range crowds {
		for _, run := range c.runs {
			total += c.explained(run, ok)
		}
		if after := c.running(nil).StartedAt; !after.Equal(*began[i]) {
			t.Error("a worker was restarted")
		}
	}
	if strings.Contains(s.output(), "Stopped Worker") {
		t.Error("a worker stopped polling")
	}
	t.Logf("%.0f reloads, %d runs, excused: %v", s.metric(`workflow_worker_reloads_total{action="reload"}`), total, excused)
}
