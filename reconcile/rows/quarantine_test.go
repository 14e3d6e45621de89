package rows_test

import (
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
	"workflow-worker/runtime"
)

func TestDeathsAddUpOverReplicasUntilTheCodeIsAnother(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	project := h.Project()
	db := rows.DB{Pool: rowstest.OpenDatabase(t, h.URL), Timeout: time.Minute}
	r := runtime.QuarantineRules{Apart: 2, Remembered: 10 * time.Minute, FirstHold: 30 * time.Second, MostHold: time.Hour, MostSuspects: 8, Forgotten: 24 * time.Hour}
	a, b := &rows.Quarantine{DB: db, Replica: "a"}, &rows.Quarantine{DB: db, Replica: "b"}
	for i, step := range []struct {
		by        *rows.Quarantine
		code      string
		alone     int
		age       string // that the row has by then
		sum, held int    // deaths and deaths alone
		atLeast   time.Duration
		isNotHeld bool
	}{
		{by: a, code: "x", sum: 1, isNotHeld: true},
		{by: b, code: "x", age: "11 min", sum: 1, isNotHeld: true}, // the first may have been anybody's
		{by: a, code: "x", sum: 2, isNotHeld: true},
		{by: b, code: "x", alone: 1, age: "11 min", sum: 2, held: 1, atLeast: 25 * time.Second},
		{by: a, code: "x", alone: 1, sum: 2, held: 2, atLeast: 55 * time.Second},
		{by: a, code: "y", sum: 1, isNotHeld: true},
	} {
		if step.age != "" {
			h.Exec(`UPDATE workflow_quarantine SET last_death = now() - $1::text::interval`, step.age)
		}
		got, err := step.by.Note(t.Context(), runtime.Suspicion{
			ProjectID: project, Code: step.code, Last: time.Now(), Deaths: 1 - step.alone, Alone: step.alone, Cause: "killed", Words: "fatal\x00 error", Entry: runtime.Entry{ProjectID: project, File: "flow.ts"},
		}, r)
		if err != nil {
			t.Fatal(err)
		}
		if got.Deaths != step.sum || got.Alone != step.held || got.Code != step.code || got.Entry.File != "flow.ts" || got.Words != "fatal error" || got.Until.IsZero() != step.isNotHeld || !step.isNotHeld && time.Until(got.Until) < step.atLeast {
			t.Errorf("step %d: %+v", i, got)
		}
	}
	if err := a.Forgive(t.Context(), project, "x"); err != nil {
		t.Fatal(err)
	}
	if list, err := b.Read(t.Context()); err != nil || len(list) != 1 || list[0].Code != "y" || list[0].ProjectID != project {
		t.Errorf("after another code was forgiven: %+v, %v", list, err)
	}
	if err := a.Forgive(t.Context(), project, "y"); err != nil {
		t.Fatal(err)
	}
	if list, err := b.Read(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("after it was forgiven: %+v, %v", list, err)
	}
}

func TestExecutionsThatEndedTheirProjectsCellsWaitBeyondItsCode(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	project := h.Project()
	q := &rows.Quarantine{DB: rows.DB{Pool: rowstest.OpenDatabase(t, h.URL), Timeout: time.Minute}, Replica: "a"}
	r := runtime.QuarantineRules{Apart: 2, Remembered: 10 * time.Minute, FirstHold: 30 * time.Second, MostHold: time.Hour, MostSuspects: 8, Forgotten: 24 * time.Hour}
	x := runtime.Suspect{Entry: runtime.Entry{ProjectID: project, RunID: "run", Hash: "hash", WorkflowID: "id", File: "flow.ts"}, Deaths: 1, Last: time.Now(), Cause: "killed", Words: "fatal\x00 error"}
	for n := 1; n <= 2; n++ {
		got, err := q.Note(t.Context(), runtime.Suspicion{ProjectID: project, Code: "c", Alone: 1, Last: time.Now(), Executions: []runtime.Suspect{x}}, r)
		if err != nil || len(got.Executions) != 1 || got.Executions[0].Deaths != n {
			t.Fatalf("death %d: %+v, %v", n, got, err)
		}
	}
	known := func() *runtime.Suspicion {
		t.Helper()
		list, err := q.Read(t.Context())
		if err != nil || len(list) > 1 {
			t.Fatalf("it reads %+v, %v", list, err)
		}
		if len(list) == 0 {
			return nil
		}
		return &list[0]
	}
	wants := func(deaths int) {
		t.Helper()
		s := known()
		if s == nil || s.Alone != deaths || !s.Until.IsZero() || len(s.Executions) != 1 {
			t.Fatalf("there is %+v", s)
		}
		got := s.Executions[0]
		if got.Entry != x.Entry || got.Deaths != 2 || got.Cause != "killed" || got.Words != "fatal error" || time.Until(got.Until) < 50*time.Second {
			t.Errorf("its execution is %+v", got)
		}
	}
	wants(2)
	if err := q.Forgive(t.Context(), project, "c"); err != nil {
		t.Fatal(err)
	}
	wants(0)
	h.Exec(`DELETE FROM workflow_quarantine WHERE project_id = $1`, project)
	if s := known(); s != nil {
		t.Errorf("after an operator forgave it there is %+v", s)
	}
}
