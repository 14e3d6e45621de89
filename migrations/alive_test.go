package migrations_test

import "testing"

// The view and the service ask one function who is alive, and readers of the view need no right to it.
func TestWhoIsAliveIsSaidOnce(t *testing.T) {
	t.Parallel()
	d := migratedBuilder(t).withRole()
	for _, tc := range []struct{ status, silent, beat, want string }{
		{"running", "89 seconds", "30", "true"},
		{"running", "91 seconds", "30", "false"},
		{"running", "89 seconds", "NULL", "true"},
		{"running", "5 seconds", "1", "false"},
		{"stopped", "0 seconds", "30", "false"},
	} {
		sql := `SELECT workflow_worker.is_alive('` + tc.status + `', now() - interval '` + tc.silent + `', ` + tc.beat + `)::text`
		if got := d.string(sql); got != tc.want {
			t.Errorf("%+v: %s", tc, got)
		}
		if got := d.session(t, serviceRole, "").string(sql); got != tc.want {
			t.Errorf("%+v, as the service's role: %s", tc, got)
		}
	}
	if got := d.string(`SELECT workflow_worker.is_alive('running', NULL, 30)::text`); got != "false" {
		t.Errorf("never heard of: %s", got)
	}
	if got := d.string(`SELECT (pg_get_viewdef('project_status'::regclass) LIKE '%is_alive%')::text`); got != "true" {
		t.Error("the view has a notion of its own")
	}
}
