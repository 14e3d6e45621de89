package reconcile

import (
	"slices"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
)

// migrates changes a table in a transaction that it commits once a read of the service's waits for it.
func (h *house) migrates(change string, read func()) {
	h.T.Helper()
	tx, err := h.Pool.Begin(h.T.Context())
	if err != nil {
		h.T.Fatal(err)
	}
	defer func() { _ = tx.Rollback(h.T.Context()) }()
	if _, err := tx.Exec(h.T.Context(), change); err != nil {
		h.T.Fatal(err)
	}
	read()
	eventually(h.T, func() error {
		waits := one[bool](h, `SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
			WHERE NOT l.granted AND l.relation IS NOT NULL AND a.datname = current_database())`)
		return expect(waits, true)
	})
	if err := tx.Commit(h.T.Context()); err != nil {
		h.T.Fatal(err)
	}
}

// A table that is written anew has no row for whoever's snapshot is older.
func TestATableThatAMigrationWritesAnewIsNotEmpty(t *testing.T) {
	t.Parallel()
	for table, calls := range map[string]string{"projects": "start", "worker_requests": "start stop"} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			h, r, p, _ := serving(t)
			if table == "worker_requests" {
				request := h.Request(p, "stop")
				r.LookAt(p, time.Now())
				h.isAnswered(request)
			}
			r.quietDown()
			h.migrates(`ALTER TABLE `+table+` ADD COLUMN note uuid DEFAULT gen_random_uuid()`, func() {
				r.LookAt(p, time.Now())
			})
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
			h.migrates(`ALTER TABLE projects ADD COLUMN note uuid DEFAULT gen_random_uuid()`, func() {
				go func() {
					defer close(found)
					db := rows.DB{Pool: h.DB, Timeout: time.Minute}
					s, err := rows.ReadSurvey(t.Context(), db, rows.Identity, pick)
					if err != nil {
						t.Error(err)
					}
					found <- s
				}()
			})
			if s := <-found; !s.All[p] || s.Projects[p] == "" {
				t.Errorf("found %v", s.All)
			}
		})
	}
}
