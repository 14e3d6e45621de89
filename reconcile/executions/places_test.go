package executions

import (
	"errors"
	"slices"
	"testing"

	"workflow-worker/reconcile/bell"
)

func TestPlacesLeaveRoomForOthers(t *testing.T) {
	t.Parallel()
	p := places{most: 12, share: 8, least: 1, bell: bell.New()}
	room := func(want int, wantBusy ...string) {
		t.Helper()
		free, busy := p.room()
		if slices.Sort(busy); free != want || !slices.Equal(busy, wantBusy) {
			t.Errorf("room for %d, busy %v; want %d, %v", free, busy, want, wantBusy)
		}
	}
	if p.take(12, []string{"a", "b", "a"}) {
		t.Error("a claim of three for twelve places left more")
	}
	room(9)
	if p.take(9, []string{"a", "a", "a", "a"}) {
		t.Error("whoever has a share can't have left more")
	}
	room(5, "a")
	if !p.take(5, []string{"c", "d", "e", "f", "g"}) {
		t.Error("all places may have been too few")
	}
	other := places{most: 12, share: 8, least: 1, bell: bell.New()}
	if !other.take(12, []string{"a", "a", "a", "a"}) {
		t.Error("half a share may have been all that was allowed")
	}
	room(0, "a")
	for range 2 {
		p.leave("a", nil)
	}
	room(2)
	select {
	case <-p.bell:
	default:
		t.Error("nobody was told of the room")
	}
	p.leave("b", errors.New("away"))
	room(0) // until somebody has taken notice
	if alone, err := p.takeFailure(); alone || err == nil {
		t.Errorf("failed alone: %t, %v", alone, err)
	}
	room(3)
	p.leave("c", errors.New("away"))
	if alone, err := p.takeFailure(); !alone || err == nil {
		t.Errorf("failed alone: %t, %v", alone, err)
	}
}
