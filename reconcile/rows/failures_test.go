package rows_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
)

// All replicas see at the same moment that executions get no further: one of them says so.
func TestReplicasTellOnceThatExecutionsGetNoFurther(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	const replicas = 8
	var dbs []rows.DB
	for range replicas {
		dbs = append(dbs, rows.DB{Pool: rowstest.OpenDatabase(t, h.URL), Timeout: time.Minute})
	}
	project, workflow := h.Shop("")
	since := time.Now().Add(-time.Minute)
	events := func() string {
		return text(h, `SELECT coalesce(string_agg(details->>'executions', ' ' ORDER BY id), '') FROM worker_events WHERE kind = 'failing' AND project_id = $1`, project)
	}
	for _, step := range []struct {
		executions int64
		want       string
	}{{1, "1"}, {9, "1"}, {10, "1 10"}, {99, "1 10"}, {100, "1 10 100"}} {
		errs := make([]error, replicas)
		var work sync.WaitGroup
		for i := range replicas {
			work.Go(func() {
				f := rows.Failing{Executions: step.executions, Since: since}
				var latest int64
				latest, errs[i] = rows.WriteFailingEvent(t.Context(), dbs[i], "one of many", project, workflow, f, 10)
				if !strings.HasSuffix(step.want, fmt.Sprint(latest)) {
					t.Errorf("%d executions: the latest event says %d", step.executions, latest)
				}
			})
		}
		work.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		if got := events(); got != step.want {
			t.Errorf("%d executions: events of %s, want %s", step.executions, got, step.want)
		}
	}
	if _, err := rows.WriteFailingEvent(t.Context(), dbs[0], "one", project, workflow, rows.Failing{Executions: 1, Since: time.Now().Add(time.Minute)}, 10); err != nil {
		t.Fatal(err)
	}
	if got := events(); got != "1 10 100 1" {
		t.Errorf("events of %s, the next time is one again", got)
	}
}

// Likewise of executions that keep their code.
func TestReplicasTellOnceThatExecutionsKeepTheirCode(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	project, workflow := h.Shop("")
	for _, step := range []struct {
		executions int64
		hash, want string
	}{{1, "a", "1"}, {9, "a", "1"}, {2, "b", "1 2"}, {10, "a", "1 2 10"}} {
		const replicas = 8
		errs := make([]error, replicas)
		var work sync.WaitGroup
		for i := range replicas {
			db := rows.DB{Pool: rowstest.OpenDatabase(t, h.URL), Timeout: time.Minute}
			work.Go(func() {
				errs[i] = rows.WriteKeptCodeEvent(t.Context(), db, "one of many", project, "they keep it", rows.KeptCodeDetails{
					Workflow: workflow, Target: rows.CodeRef{Version: "2", Hash: step.hash}, Executions: step.executions,
				}, 10)
			})
		}
		work.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		got := text(h, `SELECT coalesce(string_agg(details->>'executions', ' ' ORDER BY id), '') FROM worker_events WHERE kind = 'stayed' AND project_id = $1`, project)
		if got != step.want {
			t.Errorf("%d executions: events of %s, want %s", step.executions, got, step.want)
		}
	}
}
