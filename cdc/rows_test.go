package cdc_test

import (
	"testing"

	"workflow-worker/cdc"
	"workflow-worker/docker/stack/stacktest"
)

// TestRowsNameTheirProjects goes through the contract's tables on one stream. Each
// step ends with a new project, whose hint comes after those of the step (or, if they
// were let through together, among them).
func TestRowsNameTheirProjects(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	db := open(t, url)
	r := newRecorder()
	follow(t, config(t, url, r), r)

	p1, p2, p3 := db.project(), db.project(), db.project()
	var flow, code, own string
	for _, step := range []struct {
		name string
		do   func()
		want []string // projects to be looked at, and no others
		all  string   // reason to look at all, if there is to be one
	}{
		{name: "project inserted", want: []string{p1, p2, p3}, do: func() {}},
		{name: "project updated", want: []string{p1}, do: func() { db.exec(`UPDATE projects SET task_queue_name = task_queue_name || 'x' WHERE id = $1`, p1) }},
		{name: "workflow inserted", want: []string{p1}, do: func() { flow = db.workflow(p1) }},
		{name: "workflow edited", want: []string{p1}, do: func() { db.exec(`UPDATE workflows SET kebab_name = 'other' WHERE id = $1`, flow) }},
		{name: "code inserted", want: []string{p1}, do: func() { code = db.code(flow) }},
		{name: "code edited in place", want: []string{p1}, do: func() { db.exec(`UPDATE workflow_compiled_code SET workflow_code = 'y' WHERE id = $1`, code) }},
		{name: "version switched, large code untouched", want: []string{p1}, do: func() { db.exec(`UPDATE workflow_compiled_code SET is_active = false WHERE id = $1`, code) }},
		{name: "workflow moved between projects", want: []string{p1, p2}, do: func() { db.exec(`UPDATE workflows SET project_id = $2 WHERE id = $1`, flow, p2) }},
		{name: "code of the moved workflow", want: []string{p2}, do: func() { db.exec(`UPDATE workflow_compiled_code SET workflow_code = 'z' WHERE id = $1`, code) }},
		{name: "code deleted", want: []string{p2}, do: func() { db.exec(`DELETE FROM workflow_compiled_code WHERE id = $1`, code) }},
		{name: "workflow deleted", want: []string{p2}, do: func() { db.exec(`DELETE FROM workflows WHERE id = $1`, flow) }},

		{name: "component inserted", want: []string{p1}, do: func() { own = db.component(p1) }},
		{name: "component edited", want: []string{p1}, do: func() { db.exec(`UPDATE components SET implementation_code = 'y' WHERE id = $1`, own) }},
		{name: "component moved away from where it runs", want: []string{p1, p2}, do: func() {
			db.exec(`INSERT INTO workflow_live_code (project_id, source_kind, source_id, hash) VALUES ($1, 'component', $2, 'h')`, p1, own)
			db.exec(`UPDATE components SET project_id = $2 WHERE id = $1`, own, p2)
		}},
		{name: "component deleted", all: "old row of components without project_id", do: func() { db.exec(`DELETE FROM components WHERE id = $1`, own) }},
		{name: "request inserted", want: []string{p3}, do: func() { db.exec(`INSERT INTO worker_requests (project_id, action) VALUES ($1, 'start')`, p3) }},
		{name: "request for a project that isn't there", want: []string{"00000000-0000-0000-0000-000000000001"},
			do: func() {
				db.exec(`INSERT INTO worker_requests (project_id, action) VALUES ('00000000-0000-0000-0000-000000000001', 'stop')`)
			}},
		{name: "our own writes", do: func() {
			db.exec(`UPDATE worker_requests SET status = 'completed'`)
			db.exec(`INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status) VALUES ('w', $1, 'q', 'running')`, p1)
			db.exec(`UPDATE workflow_workers SET last_heartbeat = now()`)
			db.exec(`INSERT INTO activity_statistics (project_id, activity_name) VALUES ($1, 'a')`, p1)
			db.exec(`INSERT INTO workflow_code_store (project_id, hash, kind) VALUES ($1, 'h', 'workflow')`, p1)
			db.exec(`UPDATE workflow_live_code SET hash = 'i'`)
			db.exec(`DELETE FROM workflow_workers`)
		}},
		{name: "rolled back", do: func() { db.exec(`BEGIN; UPDATE projects SET name = 'never'; ROLLBACK`) }},
		{name: "part of it rolled back", want: []string{p2}, do: func() {
			db.exec(`BEGIN; UPDATE projects SET name = 'q' WHERE id = '` + p2 + `'; SAVEPOINT s; UPDATE projects SET name = 'never'; ROLLBACK TO s; COMMIT`)
		}},
		{name: "project deleted with all that hangs on it", want: []string{p1, p3}, do: func() {
			db.component(p3) // of another: it stays
			db.code(db.workflow(p1))
			db.exec(`DELETE FROM projects WHERE id = $1`, p1)
		}},
		{name: "truncate", all: "truncate of workflow_compiled_code", do: func() { db.exec(`TRUNCATE workflow_compiled_code`) }},
		{name: "truncate cascade", all: "truncate of projects", do: func() { db.exec(`TRUNCATE projects CASCADE`) }},
		{name: "more than anyone would list", all: "large transaction", do: func() {
			db.exec(`INSERT INTO projects (name, task_queue_name) SELECT 'p', gen_random_uuid()::text FROM generate_series(1, 1500)`)
		}},
	} {
		step.do()
		last := db.project()
		r.await(t, step.name+": the hint that comes after", r.looked(last))
		r.await(t, step.name+": its projects", r.looked(step.want...))
		r.await(t, step.name+": all", func() bool { return step.all == "" || len(r.changesOfAll()) > 0 })
		r.checkNoOthers(t, step.name, append(step.want, last), step.all)
		r.forget()
	}
	r.await(t, "streaming still", r.is(cdc.ModeStreaming))
}

func (r *recorder) checkNoOthers(t *testing.T, step string, want []string, all string) {
	t.Helper()
	r.note(func() {
		for id := range r.projects {
			found := false
			for _, w := range want {
				found = found || w == id
			}
			if !found {
				t.Errorf("%s: project %s was looked at", step, id)
			}
		}
		got := r.changesOfAll()
		if all == "" && len(got) > 0 || all != "" && (len(got) == 0 || got[0] != all) {
			t.Errorf("%s: all was looked at: %q, want %q", step, got, all)
		}
	})
}

func TestSharedComponentNamesWhoRefersToIt(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	db := open(t, url)
	r := newRecorder()
	nodes, graph, runs, other := db.project(), db.project(), db.project(), db.project()
	shared := db.component("")
	db.exec(`INSERT INTO workflows (project_id, kebab_name, definition) VALUES
		($1, 'a', jsonb_build_object('nodes', jsonb_build_array('{}'::jsonb, jsonb_build_object('data', jsonb_build_object('componentId', $4::text))))),
		($2, 'b', jsonb_build_object('graph', jsonb_build_object('nodes', jsonb_build_array(jsonb_build_object('id', 1, 'data', jsonb_build_object('componentId', $4::text, 'label', 'x')))))),
		($3, 'c', jsonb_build_object('nodes', jsonb_build_array(jsonb_build_object('data', jsonb_build_object('componentId', $5::text)))))`,
		nodes, graph, other, shared, other)
	db.exec(`INSERT INTO workflow_live_code (project_id, source_kind, source_id, hash) VALUES ($1, 'component', $2, 'h')`, runs, shared)
	follow(t, config(t, url, r), r)

	db.exec(`UPDATE components SET implementation_code = 'y' WHERE id = $1`, shared)
	r.await(t, "an edit names who refers to it, and who runs it", r.looked(nodes, graph, runs))
	r.forget()
	db.exec(`UPDATE components SET project_id = $2 WHERE id = $1`, shared, nodes)
	r.await(t, "who gets it for its own, and who runs it", r.looked(nodes, runs))
	r.forget()
	db.exec(`UPDATE components SET project_id = NULL WHERE id = $1`, shared)
	r.await(t, "shared again", r.looked(nodes, graph, runs))
	r.note(func() {
		if r.projects[other] > 0 || len(r.changesOfAll()) > 0 {
			t.Errorf("more than those were looked at: %v %q", r.projects, r.all)
		}
	})
}
