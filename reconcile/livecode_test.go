package reconcile

import (
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
)

func TestWhatIsLiveIsWrittenDown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	c := h.Component(p, "score", "score v1")
	r := h.work()
	r.isStatus(p, rows.StatusRunning)
	live := func(source string) string {
		return one[string](h, `SELECT coalesce((SELECT s.workflow_code || ' ' || l.version FROM workflow_live_code l
			JOIN workflow_code_store s USING (project_id, hash) WHERE l.source_id = $1), '')`, source)
	}
	if live(w) != "v1 1" || live(c) != "score v1 " {
		t.Errorf("live: %q, %q", live(w), live(c))
	}
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2', version = '2' WHERE workflow_id = $1`, w)
	h.Exec(`UPDATE components SET implementation_code = 'BROKEN' WHERE id = $1`, c)
	r.LookAt(p, time.Now())
	eventually(t, func() error { return expect(live(w), "v2 2") })
	if live(c) != "score v1 " {
		t.Errorf("the broken component's last good text is now %q", live(c))
	}
	if n := one[int](h, `SELECT count(*)::int FROM workflow_code_store`); n != 3 {
		t.Errorf("%d texts in the store, want the superseded one too", n)
	}
	// A stop changes nothing about what was last good.
	h.Exec(`UPDATE projects SET is_active = false WHERE id = $1`, p)
	r.LookAt(p, time.Now())
	r.isStatus(p, rows.StatusStopped)
	if live(w) != "v2 2" {
		t.Errorf("after a stop: %q", live(w))
	}
}
