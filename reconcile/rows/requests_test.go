package rows_test

import (
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
)

func TestTwoReplicasNeverClaimTheSameRequestAtOnce(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	db := rows.DB{Pool: h.DB, Timeout: time.Minute}
	p, _ := h.Shop("v1")
	a, b := h.Request(p, "start"), h.Request(p, "stop")
	tx, err := h.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM worker_requests WHERE id = $1 FOR UPDATE`, a); err != nil {
		t.Fatal(err)
	}
	claimed, err := rows.ClaimRequests(t.Context(), db, []string{a, b})
	if err != nil {
		t.Fatal(err)
	}
	if len(claimed) != 1 || claimed[0].ID != b || claimed[0].Status != rows.RequestProcessing {
		t.Errorf("claimed %+v, want the other one only, without waiting", claimed)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	// The first to finish decides.
	if err := rows.FinishRequests(t.Context(), db, "replica-a", []rows.Verdict{{ID: b, Status: rows.RequestCompleted, Reason: ""}}); err != nil {
		t.Fatal(err)
	}
	if err := rows.FinishRequests(t.Context(), db, "replica-a", []rows.Verdict{{ID: b, Status: rows.RequestFailed, Reason: "too late\x00"}}); err != nil {
		t.Fatal(err)
	}
	if got := rowstest.One[string](h, `SELECT status || ' ' || coalesce(error, '') FROM worker_requests WHERE id = $1`, b); got != "completed " {
		t.Errorf("it is %q", got)
	}
}

func TestTheOrderOfRequests(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	a, b := rows.Mark{At: noon, ID: "a"}, rows.Mark{At: noon, ID: "b"}
	later := rows.Mark{At: noon.Add(time.Second), ID: "a"}
	for _, tt := range []struct {
		name string
		m, o rows.Mark
		want bool
	}{
		{"later", later, b, true},
		{"earlier", b, later, false},
		{"at once, greater id", b, a, true},
		{"at once, smaller id", a, b, false},
		{"itself", a, a, false},
		{"any after none", a, rows.Mark{}, true},
		{"none after any", rows.Mark{}, a, false},
		{"none after none", rows.Mark{}, rows.Mark{}, false},
	} {
		if got := tt.m.After(tt.o); got != tt.want {
			t.Errorf("%s: after is %t", tt.name, got)
		}
	}
}
