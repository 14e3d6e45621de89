package cdc

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"workflow-worker/docker/stack/stacktest"
)

// TestSnapshotAgreesWithPostgres asks the server about every transaction near a
// snapshot with some open, some finished and some rolled back.
func TestSnapshotAgreesWithPostgres(t *testing.T) {
	t.Parallel()
	url := stacktest.Database(t)
	for i := range 9 {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		end := []string{`COMMIT`, `ROLLBACK`, `SELECT`}[i%3]
		if _, err := conn.Exec(t.Context(), `BEGIN; SELECT pg_current_xact_id(); `+end, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), `SELECT s::text, n, pg_visible_in_snapshot(n::text::xid8, s)
		FROM (SELECT pg_current_snapshot() AS s) AS s,
		generate_series(pg_snapshot_xmin(s)::text::bigint - 20, pg_snapshot_xmax(s)::text::bigint + 20) AS n`)
	if err != nil {
		t.Fatal(err)
	}
	var text string
	var xid uint64
	var visible bool
	checked := map[bool]int{}
	_, err = pgx.ForEachRow(rows, []any{&text, &xid, &visible}, func() error {
		s, err := parseSnapshot(text)
		if err != nil {
			return err
		}
		if got := s.visible(uint32(xid)); got != visible {
			t.Errorf("transaction %d in %s: %t, the server says %t", xid, text, got, visible)
		}
		checked[visible]++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked[true] < 20 || checked[false] < 20+3 {
		t.Errorf("compared with %v answers of the server", checked)
	}
}
