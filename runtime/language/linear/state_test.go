package linear

import (
	"slices"
	"testing"

	"github.com/dop251/goja"
)

type unlimited struct{}

func (unlimited) Claim(int64) bool { return true }

// What is kept no longer, or was forgotten, is nowhere any more: a VM lives long, and what was taken
// in one entry is counted in that one.
func TestWhatIsForgottenIsNotKept(t *testing.T) {
	t.Parallel()
	r := goja.New()
	s, err := NewState(r, unlimited{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 * mostRuns { // some go because there are many, others because of their size
		s.keep(nil, run{bytes: make([]byte, 0, mostKept/4)})
		list := arrayOf(asObject(List(r, make([]goja.Value, 1, mostKept/itemSize/4))))
		s.front(list)
	}
	isEmpty := func() bool {
		return !slices.ContainsFunc(s.runs[len(s.runs):cap(s.runs)], func(r run) bool { return r.bytes != nil }) &&
			!slices.ContainsFunc(s.fronts[len(s.fronts):cap(s.fronts)], func(f front) bool { return f.of != nil || f.all != nil })
	}
	if len(s.runs) == 0 || len(s.fronts) == 0 || !isEmpty() {
		t.Errorf("%d texts and %d lists are kept, and others behind them", len(s.runs), len(s.fronts))
	}
	if s.Forget(); len(s.runs)+len(s.fronts) > 0 || !isEmpty() {
		t.Error("what was forgotten is kept")
	}
}
