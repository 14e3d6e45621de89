package reconcile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
	"workflow-worker/runtime/replay"
)

// recorder is the runner of these tests. It compiles nothing: a text that
// holds BROKEN is broken in line 3, column 7, one that holds MISFIT would break
// 30 running executions until fits is set; everything else serves its name.
// Like the real one it keeps what is live, falls back on the last good text,
// and puts live texts into the store.
type recorder struct {
	t     testing.TB
	store runtime.CodeStore // nil: keeps none

	// Hooks run before the call's effect, outside the lock; nil: none.
	onStart, onReload func(ctx context.Context, p runtime.Project) error
	onStop            func(ctx context.Context, id string) error
	onCheck           func(ctx context.Context, c runtime.Check) (runtime.CheckResult, error)

	fits atomic.Bool

	mu    sync.Mutex
	calls []call
	live  map[string]map[rows.Ref]runtime.StoredCode // by project: running
	busy  map[string]bool
}

type call struct {
	what    string // start, reload, stop
	project runtime.Project
}

func newRecorder(t testing.TB, store runtime.CodeStore) *recorder {
	return &recorder{t: t, store: store, live: map[string]map[rows.Ref]runtime.StoredCode{}, busy: map[string]bool{}}
}

func (r *recorder) enter(c call) func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[c.project.ID] {
		r.t.Errorf("two calls for project %s at once", c.project.ID)
	}
	r.busy[c.project.ID] = true
	r.calls = append(r.calls, c)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.busy[c.project.ID] = false
	}
}

func (r *recorder) Start(ctx context.Context, p runtime.Project) (runtime.Report, error) {
	defer r.enter(call{"start", p})()
	if r.onStart != nil {
		if err := r.onStart(ctx, p); err != nil {
			return runtime.Report{}, err
		}
	}
	r.mu.Lock()
	_, running := r.live[p.ID]
	r.mu.Unlock()
	if running {
		return runtime.Report{}, errors.New("runs already")
	}
	return r.load(ctx, p)
}

func (r *recorder) Reload(ctx context.Context, p runtime.Project) (runtime.Report, error) {
	defer r.enter(call{"reload", p})()
	if r.onReload != nil {
		if err := r.onReload(ctx, p); err != nil {
			return runtime.Report{}, err
		}
	}
	r.mu.Lock()
	_, running := r.live[p.ID]
	r.mu.Unlock()
	if !running {
		return runtime.Report{}, errors.New("doesn't run")
	}
	return r.load(ctx, p)
}

func (r *recorder) Stop(ctx context.Context, id string) error {
	defer r.enter(call{"stop", runtime.Project{ID: id}})()
	if r.onStop != nil {
		if err := r.onStop(ctx, id); err != nil {
			return err
		}
	}
	r.die(id)
	return nil
}

func (r *recorder) Check(ctx context.Context, id string, c runtime.Check) (runtime.CheckResult, error) {
	if !r.runs(id) {
		return runtime.CheckResult{}, runtime.ErrNotRunning
	}
	var res runtime.CheckResult
	var err error
	if r.onCheck != nil {
		res, err = r.onCheck(ctx, c)
	}
	res.Target = runtime.StoredModule{
		Hash: c.Target.Hash, Kind: runtime.KindWorkflow, WorkflowID: c.WorkflowID, Name: c.Name, Version: c.Target.Version,
		Code: c.Target.Code, ActivitiesCode: c.Target.ActivitiesCode,
	}
	if res.Target.Hash == "" {
		res.Target.Hash = hashOf(c.Target.Code + "\x00" + c.Target.ActivitiesCode)
	}
	return res, err
}

// die ends a project's worker.
func (r *recorder) die(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.live, id)
}

func (r *recorder) Running() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.live))
}

func (r *recorder) load(ctx context.Context, p runtime.Project) (runtime.Report, error) {
	r.mu.Lock()
	before := r.live[p.ID]
	r.mu.Unlock()
	live := map[rows.Ref]runtime.StoredCode{}
	rep := runtime.Report{At: time.Now()}
	var modules []runtime.StoredModule
	add := func(k rows.Ref, name, version, code, activities string, lastGood *runtime.StoredCode) {
		s := runtime.SourceReport{Kind: k.Kind, ID: k.ID, Name: name}
		now := runtime.StoredCode{Hash: hashOf(code + "\x00" + activities), Version: version, Code: code, ActivitiesCode: activities}
		ok := true
		if strings.Contains(code, "BROKEN") {
			s.Error = &runtime.SourceError{Version: version, Message: "unexpected BROKEN", File: name + ".ts", Line: 3, Column: 7}
			if now, ok = before[k]; !ok && lastGood != nil {
				now, ok = *lastGood, true
			}
		}
		if was, runs := before[k]; runs && strings.Contains(code, "MISFIT") && !r.fits.Load() {
			rep.Again = 20 * time.Millisecond
			s.Error = &runtime.SourceError{Version: version, Message: "would break 30 running executions", Checked: 40}
			for i := range 30 {
				id := replay.Execution{WorkflowID: fmt.Sprintf("order-%d", i), RunID: "r"}
				s.Error.Broken = append(s.Error.Broken, replay.BrokenExecution{Execution: id, EventID: 11, Reason: "it wants a timer"})
			}
			now = was
		}
		if ok {
			live[k] = now
			s.Hash, s.Version, s.Since, s.Types = now.Hash, now.Version, time.Now(), []string{name}
			m := runtime.StoredModule{Hash: now.Hash, Kind: k.Kind, Name: name, Version: now.Version, Code: now.Code, ActivitiesCode: now.ActivitiesCode}
			if k.Kind == runtime.KindWorkflow {
				m.WorkflowID = k.ID
			}
			modules = append(modules, m)
		}
		rep.Sources = append(rep.Sources, s)
	}
	for _, w := range p.Workflows {
		add(rows.Ref{Kind: runtime.KindWorkflow, ID: w.ID}, w.KebabName, w.Version, w.Code, w.ActivitiesCode, w.LastGood)
	}
	for _, c := range p.Components {
		add(rows.Ref{Kind: runtime.KindComponent, ID: c.ID}, c.Name, "", c.Code, "", c.LastGood)
	}
	if nothingLive(rep) && len(before) == 0 {
		return rep, errors.New("nothing to serve")
	}
	if r.store != nil {
		if err := r.store.Put(ctx, p.ID, modules); err != nil {
			return runtime.Report{}, err
		}
	}
	r.mu.Lock()
	r.live[p.ID] = live
	r.mu.Unlock()
	return rep, nil
}

func hashOf(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:8])
}

// serves returns the text that a project serves for a source, "" if none.
func (r *recorder) serves(project, source string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, c := range r.live[project] {
		if k.ID == source {
			return c.Code
		}
	}
	return ""
}

func (r *recorder) runs(project string) bool {
	return slices.Contains(r.Running(), project)
}

// count counts the calls for a project; what is "" for all.
func (r *recorder) count(what, project string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		if c.project.ID == project && (what == "" || c.what == what) {
			n++
		}
	}
	return n
}

// trace is the calls for a project in words.
func (r *recorder) trace(project string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var words []string
	for _, c := range r.calls {
		if c.project.ID == project {
			words = append(words, c.what)
		}
	}
	return strings.Join(words, " ")
}

// last is the last call of a kind for a project.
func (r *recorder) last(what, project string) (p runtime.Project) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		if c.what == what && c.project.ID == project {
			p = c.project
		}
	}
	return p
}

// gate makes a hook that blocks until it is opened or its context ends.
type gate chan struct{}

func (g gate) wait(ctx context.Context) error {
	select {
	case <-g:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("gave up: %w", context.Cause(ctx))
	}
}
