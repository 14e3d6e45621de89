package rows_test

import (
	"testing"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/reconcile/rows"
)

func TestMain(m *testing.M) { stacktest.Main(m) }

func TestAWorkersIDIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	if got := rows.WorkerID("a", "p"); got != "901782b3-5a59-5967-8fef-1eea9b737b14" {
		t.Errorf("is %s: rows of earlier processes would not be found again", got)
	}
	seen := map[string]bool{rows.WorkerID("a", "p"): true, rows.WorkerID("b", "p"): true, rows.WorkerID("a", "q"): true}
	if len(seen) != 3 {
		t.Error("two replicas or projects share one")
	}
}
