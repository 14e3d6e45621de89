package cdc

import (
	"slices"
	"testing"
)

func TestSnapshotText(t *testing.T) {
	t.Parallel()
	s, err := parseSnapshot("10:20:17,10,14")
	if err != nil || s.xmin != 10 || s.xmax != 20 || !slices.Equal(s.open, []uint64{10, 14, 17}) {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := parseSnapshot("10:10:"); err != nil || len(s.open) != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	for _, text := range []string{"", "10:20", "x:20:", "10:x:", "10:20:1,x", "1:2:3:4"} {
		if s, err := parseSnapshot(text); err == nil {
			t.Errorf("%q read as %+v", text, s)
		}
	}
}

func TestSnapshotShowsWhatPostgresWould(t *testing.T) {
	t.Parallel()
	const epoch = 1 << 32
	for _, c := range []struct {
		name     string
		snapshot snapshot
		xid      uint32
		visible  bool
		upTo     uint64 // invisible transactions up to and with xid
	}{
		{"long ago", snapshot{100, 110, []uint64{100, 105}}, 3, true, 0},
		{"below all that is open", snapshot{100, 110, []uint64{100, 105}}, 99, true, 0},
		{"oldest open", snapshot{100, 110, []uint64{100, 105}}, 100, false, 1},
		{"finished among open ones", snapshot{100, 110, []uint64{100, 105}}, 103, true, 1},
		{"open", snapshot{100, 110, []uint64{100, 105}}, 105, false, 2},
		{"last finished", snapshot{100, 110, []uint64{100, 105}}, 109, true, 2},
		{"next", snapshot{100, 110, []uint64{100, 105}}, 110, false, 3},
		{"later", snapshot{100, 110, []uint64{100, 105}}, 112, false, 5},
		{"second epoch", snapshot{epoch + 10, epoch + 20, []uint64{epoch + 10}}, 10, false, 1},
		{"second epoch, finished", snapshot{epoch + 10, epoch + 20, []uint64{epoch + 10}}, 12, true, 1},
		{"of the epoch before", snapshot{epoch + 10, epoch + 20, []uint64{epoch + 10}}, 0xffffffff, true, 0},
		{"open since the epoch before", snapshot{epoch - 1, epoch + 20, []uint64{epoch - 1}}, 0xffffffff, false, 1},
		{"first of an epoch that readers haven't reached", snapshot{epoch - 1, epoch - 1, nil}, 3, false, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.snapshot.visible(c.xid); got != c.visible {
				t.Errorf("visible: %t, want %t", got, c.visible)
			}
			if got := c.snapshot.invisible(c.xid); got != c.upTo {
				t.Errorf("invisible up to it: %d, want %d", got, c.upTo)
			}
		})
	}
}
