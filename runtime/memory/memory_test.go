package memory

import "testing"

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
