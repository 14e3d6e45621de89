package workflow

import (
	"errors"
	"testing"

	"workflow-worker/runtime/workflow/wire"
)

// A query that came with a task is answered by the task's next run. An answer of this one would cost
// a replay of all that there is of its history, and never be sent.
func TestATaskThatBeginsAgainAnswersNoQuery(t *testing.T) {
	t.Parallel()
	d := definition{beginsAgain: true}
	if answer, err := d.query("state", nil, nil); answer != nil || !errors.Is(err, wire.ErrAgain) {
		t.Errorf("it answers %v, %v", answer, err)
	}
}
