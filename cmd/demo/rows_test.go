package main

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack/stacktest"
)

func TestMain(m *testing.M) { stacktest.Main(m) }

// The Workflow Builder retires and inserts in two transactions; the demo has to
// be like it, because what lies between is what REMOVAL_GRACE is for.
func TestActivateRetiresTheOldVersionInAnEarlierTransaction(t *testing.T) {
	t.Parallel()
	db := connect(t)
	w := workflows[0]
	for _, v := range w.versions {
		if err := activate(t.Context(), db, w, v); err != nil {
			t.Fatal(err)
		}
	}
	const query = `
SELECT version, is_active, xmin::text::bigint FROM workflow_compiled_code WHERE workflow_id = $1 ORDER BY version`
	type row struct {
		Version  string
		IsActive bool
		Xmin     int64
	}
	rows, err := db.Query(t.Context(), query, w.id)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].IsActive || !got[1].IsActive || got[0].Xmin >= got[1].Xmin {
		t.Errorf("%+v", got)
	}
}

func TestDemoCanBeRunAgain(t *testing.T) {
	t.Parallel()
	db := connect(t)
	for range 2 {
		if err := writeProject(t.Context(), db, "demo"); err != nil {
			t.Fatal(err)
		}
		for _, w := range workflows {
			for _, v := range w.versions {
				if err := activate(t.Context(), db, w, v); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	var active int
	if err := db.QueryRow(t.Context(), "SELECT count(*) FROM workflow_compiled_code WHERE is_active").Scan(&active); err != nil {
		t.Fatal(err)
	}
	if active != len(workflows) {
		t.Errorf("%d active versions of %d workflows", active, len(workflows))
	}
}

func TestWaitLiveReturnsWhenTheWorkerRunsTheVersions(t *testing.T) {
	t.Parallel()
	db := connect(t)
	w := workflows[0]
	const insert = `
INSERT INTO workflow_workers (worker_id, project_id, task_queue_name, status, last_heartbeat, metadata)
VALUES ('replica', $1, 'demo', 'running', now(), jsonb_build_object('workflows', jsonb_build_array(
  jsonb_build_object('id', $2::text, 'version', '1.0.0', 'since', '2026-11-22T21:00:03.114Z'))))`
	if _, err := db.Exec(t.Context(), insert, projectID, w.id); err != nil {
		t.Fatal(err)
	}
	at, err := waitLive(t.Context(), db, map[string]string{w.id: "1.0.0"})
	if want := time.Date(2026, 11, 22, 21, 0, 3, 114e6, time.UTC); err != nil || !at.Equal(want) {
		t.Errorf("live at %s, error %v; want %s", at, err, want)
	}
	row, err := readWorker(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if _, live := row.runs(map[string]string{w.id: "1.1.0"}); live {
		t.Error("another version is said to be live")
	}
}

// connect gives a database that holds the demo's project, without its code.
func connect(t *testing.T) *pgx.Conn {
	t.Helper()
	db, err := pgx.Connect(t.Context(), stacktest.MigratedDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close(context.Background()) })
	if err := writeProject(t.Context(), db, "demo"); err != nil {
		t.Fatal(err)
	}
	return db
}
