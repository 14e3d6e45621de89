package cdc

import (
	"testing"
	"time"
)

func project(xid uint32, id string) transaction {
	t := transaction{xid: xid}
	t.changes.projects.add(id)
	return t
}

func TestVisibleTransactionIsNotHeldBackByAnInvisibleOne(t *testing.T) {
	t.Parallel()
	var w waiting
	for xid := uint32(10); xid < 15; xid++ {
		w.add(project(xid, "p"), 100)
	}
	seen, all := w.settle(snapshot{xmin: 11, xmax: 14, open: []uint64{11, 12}}, time.Now())
	if len(seen) != 2 || seen[0].xid != 10 || seen[1].xid != 13 || all != "" {
		t.Errorf("let out %+v, all %q", seen, all)
	}
	if len(w.transactions) != 3 || w.size != 6 {
		t.Errorf("kept %+v, size %d", w.transactions, w.size)
	}
	seen, _ = w.settle(snapshot{xmin: 20, xmax: 20}, time.Now())
	if len(seen) != 3 || !w.empty() || w.size != 0 {
		t.Errorf("let out %+v, kept %+v, size %d", seen, w.transactions, w.size)
	}
}

func TestTooManyWaitingBecomeOneLookAtAllWhenVisible(t *testing.T) {
	t.Parallel()
	var w waiting
	for xid := uint32(100); xid < 111; xid++ {
		w.add(project(xid, "p"), 20) // 2 each
		if w.size > 20 {
			t.Fatalf("size %d", w.size)
		}
	}
	if len(w.transactions) != 0 || w.crowd == nil {
		t.Fatalf("not collapsed: %+v", w)
	}
	now := time.Now()
	settle := func(s snapshot, wantAll, wantDone bool) {
		t.Helper()
		_, all := w.settle(s, now)
		if (all != "") != wantAll || w.empty() != wantDone {
			t.Errorf("look at all: %q, done: %t; want %t, %t", all, w.empty(), wantAll, wantDone)
		}
		now = now.Add(2 * crowdDelayMax)
	}
	settle(snapshot{xmin: 100, xmax: 105, open: []uint64{100, 102}}, true, false)
	settle(snapshot{xmin: 100, xmax: 105, open: []uint64{100, 102}}, false, false) // nothing new to see
	settle(snapshot{xmin: 100, xmax: 108, open: []uint64{100}}, true, false)
	settle(snapshot{xmin: 100, xmax: 130, open: []uint64{100, 120}}, true, false)
	settle(snapshot{xmin: 120, xmax: 130, open: []uint64{120}}, true, true) // later ones don't matter
}

func TestCrowdLooksAgainAtGrowingIntervalsOnly(t *testing.T) {
	t.Parallel()
	c := crowd{reason: "connected", last: 1000}
	now := time.Now()
	looks := 0
	for xmax := uint64(900); xmax <= 1000; xmax++ { // one ends every millisecond
		if all, _ := c.settle(snapshot{xmin: xmax, xmax: xmax}, now); all {
			looks++
		}
		now = now.Add(time.Millisecond)
	}
	if looks != 3 { // at 0, 20 and 60 ms
		t.Errorf("looked at all %d times in 100 ms", looks)
	}
}

func TestCrowdOfAnIdleServerIsDoneAtOnce(t *testing.T) {
	t.Parallel()
	var w waiting
	w.join(crowd{reason: "connected", last: 41})
	if _, all := w.settle(snapshot{xmin: 42, xmax: 42}, time.Now()); all != "connected" || !w.empty() {
		t.Errorf("all %q, left %+v", all, w.crowd)
	}
}

func TestTakeMovesEverything(t *testing.T) {
	t.Parallel()
	var to, from waiting
	to.add(project(1, "p1"), 100)
	to.join(crowd{reason: "first", last: 0xfffffff0})
	from.add(project(2, "p2"), 100)
	from.join(crowd{reason: "second", last: 5}) // later: ids go round
	to.take(&from, 100)
	if len(to.transactions) != 2 || to.size != 4 || to.crowd.last != 5 || to.crowd.reason != "second" || !from.empty() {
		t.Errorf("to %+v %+v, from %+v", to, to.crowd, from)
	}
	to.take(&from, 100)
	if len(to.transactions) != 2 || to.crowd.last != 5 {
		t.Errorf("taking nothing changed it: %+v", to)
	}
}
