package runtime

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"workflow-worker/runtime/build"
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
	return m.Workflow, nil
}

func (p *project) pinned(ctx context.Context, hash string) (*module, error) {
	for _, m := range p.live.Load().modules {
		if m.Text.Hash == hash && m.Workflow != nil {
			return m, nil
		}
	}
	m, err := p.old.get(ctx, hash)
	if err == nil {
		p.r.cfg.Store.Used(p.id, hash)
	}
	return m, err
}

// loadPinned builds a module that isn't live from its stored text.
func (r *Runner) loadPinned(ctx context.Context, projectID, hash string) (*module, error) {
	stored, err := r.cfg.Store.Get(ctx, projectID, hash)
	if err != nil {
		return nil, fmt.Errorf("the code that this execution started on (%s): %w", hash, err)
	}
	text := build.Text(stored)
	if s := text.Settings(); !compile.KnowsSettings(s) {
		return nil, fmt.Errorf("the code that this execution started on (%s %s, %s) was compiled with the compiler's settings %s, and this version of the service has those until %s: it takes one that has them",
			stored.Name, stored.Version, hash, s, compile.SettingsVersion)
	}
	m, err := r.builder.Workflow(ctx, projectID, text, "")
	if err != nil {
		return nil, fmt.Errorf("the code that this execution started on (%s %s, %s): %w", stored.Name, stored.Version, hash, err)
	}
	return &module{Module: *m, id: stored.WorkflowID}, nil
}

// Wanted implements workflow.Resolver: what somebody told this execution to run; else, if its code
// is to be upgraded, the newest.
func (p *project) Wanted(x wire.RunInfo, last wire.LastCode) wire.LastCode {
	l := p.live.Load()
	if hash, moves := l.moves[x.RunID]; moves {
		if hash != last.Hash {
			return wire.LastCode{Hash: hash}
		}
		return last
	}
	t, ok := l.target(x.Type)
	if !ok || !upgrades(t.module.behavior, last) || t.module.Text.Hash == last.Hash {
		return last
	}
	// Another replica may have noticed a change that this one hasn't yet.
	if last.Since.After(t.module.asOf) {
		return last
	}
	return wire.LastCode{Hash: t.module.Text.Hash, Since: t.module.asOf}
}

// upgrades says whether an execution goes on with newer code: the row decides, else the code that
// it runs on.
func upgrades(behavior string, last wire.LastCode) bool {
	return behavior == AutoUpgrade || behavior == "" && last.AutoUpgrade
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
	export, err := m.Serves(workflowType)
	return m.Workflow, export, err
}

// superseded keeps modules that are not live and that executions may be pinned to.
type superseded struct {
	load func(ctx context.Context, hash string) (*module, error)

	open  context.Context // ends with the project's worker
	end   context.CancelCauseFunc
	loads sync.WaitGroup // under way

	mu    sync.Mutex // guards the rest
	kept  map[string]*module
	order []string // of kept, least recently used first
	wait  map[string]*loading
}

func newSuperseded(load func(ctx context.Context, hash string) (*module, error)) *superseded {
	open, end := context.WithCancelCause(context.Background())
	return &superseded{load: load, open: open, end: end}
}

var errStopped = errors.New("the project's worker has stopped")

// close ends what is being loaded and waits for it; nothing is loaded any more.
func (s *superseded) close() {
	s.mu.Lock()
	s.end(errStopped)
	s.mu.Unlock()
	s.loads.Wait()
}

// maxSuperseded bounds the modules kept beside those that executions in the cache hold by
// themselves.
const maxSuperseded = 32

type loading struct {
	done   chan struct{}
	module *module
	err    error
}

func (s *superseded) put(m *module) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(m)
}

func (s *superseded) all() []*module {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.kept))
}

func (s *superseded) keep(m *module) {
	if s.kept == nil {
		s.kept = map[string]*module{}
	}
	hash := m.Text.Hash
	s.forget(hash)
	s.kept[hash] = m
	s.order = append(s.order, hash)
	if len(s.order) > maxSuperseded {
		s.forget(s.order[0])
	}
}

func (s *superseded) forget(hash string) {
	delete(s.kept, hash)
	for i, h := range s.order {
		if h == hash {
			s.order = append(s.order[:i:i], s.order[i+1:]...)
			return
		}
	}
}

// get gives a module, loading it once for all who ask meanwhile.
func (s *superseded) get(ctx context.Context, hash string) (*module, error) {
	s.mu.Lock()
	if m, ok := s.kept[hash]; ok {
		s.keep(m) // used last
		s.mu.Unlock()
		return m, nil
	}
	w, ok := s.wait[hash]
	if !ok && s.open.Err() != nil {
		s.mu.Unlock()
		return nil, context.Cause(s.open)
	}
	if !ok {
		w = &loading{done: make(chan struct{})}
		if s.wait == nil {
			s.wait = map[string]*loading{}
		}
		s.wait[hash] = w
		s.loads.Go(func() {
			// Not ctx's: others wait for it too.
			ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
			defer cancel()
			defer context.AfterFunc(s.open, cancel)()
			w.module, w.err = s.load(ctx, hash)
			s.mu.Lock()
			delete(s.wait, hash)
			if w.err == nil {
				s.keep(w.module)
			}
			s.mu.Unlock()
			close(w.done)
		})
	}
	s.mu.Unlock()
	select {
	case <-w.done:
		return w.module, w.err
	case <-ctx.Done():
		return nil, errors.Join(context.Cause(ctx), fmt.Errorf("loading the code %s took too long", hash))
	}
}
