package runtime

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"workflow-worker/runtime/bundle"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/logkey"
)

// builder makes the modules of a project, row by row, so that what is wrong with one row changes
// nothing but its own report.
type builder struct {
	r         *Runner
	projectID string
	taskQueue string
	current   *live
	now, asOf time.Time
	moves     map[string]string // hashes by run id

	modules []*module
	// fresh are the modules whose text must be kept before they go live.
	fresh   []*module
	sources []builtSource
	again   time.Duration // see Report
	gated   time.Duration // spent in gates
}

// builtSource is what became of one row.
type builtSource struct {
	kind, id, name string
	module         *module // what will be live; nil for nothing
	err            *SourceError
	warnings       []Remark
}

// row is what a row of either kind says, and how it becomes a module.
type row struct {
	StoredModule
	id       string
	lastGood *StoredCode
	liveHash string
	behavior string
	clash    *SourceError // with another row
	build    func(context.Context, StoredModule) (*module, error)
}

// rows gives what a project's rows say, in their order.
func (b *builder) rows(p Project) []row {
	var out []row
	for _, w := range p.Workflows {
		out = append(out, b.workflow(w))
	}
	clashes := clashing(p.Components)
	for _, c := range p.Components {
		w := b.component(c)
		w.clash = clashes[c.ID]
		out = append(out, w)
	}
	return out
}

// buildAhead builds the new texts of rows side by side; which of them go live, and whether, is
// decided row by row after.
func (b *builder) buildAhead(ctx context.Context, rows []row) {
	var group errgroup.Group
	group.SetLimit(max(2, goruntime.GOMAXPROCS(0)))
	for i := range rows {
		w := &rows[i]
		if b.unchanged(*w) != nil {
			continue
		}
		build := w.build
		built := sync.OnceValues(func() (m *module, err error) {
			defer func() {
				if v := recover(); v != nil { // on a goroutine of ours it would end the process
					err = fmt.Errorf("%w: panic: %v", errInfrastructure, v)
				}
			}()
			return build(ctx, w.StoredModule)
		})
		w.build = func(ctx context.Context, m StoredModule) (*module, error) {
			if m.Hash != "" {
				return build(ctx, m) // the last good version
			}
			return built()
		}
		group.Go(func() error {
			_, _ = built() // the row asks again
			return nil
		})
	}
	_ = group.Wait() // as above
}

// unchanged gives the live module of a row that says what is live.
func (b *builder) unchanged(w row) *module {
	if m := b.current.find(w.Kind, w.id); m != nil && m.texts == hashOf(w.StoredModule) {
		return m
	}
	return nil
}

func (b *builder) workflow(w Workflow) row {
	return row{
		StoredModule: StoredModule{Kind: KindWorkflow, WorkflowID: w.ID, Name: w.KebabName, Version: w.Version, Code: w.Code, ActivitiesCode: w.ActivitiesCode},
		id:           w.ID, lastGood: w.LastGood, liveHash: w.LiveHash, behavior: w.VersioningBehavior,
		build: func(ctx context.Context, m StoredModule) (*module, error) {
			return b.r.buildWorkflow(ctx, b.projectID, m, w.LiveHash)
		},
	}
}

func (b *builder) component(c Component) row {
	return row{
		StoredModule: StoredModule{Kind: KindComponent, Name: c.Name, Code: c.Code},
		id:           c.ID, lastGood: c.LastGood, liveHash: c.LiveHash,
		build: func(ctx context.Context, m StoredModule) (*module, error) {
			return b.r.buildComponent(ctx, b.projectID, c.Language, m, c.ID, c.LiveHash)
		},
	}
}

// row builds the newest text of a row, or falls back on what is live, or on what was. The error is
// what isn't the text's fault, and worth another try.
func (b *builder) row(ctx context.Context, w row) error {
	if w.clash != nil {
		return b.clash(ctx, w, w.clash)
	}
	current := b.current.find(w.Kind, w.id)
	if m := b.unchanged(w); m != nil {
		same := *m
		same.stored.Version = w.Version // the same text may get a new version
		if same.workflow != nil {
			same.workflow.SetVersion(w.Version)
		}
		b.add(&same, w, same.activityError, same.warnings())
		return nil
	}
	built, err := w.build(ctx, w.StoredModule)
	if err != nil && !isTextsFault(ctx, err) {
		return err
	}
	if current == nil && w.lastGood != nil {
		current = b.lastGood(ctx, w)
	}
	if err != nil {
		b.add(current, w, sourceError(err, w.Version), warningsOf(err))
		return nil
	}
	if refused, err := b.gate(ctx, w, current, built); refused != nil || err != nil {
		b.add(current, w, refused, built.warnings())
		return err
	}
	b.goLive(built)
	b.fresh = append(b.fresh, built)
	b.add(built, w, built.activityError, built.warnings())
	return nil
}

func (b *builder) goLive(m *module) {
	m.since, m.asOf = b.now, b.asOf
	if m.workflow != nil {
		m.workflow.SetLive(b.asOf)
	}
}

// stamp says of what goes live that it does so now: building it took a while.
func (b *builder) stamp() {
	now := time.Now()
	for _, m := range b.modules {
		if m.since.Equal(b.now) { // nothing that is live already
			m.since = now
		}
	}
}

// lastGood builds what was live before this process; nil if that doesn't work any more.
func (b *builder) lastGood(ctx context.Context, w row) *module {
	m, old := w.StoredModule, w.lastGood
	m.Hash, m.Version, m.Code, m.ActivitiesCode = old.Hash, old.Version, old.Code, old.ActivitiesCode
	m.Packages, m.ActivitiesPackages = old.Packages, old.ActivitiesPackages
	kept, err := b.r.cfg.Store.Get(ctx, b.projectID, old.Hash)
	var built *module
	if err == nil {
		m.CompilerSettings = kept.CompilerSettings // the row doesn't say
		built, err = w.build(ctx, m)
	}
	if err != nil {
		b.r.logger(b.projectID).Warn("the last good version of a row can't be run any more", logkey.Source, m.Name, logkey.Hash, m.Hash, logkey.Error, err)
		return nil
	}
	b.goLive(built)
	return built
}

func (b *builder) add(m *module, w row, err *SourceError, warnings []Remark) {
	if m != nil {
		if m.behavior != w.behavior {
			changed := *m // m may be live
			changed.behavior = w.behavior
			m = &changed
		}
		b.modules = append(b.modules, m)
	}
	b.sources = append(b.sources, builtSource{w.Kind, w.id, w.Name, m, err, warnings})
}

// report tells what will be live; l is nil if nothing changes after all.
func (b *builder) report(l *live) Report {
	out := Report{At: b.now, Again: b.again}
	for _, s := range b.sources {
		e := SourceReport{Kind: s.kind, ID: s.id, Name: s.name, Error: s.err, Warnings: s.warnings}
		if s.module != nil && l != nil {
			e.Version, e.Hash, e.Since, e.Types = s.module.stored.Version, s.module.stored.Hash, s.module.since, l.types(s.module)
			e.VersioningBehavior = s.module.versioning()
			e.Warnings = append(slices.Clip(e.Warnings), l.unserved(s.module)...)
		}
		out.Sources = append(out.Sources, e)
	}
	return out
}

// restore has all that is live kept again, and what running executions are pinned to as far as it
// is at hand.
func (b *builder) restore() {
	b.fresh = slices.Clone(b.modules)
	if pr := b.r.running(b.projectID); pr != nil {
		b.fresh = append(b.fresh, pr.old.all()...)
	}
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
		kept := m.stored // m may be live
		if kept.CompilerSettings == "" {
			kept.CompilerSettings, kept.SDK = compile.SettingsVersion, bundle.Version()
		}
		modules = append(modules, kept)
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
