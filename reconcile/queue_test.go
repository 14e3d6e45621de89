package reconcile

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// drainNow takes all ids that wait, in order.
func drainNow(q *workQueue) (ids []string) {
	for q.len() > 0 {
		it, _ := q.get()
		ids = append(ids, it.id)
		q.done(it.id)
	}
	return ids
}

func TestTwoHintsBeforeAPassMakeOnePass(t *testing.T) {
	t.Parallel()
	q := newWorkQueue(time.Second, time.Minute)
	defer q.shutDown()
	q.hint("a", time.Time{})
	q.resync("a")
	q.hint("a", time.Time{})
	if got := drainNow(q); len(got) != 1 {
		t.Errorf("passes %v, want one", got)
	}
}

func TestHintDuringAPassMakesOneMoreAfterIt(t *testing.T) {
	t.Parallel()
	q := newWorkQueue(time.Second, time.Minute)
	defer q.shutDown()
	q.hint("a", time.Time{})
	it, _ := q.get()
	q.hint("a", time.Time{})
	q.hint("a", time.Time{})
	if q.len() != 0 {
		t.Fatal("an id is handed out while it is worked on")
	}
	q.done(it.id)
	if got := drainNow(q); len(got) != 1 {
		t.Errorf("passes afterwards %v, want one", got)
	}
}

func TestAQueueIsIdleOnlyOnceNothingWaitsOrIsWorkedOn(t *testing.T) {
	t.Parallel()
	q := newWorkQueue(time.Second, time.Minute)
	defer q.shutDown()
	is := func(want bool, when string) {
		t.Helper()
		if q.idle() != want {
			t.Errorf("idle %v %s", !want, when)
		}
	}
	is(true, "before anything was added")
	q.hint("a", time.Time{})
	q.resync("a")
	is(false, "while an id waits")
	it, _ := q.get()
	is(false, "while it is worked on")
	q.hint("a", time.Time{})
	q.done(it.id)
	is(false, "while it waits again")
	drainNow(q)
	is(true, "once it is done")
}

func TestOneProjectIsNeverWorkedOnTwiceAtOnce(t *testing.T) {
	t.Parallel()
	q := newWorkQueue(time.Second, time.Minute)
	var at [4]atomic.Int32
	var workers, hinters sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for {
				it, ok := q.get()
				if !ok {
					return
				}
				n := &at[it.id[0]-'0']
				if n.Add(1) != 1 {
					t.Errorf("project %s is worked on twice at once", it.id)
				}
				n.Add(-1)
				q.done(it.id)
			}
		})
	}
	for h := range 4 {
		hinters.Go(func() {
			for i := range 2000 {
				id := fmt.Sprint((i + h) % 4)
				if i%2 == 0 {
					q.hint(id, time.Time{})
				} else {
					q.resync(id)
				}
			}
		})
	}
	hinters.Wait()
	q.shutDown()
	workers.Wait()
	if q.len() != 0 || len(q.lanes.lane) != 0 {
		t.Errorf("%d ids are left over", q.len())
	}
}

func TestAFreshHintOvertakesALookAtAThousandProjects(t *testing.T) {
	t.Parallel()
	q := newWorkQueue(time.Second, time.Minute)
	defer q.shutDown()
	for i := range 1000 {
		q.resync(fmt.Sprint(i))
	}
	q.hint("fresh", time.Time{})
	q.hint("700", time.Time{}) // waits already, further back
	for _, want := range []string{"fresh", "700", "0"} {
		it, _ := q.get()
		if it.id != want {
			t.Errorf("handed out %s, want %s", it.id, want)
		}
		q.done(it.id)
	}
	if got := len(drainNow(q)); got != 998 {
		t.Errorf("%d passes are left, want 998: every id once", got)
	}
}

func TestAHintDuringAPassStaysUrgent(t *testing.T) {
	t.Parallel()
	q := newWorkQueue(time.Second, time.Minute)
	defer q.shutDown()
	q.resync("a")
	it, _ := q.get()
	q.resync("b")
	q.hint("a", time.Time{})
	q.done(it.id)
	if got := drainNow(q); got[0] != "a" {
		t.Errorf("order %v, want a first", got)
	}
}

func TestBackoffDoublesUpToItsLimitAndForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newWorkQueue(500*time.Millisecond, 30*time.Second)
		defer q.shutDown()
		wait := func() time.Duration {
			began := time.Now()
			q.retry("a")
			it, _ := q.get()
			q.done(it.id)
			return time.Since(began)
		}
		for i, seconds := range []float64{0.5, 1, 2, 4, 8, 16, 30, 30, 30} {
			if got, want := wait(), time.Duration(seconds*float64(time.Second)); got != want {
				t.Errorf("failure %d is retried after %s, want %s", i+1, got, want)
			}
		}
		q.forget("a")
		if got := wait(); got != 500*time.Millisecond {
			t.Errorf("first failure after a success is retried after %s, want 500ms", got)
		}
	})
}

func TestOneProjectsBackoffDelaysNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newWorkQueue(time.Second, 30*time.Second)
		defer q.shutDown()
		for range 10 {
			q.backoff.When("poison")
		}
		q.retry("poison")
		began := time.Now()
		q.retry("other")
		it, _ := q.get()
		if it.id != "other" || time.Since(began) != time.Second {
			t.Errorf("%s came after %s, want other after 1s", it.id, time.Since(began))
		}
		q.done(it.id)
	})
}

func TestOfDelayedAddsTheEarliestCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newWorkQueue(time.Second, time.Minute)
		defer q.shutDown()
		began := time.Now()
		q.after("a", 20*time.Second)
		q.after("a", 5*time.Second)
		q.after("a", 10*time.Second)
		it, _ := q.get()
		if got := time.Since(began); got != 5*time.Second {
			t.Errorf("came after %s, want 5s", got)
		}
		q.done(it.id)
		time.Sleep(time.Minute)
		synctest.Wait()
		if q.len() != 0 {
			t.Error("came twice")
		}
	})
}

func TestAnItemSaysWhenItWasFirstAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newWorkQueue(time.Second, time.Minute)
		defer q.shutDown()
		q.resync("a")
		time.Sleep(3 * time.Second)
		q.hint("a", time.Time{})
		it, _ := q.get()
		if got := time.Since(it.since); got != 3*time.Second {
			t.Errorf("asked for %s ago, want 3s", got)
		}
		q.done(it.id)
	})
}
