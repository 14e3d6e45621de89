package upkeep

import (
	"slices"
	"testing"
	"time"
)

func TestInterestOutlastsTheLastOpenRow(t *testing.T) {
	t.Parallel()
	began := time.Now()
	s := interests{all: began, of: map[string]time.Time{}}
	for _, x := range []struct {
		after  time.Duration
		open   []string
		more   bool
		all    bool
		queues []string
	}{
		{after: time.Second, open: []string{"a"}, all: true}, // nobody knows yet what replicas that are no more began
		{after: lasting, open: []string{"c", "b"}, queues: []string{"a", "b", "c"}},
		{after: lasting + time.Second, queues: []string{"b", "c"}},
		{after: 2*lasting - time.Second, queues: []string{"b", "c"}},
		{after: 2 * lasting},
		{after: 3 * lasting, open: []string{"a"}, more: true, all: true},
		{after: 4*lasting - time.Second, open: []string{"a"}, all: true},
		{after: 4 * lasting, queues: []string{"a"}},
	} {
		now := began.Add(x.after)
		s.see(x.open, x.more, now)
		if all, queues := s.at(now); all != x.all || !all && !slices.Equal(queues, x.queues) {
			t.Errorf("after %v: %v %q, want %v %q", x.after, all, queues, x.all, x.queues)
		}
	}
}
