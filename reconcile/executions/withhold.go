package executions

import (
	"context"
	"encoding/json"

	"workflow-worker/reconcile/executions/shown"
	"workflow-worker/reconcile/executions/steps"
	"workflow-worker/reconcile/rows"
)

// withhold takes out of states' errors what activities say of which a component or node has secrets:
// a failure passes from a step to its execution by itself.
func (b *Base) withhold(ctx context.Context, states []rows.ExecutionState) error {
	if b.Secretive == nil {
		return nil
	}
	failures := map[int]*shown.Failure{}
	var nameless []int // of which the workflow isn't known
	for i, s := range states {
		f := &shown.Failure{}
		if s.Error == nil || json.Unmarshal([]byte(*s.Error), f) != nil || len(f.Activities()) == 0 {
			continue
		}
		failures[i] = f
		if s.CodeOf == "" {
			nameless = append(nameless, i)
		}
	}
	if len(failures) == 0 {
		return nil
	}
	of := map[int]string{}
	if len(nameless) > 0 {
		var err error
		if of, err = rows.ReadWorkflowsOf(ctx, b.DB, states, nameless); err != nil {
			return err
		}
	}
	var asked []steps.Activity
	for i, f := range failures {
		if of[i] == "" {
			of[i] = states[i].CodeOf
		}
		for _, name := range f.Activities() {
			asked = append(asked, steps.Activity{WorkflowID: of[i], Name: name})
		}
	}
	secretive, err := b.Secretive(ctx, asked)
	if err != nil {
		return err
	}
	for i, f := range failures {
		if f.Withhold(func(name string) bool { return secretive[steps.Activity{WorkflowID: of[i], Name: name}] }) {
			states[i].Message, states[i].Error = f.First(), f.JSON(b.MaxValue)
		}
	}
	return nil
}
