package runtime

import (
	"context"
	"fmt"
	"slices"
	"time"

	"workflow-worker/runtime/replay"
	"workflow-worker/runtime/workflow/wire"
)

const (
	// maxGates is how many projects' gates may be under way at once: each takes a place among the
	// reconciles, which others need.
	maxGates = 4
	// gateTimeout bounds a row's gate. What it has seen by then counts: no execution goes on with
	// code that doesn't fit it in any case, the gate only tells before.
	gateTimeout = 10 * time.Second
	// gatesTimeout bounds those of one reload together: its other rows wait for them.
	gatesTimeout = 20 * time.Second
	// gateSample is how many of the newest, and how many of the oldest, open executions a gate
	// tries.
	gateSample = 10
	// Soon for what passes, late for executions to end.
	gateSoon, gateLate = 2 * time.Second, 30 * time.Second
)

// gate tries new code on the open executions that would go on with it. What it returns says why the
// code doesn't go live.
func (b *builder) gate(ctx context.Context, w row, current, candidate *module) (*SourceError, error) {
	if w.Kind != KindWorkflow || current == nil || !b.mayUpgrade(w, current, candidate) {
		return nil, nil
	}
	refused := &SourceError{Version: w.Version, Waits: true}
	if b.gated > gatesTimeout {
		b.askAgain(gateSoon)
		refused.Message = "waits to be tried on the running executions: those of other workflows are tried first"
		return refused, nil
	}
	defer func(began time.Time) { b.gated += time.Since(began) }(time.Now())
	select {
	case b.r.gates <- struct{}{}:
		defer func() { <-b.r.gates }()
	default:
		b.askAgain(gateSoon)
		refused.Message = "waits to be tried on the running executions: those of other projects are tried first"
		return refused, nil
	}
	limited, cancel := context.WithTimeout(ctx, gateTimeout)
	defer cancel()
	found, err := replay.NewExecutions(b.r.cfg.Client).Check(limited, replay.Check{
		ProjectID: b.projectID, TaskQueue: b.taskQueue, Types: typesOf(current, candidate), Sample: gateSample,
		Code: candidate.workflow, Serves: candidate.serves, TaskTimeout: b.r.cfg.WorkflowTaskTimeout,
		Concerns: func(x Execution, last wire.LastCode) bool {
			return last.Hash != candidate.stored.Hash && b.moves[x.RunID] == "" && upgrades(w.behavior, last)
		},
	})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		b.askAgain(gateSoon)
		refused.Message = fmt.Sprintf("couldn't be tried on the running executions: %v", err)
		return refused, nil
	case len(found.Broken) == 0:
		return nil, nil
	}
	b.askAgain(gateLate)
	first := found.Broken[0]
	refused.Broken, refused.Checked = found.Broken, found.Checked
	refused.Message = fmt.Sprintf("would break %d running executions (of %d that were tried); %s: %s", len(found.Broken), found.Checked, first.WorkflowID, first.Problem())
	return refused, nil
}

// askAgain notes when to: as soon as any row wants.
func (b *builder) askAgain(after time.Duration) {
	if b.again == 0 || after < b.again {
		b.again = after
	}
}

// mayUpgrade is false if certainly no execution of the row goes on with newer code by itself. One
// that began on code that asked for it, of which nothing is in memory, and wasn't woken since, is
// overlooked: it is tried when it wakes.
func (b *builder) mayUpgrade(w row, current, candidate *module) bool {
	switch w.behavior {
	case AutoUpgrade:
		return true
	case Pinned:
		return false
	}
	asks := func(m *module) bool { return m.stored.WorkflowID == w.WorkflowID && len(m.upgrading) > 0 }
	if asks(current) || asks(candidate) {
		return true
	}
	pr := b.r.running(b.projectID)
	return pr != nil && slices.ContainsFunc(pr.old.all(), asks)
}

// typesOf gives the workflow types that any of the modules serves.
func typesOf(modules ...*module) []string {
	var out []string
	for _, m := range modules {
		out = append(out, m.stored.Name)
		for _, f := range m.functions {
			if f != "default" {
				out = append(out, f)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
