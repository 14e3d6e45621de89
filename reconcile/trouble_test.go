package reconcile

import (
	"testing"
	"time"

	"workflow-worker/reconcile/trouble"
)

// What the probe can't foresee shows when it fails.
func TestWhatFailsIsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.replica(func(c *Config) { c.HeartbeatInterval = 200 * time.Millisecond }).start()
	r.isServing(p, w, "v1")
	h.Exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'on purpose'; END $$`)
	for _, c := range []struct{ table, fails string }{
		{"workflow_workers", trouble.Fails("heartbeat")}, {"workflow_workers", trouble.Fails("write")}, {"worker_requests", trouble.Fails("requests")},
	} {
		h.Exec(`CREATE TRIGGER refuse BEFORE UPDATE ON ` + c.table + ` FOR EACH ROW EXECUTE FUNCTION refuse()`)
		if c.fails == trouble.Fails("write") {
			h.Exec(`UPDATE workflow_compiled_code SET workflow_code = workflow_code || ' '`)
			r.LookAtAll("test")
		}
		if c.table == "worker_requests" {
			h.Request(p, "start")
			r.LookAtAll("test")
		}
		eventually(t, func() error { return expect(r.seen.get().troubles[c.fails], true) })
		h.Exec(`DROP TRIGGER refuse ON ` + c.table)
		eventually(t, func() error { return expect(r.seen.get().troubles[c.fails], false) })
	}
}
