package executions

import (
	"context"
	"encoding/json"

	"workflow-worker/reconcile/executions/shown"
	"workflow-worker/reconcile/executions/steps"
	"workflow-worker/reconcile/rows"
)

// Secrets say what mustn't land in rows.
type Secrets interface {
	// Secretive says which activities have values of which their failures may tell.
	Secretive(context.Context, []steps.Activity) (map[steps.Activity]bool, error)
	// Redactions are those of workflows' executions, of those that have any.
	Redactions(ctx context.Context, workflows []string) (map[string]steps.Redaction, error)
}

// withhold takes out of states what mustn't land: what their workflow's definition names, and of
// their errors what activities say of which a component or node has secrets. A failure passes from a
// step to its execution by itself.
func (b *Base) withhold(ctx context.Context, states []rows.ExecutionState) error {
	if b.Secrets == nil {
		return nil
	}
	var telling, nameless []int // those of which the workflow isn't known
	for i, s := range states {
		if s.Output == nil && s.Error == nil && s.Input == nil && s.Message == "" {
			continue
		}
		telling = append(telling, i)
		if s.CodeOf == "" {
			nameless = append(nameless, i)
		}
	}
	if len(telling) == 0 {
		return nil
	}
	of := map[int]string{}
	if len(nameless) > 0 {
		var err error
		if of, err = rows.ReadWorkflowsOf(ctx, b.DB, states, nameless); err != nil {
			return err
		}
	}
	for _, i := range telling {
		if of[i] == "" {
			of[i] = states[i].CodeOf
		}
	}
	if err := b.withholdOfSteps(ctx, states, of); err != nil {
		return err
	}
	return b.redact(ctx, states, of)
}

// withholdOfSteps takes out what steps' failures say.
func (b *Base) withholdOfSteps(ctx context.Context, states []rows.ExecutionState, of map[int]string) error {
	failures := map[int]*shown.Failure{}
	var asked []steps.Activity
	for i, workflow := range of {
		f := failureIn(states[i])
		for _, name := range f.Activities() {
			failures[i] = f
			asked = append(asked, steps.Activity{WorkflowID: workflow, Name: name})
		}
	}
	if len(asked) == 0 {
		return nil
	}
	secretive, err := b.Secrets.Secretive(ctx, asked)
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

// failureIn is nil if a state has none.
func failureIn(s rows.ExecutionState) *shown.Failure {
	f := &shown.Failure{}
	if s.Error == nil || json.Unmarshal([]byte(*s.Error), f) != nil {
		return nil
	}
	return f
}

// redact takes out what the definitions name.
func (b *Base) redact(ctx context.Context, states []rows.ExecutionState, of map[int]string) error {
	var workflows []string
	for _, id := range of {
		if id != "" {
			workflows = append(workflows, id)
		}
	}
	redactions, err := b.Secrets.Redactions(ctx, workflows)
	if err != nil || len(redactions) == 0 {
		return err
	}
	var list []int
	for i, id := range of {
		if _, ok := redactions[id]; ok {
			list = append(list, i)
		}
	}
	arguments, err := rows.ReadArguments(ctx, b.DB, states, list)
	if err != nil {
		return err
	}
	for _, i := range list {
		s, f := &states[i], failureIn(states[i])
		given := arguments[i]
		if s.Input != nil {
			given = append(given, *s.Input)
		}
		told := f
		if f == nil { // a message alone
			told = &shown.Failure{Message: s.Message}
		}
		redactions[of[i]].Clean(given, []**string{&s.Input, &s.Output}, told)
		if s.Message != "" {
			s.Message = told.First()
		}
		if f != nil {
			s.Error = f.JSON(b.MaxValue)
		}
	}
	return nil
}
