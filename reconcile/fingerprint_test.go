package reconcile

import (
	"fmt"
	"testing"

	"workflow-worker/reconcile/rows"
)

// fingerprintOf reads a project's fingerprint as a pass over it would, and
// checks that the survey agrees.
func (h *house) fingerprintOf(r *replica, project string, refs []string) string {
	h.t.Helper()
	own := h.read(project, false, refs...).Fingerprint
	s, err := rows.ReadSurvey(h.t.Context(), r.db, r.identify)
	if err != nil {
		h.t.Fatal(err)
	}
	if got := s.Fingerprint(project, h.read(project, false).Refs); got != own {
		h.t.Errorf("survey says %q, the project's own read %q", got, own)
	}
	return own
}

func TestTheFingerprintNoticesEveryChangeThatCounts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := h.replica()
	p, w := h.shop("v1")
	own := h.component(p, "own", "own")
	shared := h.component("", "shared", "shared")
	other := h.component("", "other", "other")
	code := one[string](h, `SELECT id::text FROM workflow_compiled_code WHERE workflow_id = $1`, w)
	h.exec(`UPDATE workflows SET definition = jsonb_build_object('nodes', jsonb_build_array(jsonb_build_object('data', jsonb_build_object('componentId', $2::text)))) WHERE id = $1`, w, shared)
	var request string

	for _, tt := range []struct {
		name    string
		write   func()
		noticed bool
	}{
		{"an update in place that leaves the version alone", func() { h.exec(`UPDATE workflow_compiled_code SET workflow_code = 'v1b' WHERE id = $1`, code) }, true},
		{"an update by somebody whose triggers are off", func() {
			tx, err := h.pool.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, sql := range []string{`SET LOCAL session_replication_role = replica`, `UPDATE workflow_compiled_code SET activities_code = 'x' WHERE id = '` + code + `'`} {
				if _, err := tx.Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			}
			if err := tx.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"an inactive new version", func() {
			h.exec(`UPDATE workflow_compiled_code SET is_active = false WHERE id = $1`, h.code(w, "2", "v2"))
		}, false},
		{"a rollback to another row", func() {
			h.exec(`UPDATE workflow_compiled_code SET is_active = NOT is_active WHERE workflow_id = $1`, w)
		}, true},
		{"no active row left", func() { h.exec(`UPDATE workflow_compiled_code SET is_active = false WHERE workflow_id = $1`, w) }, true},
		{"a new workflow", func() { h.workflow(p, "second") }, true},
		{"a renamed workflow", func() {
			h.exec(`UPDATE workflows SET kebab_name = 'third' WHERE project_id = $1 AND kebab_name = 'second'`, p)
		}, true},
		{"a workflow switched off", func() { h.exec(`UPDATE workflows SET is_active = false WHERE kebab_name = 'third'`) }, true},
		{"a deleted workflow", func() { h.exec(`DELETE FROM workflows WHERE kebab_name = 'third'`) }, true},
		{"a changed component", func() { h.exec(`UPDATE components SET implementation_code = 'own2' WHERE id = $1`, own) }, true},
		{"a component switched off", func() { h.exec(`UPDATE components SET is_active = false WHERE id = $1`, own) }, true},
		{"a changed shared component", func() { h.exec(`UPDATE components SET implementation_code = 'shared2' WHERE id = $1`, shared) }, true},
		{"a shared component that nobody refers to", func() { h.exec(`UPDATE components SET implementation_code = 'other2' WHERE id = $1`, other) }, false},
		{"a shared component given to a project", func() { h.exec(`UPDATE components SET project_id = $2 WHERE id = $1`, shared, h.project()) }, true},
		{"a renamed task queue", func() { h.exec(`UPDATE projects SET task_queue_name = task_queue_name || 'x' WHERE id = $1`, p) }, true},
		{"a project switched off", func() { h.exec(`UPDATE projects SET is_active = false WHERE id = $1`, p) }, true},
		{"a request", func() { request = h.request(p, "stop") }, true},
		{"a request that is finished", func() {
			h.exec(`UPDATE worker_requests SET status = 'completed', completed_at = now() WHERE id = $1`, request)
		}, false},
		{"our own rows", func() {
			h.exec(`INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status) VALUES ('w', $1, 'q', 'running')`, p)
			h.exec(`INSERT INTO workflow_live_code (project_id, source_kind, source_id, hash) VALUES ($1, 'workflow', $2, 'h')`, p, w)
		}, false},
		{"rows locked and read", func() { h.exec(`SELECT * FROM workflow_compiled_code WHERE workflow_id = $1 FOR UPDATE`, w) }, false},
		{"rows frozen and moved", func() { h.exec(`VACUUM (FULL, FREEZE) workflow_compiled_code, workflows, projects, components`) }, false},
		{"another project", func() { h.shop("x") }, false},
		{"the deleted project", func() { h.exec(`DELETE FROM projects WHERE id = $1`, p) }, true},
	} {
		before := h.fingerprintOf(r, p, h.read(p, false).Refs)
		tt.write()
		after := h.fingerprintOf(r, p, h.read(p, false).Refs)
		if noticed := before != after; noticed != tt.noticed {
			t.Errorf("%s: noticed is %t, want %t", tt.name, noticed, tt.noticed)
		}
	}
}

func TestALookAtEverythingReadsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for range 20 {
		h.shop("v1")
	}
	changed, w := h.shop("v1")
	r := h.work()
	eventually(t, func() error { return expect(r.seen.get().statuses[rows.StatusRunning], 21) })
	r.quietDown()
	before := r.seen.get().passes
	r.surveyed()
	if got := r.seen.get().passes - before; got != 0 {
		t.Errorf("%d passes although nothing changed", got)
	}
	h.exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2' WHERE workflow_id = $1`, w)
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
