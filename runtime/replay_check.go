package runtime

import (
	"context"
	"fmt"
	"slices"
	"time"

	"workflow-worker/runtime/build"
	"workflow-worker/runtime/replay"
	"workflow-worker/runtime/tracing"
	"workflow-worker/runtime/workflow/wire"
)

// Check asks which open executions of a workflow row could go on with other code of it.
type Check struct {
	WorkflowID string // workflows.id
	// Target is the code; it needn't be live, nor stored. Without a hash it gets one, with the npm
	// packages that there are now.
	Target StoredCode
	// Name is the row's kebab name.
	Name string
	// Execution is the one to try; the zero value means all open ones.
	Execution replay.Execution
}

// CheckResult says what a Check found.
type CheckResult struct {
	// Target is the code as it has to be kept, with Packages, before any execution can be moved to
	// it.
	Target   StoredModule
	Packages []StoredPackages

	// Checked is how many executions were tried.
	Checked int
	// Fit could go on with the target, Broken couldn't: they are those that were tried.
	Fit    []replay.Fitting
	Broken []replay.BrokenExecution
	// Truncated says that there are more executions than were tried. Those that run the target
	// already, or were told to (Project.Moves), are passed over, so that asking again gets further.
	Truncated bool
}

// Check replays the histories of executions against other code. It changes nothing. If ctx's time
// is over, the result has what was found until then.
func (r *Runner) Check(ctx context.Context, projectID string, c Check) (CheckResult, error) {
	pr := r.running(projectID)
	if pr == nil {
		return CheckResult{}, ErrNotRunning
	}
	target, err := pr.targetOf(ctx, c)
	if err != nil {
		return CheckResult{}, err
	}
	l := pr.live.Load()
	served := []*module{target}
	if current := l.find(KindWorkflow, c.WorkflowID); current != nil {
		served = append(served, current)
	}
	found, err := replay.NewExecutions(r.cfg.Client).Check(ctx, replay.Check{
		ProjectID: projectID, TaskQueue: pr.taskQueue, Types: typesOf(served...), Execution: c.Execution,
		Code: target.Workflow, Serves: target.Serves, TaskTimeout: r.cfg.WorkflowTaskTimeout,
		PassOver: func(x replay.Execution) bool { return l.moves[x.RunID] == target.Text.Hash },
		Concerns: func(x replay.Execution, last wire.LastCode) bool {
			// One that was told to go elsewhere, and hasn't yet, may be told to stay.
			return last.Hash != target.Text.Hash || l.moves[x.RunID] != ""
		},
	})
	out := CheckResult{Target: StoredModule(target.Text), Checked: found.Checked, Fit: found.Fit, Broken: found.Broken, Truncated: found.Truncated}
	for _, p := range target.Packages {
		out.Packages = append(out.Packages, storedPackages(p))
	}
	return out, err
}

// targetOf builds the code that is asked about, or finds it.
func (p *project) targetOf(ctx context.Context, c Check) (*module, error) {
	for _, m := range append(slices.Clone(p.live.Load().modules), p.old.all()...) {
		if m.Workflow != nil && m.Text.Hash == c.Target.Hash {
			return m, nil
		}
	}
	m, err := p.r.builder.Workflow(ctx, p.id, build.Text{
		Hash: c.Target.Hash, Kind: KindWorkflow, WorkflowID: c.WorkflowID, Name: c.Name, Version: c.Target.Version,
		Code: c.Target.Code, ActivitiesCode: c.Target.ActivitiesCode, Packages: c.Target.Packages, ActivitiesPackages: c.Target.ActivitiesPackages,
	}, "")
	if err != nil && build.IsTextsFault(ctx, err) {
		return nil, &replay.RefusedError{Reason: fmt.Sprintf("version %s can't be run: %v", c.Target.Version, err)}
	}
	if err != nil {
		return nil, err
	}
	return &module{Module: *m, id: c.WorkflowID}, nil
}

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
func (b *reload) gate(ctx context.Context, w row, current, candidate *module) (*SourceError, error) {
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
	ctx, span := tracing.Child(ctx, "gate")
	defer span.End()
	span.Text(tracing.Kind, w.Kind).Text(tracing.Name, w.Name)
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
		Code: candidate.Workflow, Serves: candidate.Serves, TaskTimeout: b.r.cfg.WorkflowTaskTimeout,
		Concerns: func(x replay.Execution, last wire.LastCode) bool {
			return last.Hash != candidate.Text.Hash && b.moves[x.RunID] == "" && upgrades(w.behavior, last)
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
func (b *reload) askAgain(after time.Duration) {
	if b.again == 0 || after < b.again {
		b.again = after
	}
}

// mayUpgrade is false if certainly no execution of the row goes on with newer code by itself. One
// that began on code that asked for it, of which nothing is in memory, and wasn't woken since, is
// overlooked: it is tried when it wakes.
func (b *reload) mayUpgrade(w row, current, candidate *module) bool {
	switch w.behavior {
	case AutoUpgrade:
		return true
	case Pinned:
		return false
	}
	asks := func(m *module) bool { return m.Text.WorkflowID == w.WorkflowID && len(m.Upgrading) > 0 }
	if asks(current) || asks(candidate) {
		return true
	}
	pr := b.r.running(b.projectID)
	return pr != nil && slices.ContainsFunc(pr.old.all(), asks)
}
