package activity

import (
	"testing"
	"time"

	"workflow-worker/docker/stack/stacktest/race"
	"workflow-worker/runtime/language/features"
)

func TestTheFeaturesOfTheLanguageWork(t *testing.T) {
	t.Parallel()
	race.AtSpeed(t)
	text, err := features.Module("activity")
	if err != nil {
		t.Fatal(err)
	}
	c := code(t, text+"export const main = run;", CodeOptions{SliceBudget: time.Minute, CPUBudget: 10 * time.Minute}) // the table is long
	if got, err := execute(t, c); err != nil || got != "[]" {
		t.Errorf("%v\n%s", err, got)
	}
	// Most of the table's code could run where builtins are frozen. What tells of the last match
	// would tell of other executions'.
	c.apart = false
	onMachine(t, c)
	for range 2 {
		if got, err := execute(t, c); err != nil || got != `["the last match is RegExp's"]` || len(c.machines) != 1 {
			t.Errorf("on %d machines: %v\n%s", len(c.machines), err, got)
		}
	}
}
