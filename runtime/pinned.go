package runtime

import (
	"context"
	"fmt"

	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/workflow"
	"workflow-worker/runtime/workflow/wire"
)

// Pinned implements workflow.Resolver: the code that a history names.
func (p *project) Pinned(ctx context.Context, hash string) (*workflow.Code, error) {
	m, err := p.pinned(ctx, hash)
	if err != nil {
		return nil, err
	}
	return m.workflow, nil
}

func (p *project) pinned(ctx context.Context, hash string) (*module, error) {
	for _, m := range p.live.Load().modules {
		if m.stored.Hash == hash && m.workflow != nil {
			return m, nil
		}
	}
	m, err := p.old.get(ctx, hash)
	if err == nil {
		p.r.cfg.Store.Used(p.id, hash)
	}
	return m, err
}

// loadPinned builds a module that isn't live from its kept text.
func (r *Runner) loadPinned(ctx context.Context, projectID, hash string) (*module, error) {
	stored, err := r.cfg.Store.Get(ctx, projectID, hash)
	if err != nil {
		return nil, fmt.Errorf("the code that this execution started on (%s): %w", hash, err)
	}
	if s := stored.settings(); !compile.KnowsSettings(s) {
		return nil, fmt.Errorf("the code that this execution started on (%s %s, %s) was compiled with the compiler's settings %s, and this version of the service has those until %s: it takes one that has them",
			stored.Name, stored.Version, hash, s, compile.SettingsVersion)
	}
	m, err := r.buildWorkflow(ctx, projectID, stored, "")
	if err != nil {
		return nil, fmt.Errorf("the code that this execution started on (%s %s, %s): %w", stored.Name, stored.Version, hash, err)
	}
	return m, nil
}

// Wanted implements workflow.Resolver: what somebody told this execution to run; else, if its code
// is to be upgraded, the newest.
func (p *project) Wanted(x wire.Execution, ran wire.LastCode) wire.LastCode {
	l := p.live.Load()
	if hash, told := l.moves[x.RunID]; told {
		if hash != ran.Hash {
			return wire.LastCode{Hash: hash}
		}
		return ran
	}
	t, ok := l.target(x.Type)
	if !ok || !upgrades(t.module.behavior, ran) || t.module.stored.Hash == ran.Hash {
		return ran
	}
	// Another replica may have noticed a change that this one hasn't yet.
	if ran.Since.After(t.module.asOf) {
		return ran
	}
	return wire.LastCode{Hash: t.module.stored.Hash, Since: t.module.asOf}
}

// stayed tells of an execution that keeps its code.
func (p *project) stayed(x wire.Execution, from wire.LastCode, to *workflow.Code, why workflow.Misfit) {
	for _, m := range append(p.old.all(), p.live.Load().modules...) {
		if m.workflow == to {
			p.r.cfg.Stays.ExecutionStayed(p.id, Stay{
				BrokenExecution: BrokenExecution{Execution: Execution{WorkflowID: x.ID, RunID: x.RunID}, EventID: why.EventID, Reason: why.Reason},
				CodeOf:          m.stored.WorkflowID, From: from.Hash, To: m.stored.Hash,
			})
			return
		}
	}
}

// upgrades says whether an execution goes on with newer code: the row decides, else the code that
// it runs on.
func upgrades(behavior string, ran wire.LastCode) bool {
	return behavior == AutoUpgrade || behavior == "" && ran.AutoUpgrade
}

func movesByRun(moves []Move) map[string]string {
	out := make(map[string]string, len(moves))
	for _, m := range moves {
		out[m.RunID] = m.Hash
	}
	return out
}

// withMoves has executions go on with what they were told.
func (l *live) withMoves(byRun map[string]string) *live {
	l.moves = byRun
	return l
}

// Moved implements workflow.Resolver.
func (p *project) Moved(ctx context.Context, hash, workflowType string) (*workflow.Code, string, error) {
	m, err := p.pinned(ctx, hash)
	if err != nil {
		return nil, "", err
	}
	export, err := m.serves(workflowType)
	return m.workflow, export, err
}
