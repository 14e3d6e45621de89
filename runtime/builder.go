package runtime

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// builder makes the modules of a project, row by row, so that what is wrong with one row changes nothing but its own report.
type builder struct {
	r         *Runner
	projectID string
	current   *live
	now       time.Time

	modules []*module
	// fresh are the modules whose text must be kept before they go live.
	fresh   []*module
	sources []builtSource
}

// builtSource is what became of one row.
type builtSource struct {
	kind, id, name string
	module         *module // what will be live; nil for nothing
	err            *SourceError
}

func (b *builder) workflow(ctx context.Context, w Workflow) error {
	m := StoredModule{Kind: KindWorkflow, WorkflowID: w.ID, Name: w.KebabName, Version: w.Version, Code: w.Code, ActivitiesCode: w.ActivitiesCode}
	return b.row(ctx, m, w.ID, w.LastGood, func(ctx context.Context, m StoredModule) (*module, error) {
		return b.r.buildWorkflow(ctx, b.projectID, m)
	})
}

func (b *builder) component(ctx context.Context, c Component) error {
	m := StoredModule{Kind: KindComponent, Name: c.Name, Version: "", Code: c.Code}
	return b.row(ctx, m, c.ID, c.LastGood, func(ctx context.Context, m StoredModule) (*module, error) {
		return b.r.buildComponent(ctx, b.projectID, c.Language, m, c.ID)
	})
}

// row builds the newest text of a row, or falls back on what is live, or on what was. The error is what isn't the text's
// fault, and worth another try.
func (b *builder) row(ctx context.Context, m StoredModule, id string, lastGood *StoredCode, build func(context.Context, StoredModule) (*module, error)) error {
	current := b.current.find(m.Kind, id)
	if current != nil && current.texts == hashOf(m) {
		same := *current
		same.stored.Version = m.Version // the same text may get a new version
		if same.workflow != nil {
			same.workflow.SetVersion(m.Version)
		}
		b.add(&same, m, id, same.activityError)
		return nil
	}
	built, err := build(ctx, m)
	if err == nil {
		built.since = b.now
		b.fresh = append(b.fresh, built)
		b.add(built, m, id, built.activityError)
		return nil
	}
	if !isTextsFault(ctx, err) {
		return err
	}
	bad := sourceError(err, m.Version)
	if current == nil && lastGood != nil {
		current = b.lastGood(ctx, m, id, *lastGood, build)
	}
	b.add(current, m, id, bad)
	return nil
}

// lastGood builds what was live before this process; nil if that doesn't work any more.
func (b *builder) lastGood(ctx context.Context, m StoredModule, id string, old StoredCode, build func(context.Context, StoredModule) (*module, error)) *module {
	m.Hash, m.Version, m.Code, m.ActivitiesCode = old.Hash, old.Version, old.Code, old.ActivitiesCode
	m.Packages, m.ActivitiesPackages = old.Packages, old.ActivitiesPackages
	built, err := build(ctx, m)
	if err != nil {
		b.r.logger(b.projectID).Warn("the last good version of a row can't be run any more", "source", m.Name, "hash", m.Hash, "error", err)
		return nil
	}
	built.since = b.now
	return built
}

func (b *builder) add(m *module, row StoredModule, id string, err *SourceError) {
	if m != nil {
		b.modules = append(b.modules, m)
	}
	b.sources = append(b.sources, builtSource{row.Kind, id, row.Name, m, err})
}

// report tells what will be live; l is nil if nothing changes after all.
func (b *builder) report(l *live) Report {
	out := Report{At: b.now}
	for _, s := range b.sources {
		e := SourceReport{Kind: s.kind, ID: s.id, Name: s.name, Error: s.err}
		if s.module != nil && l != nil {
			e.Version, e.Hash, e.Since, e.Types = s.module.stored.Version, s.module.stored.Hash, s.module.since, l.types(s.module)
		}
		out.Sources = append(out.Sources, e)
	}
	return out
}

// isTextsFault tells what the author must mend from what may work the next time.
func isTextsFault(ctx context.Context, err error) bool {
	return ctx.Err() == nil && !errors.Is(err, errInfrastructure)
}

// errInfrastructure marks failures that are not the text's.
var errInfrastructure = errors.New("the compiler could not be used")

// keep keeps the fresh modules and their packages, before anything can be pinned to them.
func (b *builder) keep(ctx context.Context) error {
	if len(b.fresh) == 0 {
		return nil
	}
	var modules []StoredModule
	var packages []StoredPackages
	for _, m := range b.fresh {
		modules = append(modules, m.stored)
		for _, p := range m.packages {
			packages = append(packages, storedPackages(p))
		}
	}
	if len(packages) > 0 {
		if err := b.r.cfg.Store.PutPackages(ctx, packages); err != nil {
			return fmt.Errorf("keep the npm packages of the new code: %w", err)
		}
	}
	if err := b.r.cfg.Store.Put(ctx, b.projectID, modules); err != nil {
		return fmt.Errorf("keep the new code: %w", err)
	}
	return nil
}
