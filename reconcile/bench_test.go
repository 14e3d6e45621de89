package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
)

// thousand fills a house with projects of three workflows with 64 KB each.
func (h *house) thousand(n int) {
	h.T.Helper()
	h.Exec(`INSERT INTO projects (id, name, task_queue_name) SELECT gen_random_uuid(), 'p' || i, 'q' || i FROM generate_series(1, $1) i`, n)
	h.Exec(`INSERT INTO workflows (project_id, kebab_name, display_name, definition)
		SELECT p.id, 'w' || i, '', jsonb_build_object('nodes', (SELECT jsonb_agg(jsonb_build_object('data', jsonb_build_object('x', repeat(md5(random()::text), 8)))) FROM generate_series(1, 20)))
		FROM projects p, generate_series(1, 3) i`)
	h.Exec(`INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code, activities_code) SELECT id, '1', $1 || id, '' FROM workflows`,
		strings.Repeat(uuid.NewString(), 64*1024/36))
	h.Exec(`ANALYZE`)
}

// BenchmarkSurvey is a look at 1,000 projects of three workflows of 64 KB,
// nothing changed; md5 is the same with the texts' md5 instead of xmin.
func BenchmarkSurvey(b *testing.B) {
	h := newHouse(b)
	h.thousand(1000)
	r := h.replica()
	b.Run("xmin", func(b *testing.B) {
		for b.Loop() {
			if s, err := rows.ReadSurvey(b.Context(), r.db, r.identify, nil); err != nil || len(s.Projects) != 1000 {
				b.Fatal(err)
			}
		}
	})
	b.Run("md5", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.Pool.Exec(b.Context(), `SELECT w.project_id, md5(string_agg(md5(c.workflow_code), '' ORDER BY c.id))
				FROM workflows w JOIN workflow_compiled_code c ON c.workflow_id = w.id WHERE c.is_active GROUP BY 1`); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkReload is an UPDATE in place, its hint, and the wait until the code
// is live, without the compiling.
func BenchmarkReload(b *testing.B) {
	h := newHouse(b)
	p, w := h.Shop("v0")
	r := h.work(func(c *Config) { c.Logger = slog.New(slog.DiscardHandler) })
	r.isServing(p, w, "v0")
	live := make(chan string, 1)
	r.quietDown()
	r.runner.onReload = func(_ context.Context, p runtime.Project) error {
		live <- p.Workflows[0].Code
		return nil
	}
	var i int
	for b.Loop() {
		i++
		text := fmt.Sprint("v", i)
		h.Exec(`UPDATE workflow_compiled_code SET workflow_code = $2 WHERE workflow_id = $1`, w, text)
		began := time.Now()
		r.LookAt(p, time.Now())
		for <-live != text {
		}
		b.ReportMetric(float64(time.Since(began).Microseconds()), "hint-to-runner-us")
	}
}

// BenchmarkUnchangedHint is a pass over a project whose rows are as they were.
func BenchmarkUnchangedHint(b *testing.B) {
	h := newHouse(b)
	p, _ := h.Shop("v0")
	r := h.work(func(c *Config) { c.Logger = slog.New(slog.DiscardHandler) })
	r.isStatus(p, rows.StatusRunning)
	r.quietDown()
	rec, n, end, _ := r.enter(p)
	defer end()
	for b.Loop() {
		if err := r.pass(b.Context(), rec, n, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFleet is what goes on all the time in a fleet of 8 replicas with 10,000 projects, each on two.
func BenchmarkFleet(b *testing.B) {
	const projects, replicas = 10_000, 8
	h := newHouse(b)
	h.Exec(`INSERT INTO projects (id, name, task_queue_name) SELECT gen_random_uuid(), 'p' || i, 'q' || i FROM generate_series(1, $1) i`, projects)
	h.Exec(`INSERT INTO workflows (project_id, kebab_name, display_name) SELECT id, 'w', '' FROM projects`)
	h.Exec(`INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code) SELECT id, '1', repeat(id::text, 100) FROM workflows`)
	h.Exec(`INSERT INTO workflow_replicas (name, status) SELECT 'replica-' || i, 'running' FROM generate_series(1, $1) i`, replicas)
	h.Exec(`INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status, last_heartbeat, metadata)
		SELECT gen_random_uuid()::text, p.id, p.task_queue_name, 'running', now(), jsonb_build_object('schema', 1, 'replica', 'replica-' || 1 + (row_number() OVER ()) % $1)
		FROM projects p, generate_series(1, 2)`, replicas)
	h.Exec(`ANALYZE`)
	r := h.replica(func(c *Config) { c.Replica, c.ProjectReplicas = "replica-1", 2 })
	if err := r.places.join(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Run("resync/all", func(b *testing.B) {
		for b.Loop() {
			if s, err := rows.ReadSurvey(b.Context(), r.db, r.identify, nil); err != nil || len(s.Projects) != projects {
				b.Fatal(err)
			}
		}
	})
	b.Run("resync/own", func(b *testing.B) {
		for b.Loop() {
			if s, err := rows.ReadSurvey(b.Context(), r.db, r.identify, r.places.pick); err != nil || len(s.All) != projects || len(s.Projects) > projects/2 {
				b.Fatal(err)
			}
		}
	})
	b.Run("heartbeat/own", func(b *testing.B) {
		workers := one[[]string](h, `SELECT array_agg(worker_id::text) FROM workflow_workers WHERE metadata->>'replica' = 'replica-1'`)
		for b.Loop() {
			if got, err := rows.RefreshHeartbeats(b.Context(), r.db, workers); err != nil || len(got) != 2*projects/replicas {
				b.Fatal(err)
			}
		}
	})
	b.Run("look-at-replicas", func(b *testing.B) {
		for b.Loop() {
			if err := r.places.look(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
