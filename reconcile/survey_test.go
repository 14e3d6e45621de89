package reconcile

import (
	"fmt"
	"testing"

	"workflow-worker/reconcile/rows"
)

func TestALookAtEverythingReadsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for range 20 {
		h.Shop("v1")
	}
	changed, w := h.Shop("v1")
	r := h.work()
	eventually(t, func() error { return expect(r.seen.get().statuses[rows.StatusRunning], 21) })
	r.quietDown()
	before := r.seen.get().passes
	r.surveyed()
	if got := r.seen.get().passes - before; got != 0 {
		t.Errorf("%d passes although nothing changed", got)
	}
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2' WHERE workflow_id = $1`, w)
	r.surveyed()
	if got := r.seen.get().passes - before; got != 1 {
		t.Errorf("%d passes after one change, want 1", got)
	}
	r.isServing(changed, w, "v2")
}

func expect[T comparable](got, want T) error {
	if got != want {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	return nil
}
