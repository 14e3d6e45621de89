package reconcile

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/reconcile/rows"
)

// migrates changes tables in a transaction that it commits once as many of the service's reads as said
// wait for it.
func (h *house) migrates(waiting int, read func(), changes ...string) {
	h.T.Helper()
	tx, err := h.Pool.Begin(h.T.Context())
	if err != nil {
		h.T.Fatal(err)
	}
	defer func() { _ = tx.Rollback(h.T.Context()) }()
	for _, sql := range changes {
		if _, err := tx.Exec(h.T.Context(), sql); err != nil {
			h.T.Fatal(err)
		}
	}
	read()
	eventually(h.T, func() error {
		return expect(one[int](h, `SELECT count(*)::int FROM pg_locks l JOIN pg_stat_activity a USING (pid)
			WHERE NOT l.granted AND l.relation IS NOT NULL AND a.datname = current_database()`), waiting)
	})
	if err := tx.Commit(h.T.Context()); err != nil {
		h.T.Fatal(err)
	}
}

// A table that is written anew has no row for whoever's snapshot is older.
func TestATableThatAMigrationWritesAnewIsNotEmpty(t *testing.T) {
	t.Parallel()
	for table, calls := range map[string]string{"projects": "start", "workflows": "start", "worker_requests": "start stop"} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			h, r, p, _ := serving(t)
			if table == "worker_requests" {
				request := h.Request(p, "stop")
				r.LookAt(p, time.Now())
				h.isAnswered(request)
			}
			r.quietDown()
			h.migrates(1, func() { r.LookAt(p, time.Now()) },
				fmt.Sprintf(`ALTER TABLE %s ADD COLUMN note uuid DEFAULT gen_random_uuid()`, pgx.Identifier{table}.Sanitize()))
			r.quietDown()
			if got := r.runner.trace(p); got != calls {
				t.Errorf("calls: %s, want %s", got, calls)
			}
		})
	}
}

func TestASurveyDuringAMigrationFindsAllProjects(t *testing.T) {
	t.Parallel()
	for name, pick := range map[string]func([]string) []string{"everywhere": nil, "placed": slices.Clone[[]string]} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			p, _ := h.Shop("v1")
			found := make(chan *rows.Survey, 1)
			h.migrates(1, func() {
				go func() {
					defer close(found)
					s, err := rows.ReadSurvey(t.Context(), rows.DB{Pool: h.DB, Timeout: time.Minute}, rows.Identity, pick)
					if err != nil {
						t.Error(err)
					}
					found <- s
				}()
			}, `ALTER TABLE projects ADD COLUMN note uuid DEFAULT gen_random_uuid()`)
			if s := <-found; !s.All[p] || s.Projects[p] == "" {
				t.Errorf("found %v", s.All)
			}
		})
	}
}
