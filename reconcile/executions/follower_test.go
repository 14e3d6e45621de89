package executions

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"workflow-worker/reconcile/rows"
)

func heard(f *Follower) []*entry {
	batch, _ := f.take()
	return batch
}

// What the starter knows and what a worker saw are one write, in whichever order they come.
func TestTheStartAndTheEndOfAnExecutionAreWrittenAtOnce(t *testing.T) {
	t.Parallel()
	saw := rows.ExecutionState{RunID: "r", FirstRunID: "r", Status: rows.ExecutionRunning, Hash: "h", Version: "1", Activities: 0}
	ended := rows.ExecutionState{RunID: "r", FirstRunID: "r", Status: rows.ExecutionCompleted, EndedAt: time.Now(), Activities: 2}
	for name, tell := range map[string]func(f *Follower){
		"in order":           func(f *Follower) { f.began("row", "x", "r"); f.put(saw); f.put(ended) },
		"the start last":     func(f *Follower) { f.put(saw); f.put(ended); f.began("row", "x", "r") },
		"the start between":  func(f *Follower) { f.put(saw); f.began("row", "x", "r"); f.put(ended) },
		"the end before all": func(f *Follower) { f.put(ended); f.put(saw); f.began("row", "x", "r") },
		"given back": func(f *Follower) {
			f.began("row", "x", "r")
			batch := heard(f)
			f.put(saw)
			f.put(ended)
			f.giveBack(batch, 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := NewFollower(Base{}, false, deafObserver{})
			tell(f)
			batch := heard(f)
			if len(batch) != 1 {
				t.Fatalf("%d writes", len(batch))
			}
			e := batch[0]
			if e.ID != "row" || e.Status != rows.ExecutionCompleted || e.Activities != 2 || e.StartedAt.IsZero() || e.EndedAt.IsZero() {
				t.Errorf("%+v", e.ExecutionState)
			}
			if f.held != 0 {
				t.Errorf("%d bytes are held by nothing", f.held)
			}
		})
	}
}

func TestTwoRowsOfOneExecutionAreBothWritten(t *testing.T) {
	t.Parallel()
	f := NewFollower(Base{}, false, deafObserver{})
	f.began("one", "x", "r")
	f.began("two", "x", "r")
	f.ending = true
	if batch := heard(f); len(batch) != 2 {
		t.Errorf("%d writes", len(batch))
	}
}

func TestALaterRunTakesTheRowOver(t *testing.T) {
	t.Parallel()
	f := NewFollower(Base{}, false, deafObserver{})
	f.put(rows.ExecutionState{RunID: "r", FirstRunID: "r", Status: rows.ExecutionCompleted})
	f.put(rows.ExecutionState{RunID: "s", FirstRunID: "r", Status: rows.ExecutionRunning})
	if batch := heard(f); len(batch) != 1 || batch[0].RunID != "s" || batch[0].Status != rows.ExecutionRunning {
		t.Errorf("%+v", batch)
	}
}

// A start that is alone waits for what a worker sees of it: both are one write.
func TestAStartWaitsForItsFirstTask(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := NewFollower(Base{}, false, deafObserver{})
		f.began("row", "x", "r")
		if n := len(heard(f)); n != 0 {
			t.Errorf("%d are written before a worker may have seen the task", n)
		}
		f.put(rows.ExecutionState{RunID: "r", FirstRunID: "r", Status: rows.ExecutionRunning, Hash: "h"})
		if batch := heard(f); len(batch) != 1 || batch[0].ID != "row" || batch[0].Hash != "h" {
			t.Errorf("%+v", batch)
		}
		calm := paceOf(&f.crowd)
		f.began("slow", "z", "t")
		time.Sleep(calm.first)
		if n := len(heard(f)); n != 1 {
			t.Errorf("%d are written of what no worker takes up", n)
		}
		f.put(rows.ExecutionState{RunID: "t", FirstRunID: "t", Status: rows.ExecutionRunning, Hash: "h"})
		if n := len(heard(f)); n != 0 {
			t.Errorf("%d are written for their code alone", n)
		}
		time.Sleep(calm.code)
		if batch := heard(f); len(batch) != 1 || batch[0].Hash != "h" {
			t.Errorf("of what goes on for longer it isn't told which code it runs: %+v", batch)
		}
		f.began("row", "x", "u")
		time.Sleep(calm.first)
		heard(f)
		f.put(rows.ExecutionState{RunID: "u", FirstRunID: "u", Status: rows.ExecutionRunning, Hash: "h", Version: "1"})
		f.put(rows.ExecutionState{RunID: "u", FirstRunID: "u", Status: rows.ExecutionCompleted, EndedAt: time.Now()})
		if batch := heard(f); len(batch) != 1 || !batch[0].Over() || batch[0].Hash != "h" {
			t.Errorf("an end waits: %+v", batch)
		}
	})
}

func TestStartsThatNobodySeesAreForgotten(t *testing.T) {
	t.Parallel()
	all, now := starts{}, time.Now()
	for i := range 3 * maxStarts {
		now = now.Add(firstsFor / maxStarts)
		all.began(fmt.Sprint(i), now)
	}
	if len(all) > maxStarts || all.seen("0") || !all.seen(fmt.Sprint(3*maxStarts-1)) {
		t.Errorf("%d are remembered", len(all))
	}
}

// Many at a time: most are over before anybody would have seen them run.
func TestInACrowdABeginningWaitsForItsEnd(t *testing.T) {
	t.Parallel()
	f := NewFollower(Base{}, false, deafObserver{})
	const many = 500
	run := func(i int) string { return fmt.Sprint("run ", i) }
	for i := range many {
		f.began(fmt.Sprint("row ", i), "x", run(i))
		f.put(rows.ExecutionState{RunID: run(i), FirstRunID: run(i), Status: rows.ExecutionRunning, Hash: "h"})
	}
	early := len(heard(f)) // before it was known that it is a crowd
	if early == 0 || early >= many/2 {
		t.Errorf("%d of %d beginnings are written at once", early, many)
	}
	for i := range many {
		f.put(rows.ExecutionState{RunID: run(i), FirstRunID: run(i), Status: rows.ExecutionCompleted, EndedAt: time.Now()})
	}
	both := 0
	for range many/maxBatch + 1 {
		for _, e := range heard(f) {
			if e.Over() && e.ID != "" && !e.StartedAt.IsZero() {
				both++
			}
		}
	}
	if both != many-early {
		t.Errorf("%d were written with their ends, want %d", both, many-early)
	}
	f.began("last", "x", "last")
	if n := len(heard(f)); n != 0 {
		t.Errorf("%d beginnings are written in a crowd", n)
	}
	f.ending = true
	if n := len(heard(f)); n != 1 {
		t.Errorf("%d are written in the end", n)
	}
}
