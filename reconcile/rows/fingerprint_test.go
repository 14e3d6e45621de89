package rows_test

import (
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
)

// fingerprintOf reads a project's fingerprint as a pass over it would, and
// checks that the survey agrees.
func fingerprintOf(h *rowstest.House, project string, refs []string) string {
	h.T.Helper()
	own := h.Read(project, false, refs...).Fingerprint
	s, err := rows.ReadSurvey(h.T.Context(), rows.DB{Pool: h.DB, Timeout: time.Minute}, rows.Identity, nil)
	if err != nil {
		h.T.Fatal(err)
	}
	if got := s.Fingerprint(project, h.Read(project, false).Refs); got != own {
		h.T.Errorf("survey says %q, the project's own read %q", got, own)
	}
	return own
}

func TestTheFingerprintNoticesEveryChangeThatCounts(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	p, w := h.Shop("v1")
	own := h.Component(p, "own", "own")
	shared := h.Component("", "shared", "shared")
	other := h.Component("", "other", "other")
	code := rowstest.One[string](h, `SELECT id::text FROM workflow_compiled_code WHERE workflow_id = $1`, w)
	h.Exec(`UPDATE workflows SET definition = jsonb_build_object('nodes', jsonb_build_array(jsonb_build_object('data', jsonb_build_object('componentId', $2::text)))) WHERE id = $1`, w, shared)
	var request string

	for _, tt := range []struct {
		name    string
		write   func()
		noticed bool
	}{
		{"an update in place that leaves the version alone", func() { h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v1b' WHERE id = $1`, code) }, true},
		{"an update by somebody whose triggers are off", func() {
			tx, err := h.Pool.Begin(t.Context())
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
			h.Exec(`UPDATE workflow_compiled_code SET is_active = false WHERE id = $1`, h.Code(w, "2", "v2"))
		}, false},
		{"a rollback to another row", func() {
			h.Exec(`UPDATE workflow_compiled_code SET is_active = NOT is_active WHERE workflow_id = $1`, w)
		}, true},
		{"no active row left", func() { h.Exec(`UPDATE workflow_compiled_code SET is_active = false WHERE workflow_id = $1`, w) }, true},
		{"a new workflow", func() { h.Workflow(p, "second") }, true},
		{"a renamed workflow", func() {
			h.Exec(`UPDATE workflows SET kebab_name = 'third' WHERE project_id = $1 AND kebab_name = 'second'`, p)
		}, true},
		{"a workflow switched off", func() { h.Exec(`UPDATE workflows SET is_active = false WHERE kebab_name = 'third'`) }, true},
		{"a deleted workflow", func() { h.Exec(`DELETE FROM workflows WHERE kebab_name = 'third'`) }, true},
		{"a changed component", func() { h.Exec(`UPDATE components SET implementation_code = 'own2' WHERE id = $1`, own) }, true},
		{"a component switched off", func() { h.Exec(`UPDATE components SET is_active = false WHERE id = $1`, own) }, true},
		{"a changed shared component", func() { h.Exec(`UPDATE components SET implementation_code = 'shared2' WHERE id = $1`, shared) }, true},
		{"a shared component that nobody refers to", func() { h.Exec(`UPDATE components SET implementation_code = 'other2' WHERE id = $1`, other) }, false},
		{"a shared component given to a project", func() { h.Exec(`UPDATE components SET project_id = $2 WHERE id = $1`, shared, h.Project()) }, true},
		{"a renamed task queue", func() { h.Exec(`UPDATE projects SET task_queue_name = task_queue_name || 'x' WHERE id = $1`, p) }, true},
		{"a project switched off", func() { h.Exec(`UPDATE projects SET is_active = false WHERE id = $1`, p) }, true},
		{"a request", func() { request = h.Request(p, "stop") }, true},
		{"a request that is finished", func() {
			h.Exec(`UPDATE worker_requests SET status = 'completed', completed_at = now() WHERE id = $1`, request)
		}, false},
		{"our own rows", func() {
			h.Exec(`INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status) VALUES ('w', $1, 'q', 'running')`, p)
			h.Exec(`INSERT INTO workflow_live_code (project_id, source_kind, source_id, hash) VALUES ($1, 'workflow', $2, 'h')`, p, w)
		}, false},
		{"rows locked and read", func() { h.Exec(`SELECT * FROM workflow_compiled_code WHERE workflow_id = $1 FOR UPDATE`, w) }, false},
		{"rows frozen and moved", func() { h.Exec(`VACUUM (FULL, FREEZE) workflow_compiled_code, workflows, projects, components`) }, false},
		{"another project", func() { h.Shop("x") }, false},
		{"the deleted project", func() { h.Exec(`DELETE FROM projects WHERE id = $1`, p) }, true},
	} {
		before := fingerprintOf(h, p, h.Read(p, false).Refs)
		tt.write()
		after := fingerprintOf(h, p, h.Read(p, false).Refs)
		if noticed := before != after; noticed != tt.noticed {
			t.Errorf("%s: noticed is %t, want %t", tt.name, noticed, tt.noticed)
		}
	}
}
