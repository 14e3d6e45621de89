package executions

import (
	"testing"

	"workflow-worker/reconcile/rows"
)

// What it goes back to undoes what came after: a word that isn't understood goes nowhere.
func TestAResetGoesOnlyWhereItIsTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, args string
		want       resetTarget
		refused    bool
	}{
		{name: "", want: resetTarget{}},
		{name: "last", want: resetTarget{}},
		{name: "first", want: resetTarget{first: true}},
		{name: "frist", refused: true},
		{args: `{"eventId": 7}`, want: resetTarget{EventID: 7}},
		{args: `{"event": 7}`, refused: true},
		{args: `{}`, refused: true},
		{args: `[7]`, refused: true},
		{args: `{"eventId": "7"}`, refused: true},
	} {
		a := asked{ExecutionRequest: rows.ExecutionRequest{Action: rows.AskReset, Name: c.name}}
		if c.args != "" {
			a.Args = &c.args
		}
		to, err := a.target()
		if _, final := refusal(err); final != c.refused || !c.refused && to != c.want {
			t.Errorf("name %q, args %s: %+v, %v", c.name, c.args, to, err)
		}
	}
}
