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

	"workflow-worker/runtime/build"
	"workflow-worker/runtime/logkey"
	"workflow-worker/runtime/sandbox"
	"workflow-worker/runtime/tracing"
)

// reload makes the modules that a project is to serve, row by row, so that what is wrong with one
// row changes nothing but its own report.
type reload struct {
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

// prepare builds what p says, keeps its text, and reports; nothing is live yet. current is what is
// live now, nil for nothing.
func (r *Runner) prepare(ctx context.Context, p Project, current *live) (*live, Report, error) {
	b := reload{r: r, projectID: p.ID, taskQueue: p.TaskQueue, current: current, now: time.Now(), asOf: p.AsOf, moves: movesByRun(p.Moves)}
	setDefault(&b.asOf, b.now)
	rows := b.rows(p)
	b.buildAhead(ctx, rows)
	for _, w := range rows {
		if err := b.row(ctx, w); err != nil {
			return nil, b.report(nil), err
		}
	}
	if p.Restore {
		b.restore()
	}
	if err := b.keep(ctx); err != nil {
		return nil, b.report(nil), err
	}
	b.stamp()
	l := newLive(b.modules).withBroken(&b).withMoves(b.moves)
	return l, b.report(l), nil
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
	build.Text
	id       string
	lastGood *StoredCode
	liveHash string
	behavior string
	clash    *SourceError // with another row
	build    func(context.Context, build.Text) (*build.Module, error)
}

// made builds a module from one of the row's texts.
func (w row) made(ctx context.Context, t build.Text) (*module, error) {
	m, err := w.build(ctx, t)
	if err != nil {
		return nil, err
	}
	return &module{Module: *m, id: w.id}, nil
}

// rows gives what a project's rows say, in their order.
func (b *reload) rows(p Project) []row {
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
func (b *reload) buildAhead(ctx context.Context, rows []row) {
	var group errgroup.Group
	group.SetLimit(max(2, goruntime.GOMAXPROCS(0)))
	for i := range rows {
		w := &rows[i]
		if b.unchanged(*w) != nil {
			continue
		}
		ofTexts := w.build
		built := sync.OnceValues(func() (m *build.Module, err error) {
			ctx, span := tracing.Child(ctx, "compile")
			defer func() {
				span.FailIf(err, "the code is broken")
				span.End()
			}()
			span.Text(tracing.Kind, w.Kind).Text(tracing.Name, w.Name).Text(tracing.Version, w.Version)
			defer func() {
				if v := recover(); v != nil { // on a goroutine of ours it would end the process
					err = fmt.Errorf("%w: panic: %v", build.ErrInfrastructure, v)
				}
			}()
			return ofTexts(ctx, w.Text)
		})
		w.build = func(ctx context.Context, t build.Text) (*build.Module, error) {
			if t.Hash != "" {
				return ofTexts(ctx, t) // the last good version
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
func (b *reload) unchanged(w row) *module {
	if m := b.current.find(w.Kind, w.id); m != nil && m.Texts == w.HashOfTexts() {
		return m
	}
	return nil
}

func (b *reload) workflow(w Workflow) row {
	return row{
		Text: build.Text{Kind: KindWorkflow, WorkflowID: w.ID, Name: w.KebabName, Version: w.Version, Code: w.Code, ActivitiesCode: w.ActivitiesCode},
		id:   w.ID, lastGood: w.LastGood, liveHash: w.LiveHash, behavior: w.VersioningBehavior,
		build: func(ctx context.Context, t build.Text) (*build.Module, error) {
			return b.r.builder.Workflow(ctx, b.projectID, t, w.LiveHash)
		},
	}
}

func (b *reload) component(c Component) row {
	return row{
		Text: build.Text{Kind: KindComponent, Name: c.Name, Code: c.Code},
		id:   c.ID, lastGood: c.LastGood, liveHash: c.LiveHash,
		build: func(ctx context.Context, t build.Text) (*build.Module, error) {
			return b.r.builder.Component(ctx, b.projectID, c.Language, t, c.LiveHash)
		},
	}
}

// row builds the newest text of a row, or falls back on what is live, or on what was. The error is
// what isn't the text's fault, and worth another try.
func (b *reload) row(ctx context.Context, w row) error {
	if w.clash != nil {
		return b.clash(ctx, w, w.clash)
	}
	current := b.current.find(w.Kind, w.id)
	if m := b.unchanged(w); m != nil {
		same := *m
		same.Text.Version = w.Version // the same text may get a new version
		if same.Workflow != nil {
			same.Workflow.SetVersion(w.Version)
		}
		b.add(&same, w, sourceError(same.ActivitiesError, w.Version), same.warnings())
		return nil
	}
	built, err := b.made(ctx, w)
	if err != nil && !build.IsTextsFault(ctx, err) {
		return err
	}
	if current == nil && w.lastGood != nil {
		current = b.lastGood(ctx, w)
	}
	if err != nil {
		b.add(current, w, sourceError(err, w.Version), remarksOf(build.WarningsOf(err)))
		return nil
	}
	if refused, err := b.gate(ctx, w, current, built); refused != nil || err != nil {
		b.add(current, w, refused, built.warnings())
		return err
	}
	b.goLive(built)
	b.fresh = append(b.fresh, built)
	b.add(built, w, sourceError(built.ActivitiesError, w.Version), built.warnings())
	return nil
}

// made builds the text of a row, and counts one whose evaluation was cut off.
func (b *reload) made(ctx context.Context, w row) (*module, error) {
	built, err := w.made(ctx, w.Text)
	cause := err
	if err == nil {
		cause = built.ActivitiesError
	}
	var interrupted *sandbox.Interrupted
	if errors.As(cause, &interrupted) {
		b.r.cfg.Observer.JSInterrupted(interruptedLoad)
	}
	return built, err
}

func (b *reload) goLive(m *module) {
	m.since, m.asOf = b.now, b.asOf
	if m.Workflow != nil {
		m.Workflow.SetLive(b.asOf)
	}
}

// stamp says of what goes live that it does so now: building it took a while.
func (b *reload) stamp() {
	now := time.Now()
	for _, m := range b.modules {
		if m.since.Equal(b.now) { // nothing that is live already
			m.since = now
		}
	}
}

// lastGood builds what was live before this process; nil if that doesn't work any more.
func (b *reload) lastGood(ctx context.Context, w row) *module {
	t, old := w.Text, w.lastGood
	t.Hash, t.Version, t.Code, t.ActivitiesCode = old.Hash, old.Version, old.Code, old.ActivitiesCode
	t.Packages, t.ActivitiesPackages = old.Packages, old.ActivitiesPackages
	kept, err := b.r.cfg.Store.Get(ctx, b.projectID, old.Hash)
	var built *module
	if err == nil {
		t.CompilerSettings = kept.CompilerSettings // the row doesn't say
		built, err = w.made(ctx, t)
	}
	if err != nil {
		b.r.logger(b.projectID).Warn("the last good version of a row can't be run any more", logkey.Source, t.Name, logkey.Hash, t.Hash, logkey.Error, err)
		return nil
	}
	b.goLive(built)
	return built
}

func (b *reload) add(m *module, w row, err *SourceError, warnings []Remark) {
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
func (b *reload) report(l *live) Report {
	out := Report{At: b.now, Again: b.again}
	for _, s := range b.sources {
		e := SourceReport{Kind: s.kind, ID: s.id, Name: s.name, Error: s.err, Warnings: s.warnings}
		if s.module != nil && l != nil {
			e.Version, e.Hash, e.Since, e.Types = s.module.Text.Version, s.module.Text.Hash, s.module.since, l.types(s.module)
			e.VersioningBehavior = s.module.versioning()
			e.Warnings = append(slices.Clip(e.Warnings), l.unserved(s.module)...)
		}
		out.Sources = append(out.Sources, e)
	}
	return out
}

// restore has all that is live kept again, and what running executions are pinned to as far as it
// is at hand.
func (b *reload) restore() {
	b.fresh = slices.Clone(b.modules)
	if pr := b.r.running(b.projectID); pr != nil {
		b.fresh = append(b.fresh, pr.old.all()...)
	}
}

// keep keeps the fresh modules and their packages, before anything can be pinned to them.
func (b *reload) keep(ctx context.Context) error {
	if len(b.fresh) == 0 {
		return nil
	}
	var modules []StoredModule
	var packages []StoredPackages
	for _, m := range b.fresh {
		modules = append(modules, StoredModule(m.Text.ToStore()))
		for _, p := range m.Packages {
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

// clashing says of each component whose name another component of the project has too, by its row's
// id, what is wrong: which of them an activity call means is nobody's guess. Shared ones count
// among them.
func clashing(components []Component) map[string]*SourceError {
	byName := map[string][]Component{}
	for _, c := range components {
		byName[c.Name] = append(byName[c.Name], c)
	}
	out := map[string]*SourceError{}
	for name, same := range byName {
		for i, c := range same {
			if len(same) == 1 {
				continue
			}
			other := same[(i+1)%len(same)]
			what := "another component"
			if other.Shared {
				what = "a shared component"
			}
			out[c.ID] = &SourceError{Message: fmt.Sprintf("%s is named %q too (id %s): rename or switch off one of them; until then what was live before goes on", what, name, other.ID)}
		}
	}
	return out
}

// clash keeps what is live of a row whose name another one has too. Nothing new goes live: what
// does, would depend on the order of the rows.
func (b *reload) clash(ctx context.Context, w row, e *SourceError) error {
	live := b.current.find(w.Kind, w.id)
	built := b.unchanged(w)
	if built == nil {
		var err error
		if built, err = b.made(ctx, w); err != nil {
			if !build.IsTextsFault(ctx, err) {
				return err
			}
			also := Remark{Message: e.Message}
			e = sourceError(err, w.Version)
			e.More = append(e.More, also)
			b.addClashing(ctx, live, w, e, remarksOf(build.WarningsOf(err)))
			return nil
		}
	}
	if live == nil && w.liveHash != "" && built.Text.Hash == w.liveHash { // it was, before this process
		b.goLive(built)
		b.fresh = append(b.fresh, built)
		live = built
	}
	b.addClashing(ctx, live, w, e, built.warnings())
	return nil
}

func (b *reload) addClashing(ctx context.Context, live *module, w row, e *SourceError, warnings []Remark) {
	if live == nil && w.lastGood != nil {
		live = b.lastGood(ctx, w)
	}
	b.add(live, w, e, warnings)
}
