package runtime

import (
	"context"
	"fmt"

	"workflow-worker/runtime/workflow"
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
	m, err := r.buildWorkflow(ctx, projectID, stored)
	if err != nil {
		return nil, fmt.Errorf("the code that this execution started on (%s %s, %s): %w", stored.Name, stored.Version, hash, err)
	}
	return m, nil
}

// Wanted implements workflow.Resolver.
func (p *project) Wanted(_ workflow.Execution, ran workflow.Ran) workflow.Ran {
	return ran
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
