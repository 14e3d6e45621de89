package rows_test

import (
	"sync"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
)

// Each row is one replica's to look at, and one clean-up looks at so many.
func TestACleanUpIsBoundedAndOneReplicasAtATime(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	const most = 100
	claim := func() ([]rows.SupersededCode, error) {
		return rows.ClaimSuperseded(t.Context(), rows.DB{Pool: h.DB, Timeout: time.Minute}, 30*time.Minute, most, time.Microsecond)
	}
	h.Exec(`INSERT INTO workflow_code_store (project_id, hash, kind, superseded_at, last_used_at, task_queues)
		SELECT gen_random_uuid(), 'h' || i, 'workflow', now() - interval '1 hour', now() - interval '1 hour', '{q}' FROM generate_series(1, $1::int) i`, most+10)
	var found [2][]rows.SupersededCode
	var both sync.WaitGroup
	for i := range found {
		both.Go(func() {
			var err error
			if found[i], err = claim(); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	seen := map[string]bool{}
	for _, list := range found {
		if len(list) > most {
			t.Errorf("%d rows at once", len(list))
		}
		for _, c := range list {
			if seen[c.Hash] {
				t.Errorf("%s is looked at twice", c.Hash)
			}
			seen[c.Hash] = true
		}
	}
	for range 2 { // SKIP LOCKED may have left some
		more, err := claim()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range more {
			seen[c.Hash] = true
		}
	}
	if len(seen) != most+10 {
		t.Errorf("%d rows were looked at, want %d", len(seen), most+10)
	}
}
