package memory

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestLittleGarbageGathersAtRest(t *testing.T) {
	t.Parallel()
	for live, want := range map[uint64]uint64{0: 8 << 20, 13 << 20: 8 << 20, 400 << 20: 100 << 20} {
		if got := trimAfter(live); got != want {
			t.Errorf("beside %d bytes %d may gather, want %d", live, got, want)
		}
	}
}

func TestTheCollectorHasRoomOnASmallHeapAndNoMoreThanUsualOnALargeOne(t *testing.T) {
	t.Parallel()
	for live, want := range map[uint64]int{0: 400, 10 << 20: 400, 48 << 20: 200, 96 << 20: 100, 1 << 30: 100} {
		if got := gcPercent(live); got != want {
			t.Errorf("gcPercent(%d) = %d, want %d", live, got, want)
		}
	}
}

func TestTheWorkflowCacheFollowsTheMemory(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int64]int{1: leastCache, 1 << 30: 2048, 1 << 40: mostCache} {
		if got := cacheSize(limit); got != want {
			t.Errorf("with %d bytes, %d executions stay in memory, want %d", limit, got, want)
		}
	}
	if got := Limit(); got <= 0 {
		t.Errorf("this process may use %d bytes", got)
	}
}

func TestWhatIsUsedIsWhatNoCollectionGivesBack(t *testing.T) {
	t.Parallel()
	kept := make([]byte, 8<<20)
	runtime.GC()
	if got, limit := Used(), Limit(); got < 8<<20 || got > limit {
		t.Errorf("%d bytes are used, of %d", got, limit)
	}
	runtime.KeepAlive(kept)
}

// Not parallel: the limit is the process's.
func TestTheCollectorKnowsTheLimitWhileTuned(t *testing.T) {
	if _, fixed := os.LookupEnv("GOMEMLIMIT"); fixed {
		t.Skip("GOMEMLIMIT says another")
	}
	before, limit := debug.SetMemoryLimit(-1), Limit()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		Tune(ctx)
	}()
	for deadline := time.Now().Add(time.Minute); debug.SetMemoryLimit(-1) == before && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	if got := debug.SetMemoryLimit(-1); got >= limit || got < limit/2 {
		t.Errorf("the collector's limit is %d, the process's %d", got, limit)
	}
	cancel()
	<-done
	if got := debug.SetMemoryLimit(-1); got != before {
		t.Errorf("afterwards it is %d, it was %d", got, before)
	}
}
