package workflow

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

const (
	// restingBytes is what a cached execution is taken to keep beside what it is charged with: see
	// BenchmarkCachedRun.
	restingBytes = 40 << 10
	// runtimeBytes is what a runtime takes that nothing lives in any more.
	runtimeBytes = 3 << 20
)

// residents are the executions that have something in a runtime, and can be replayed.
type residents struct {
	mu  sync.Mutex // guards all
	all map[*instance]struct{}
}

func (r *residents) add(in *instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = make(map[*instance]struct{})
	}
	r.all[in] = struct{}{}
}

func (r *residents) remove(in *instance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, in)
}

// resting are those that nothing runs of: who rests for longest and keeps most comes first.
func (r *residents) resting(now time.Time) []resident {
	var out []resident
	r.mu.Lock()
	for in := range r.all {
		if in.rests() {
			out = append(out, resident{in: in})
		}
	}
	r.mu.Unlock()
	for i := range out {
		x := &out[i]
		x.weight = float64(restingBytes+x.in.account.Charged()) * now.Sub(time.Unix(0, x.in.left.Load())).Seconds()
	}
	slices.SortFunc(out, func(a, b resident) int { return cmp.Compare(b.weight, a.weight) })
	return out
}

type resident struct {
	in     *instance
	weight float64
}

// LetGo drops what cached executions have in the runtimes, until it should be so many bytes, and
// tells how many it should be: 0 if there was nothing to drop. They are replayed when they go on;
// the server notices nothing.
func (s *Runtimes) LetGo(bytes int64) (freed int64) {
	for _, x := range s.residents.resting(time.Now()) {
		if freed >= bytes {
			break
		}
		freed += x.in.letGo()
	}
	return freed
}

// rests tells whether nothing of it runs, nor goes on beside it.
func (in *instance) rests() bool {
	return !in.inside.Load() && !in.working.Load() && (in.busy == nil || !in.busy.Load())
}

// letGo drops what an execution has in its runtime, and the runtime if it is nobody else's: it
// tells what that takes. Another entry finds that it was discarded. One that has begun to run since
// it was found keeps all: in the end of a task it may start what a replay would start again.
func (in *instance) letGo() (freed int64) {
	v := in.machine
	v.keptMu.Lock()
	if !in.rests() {
		v.keptMu.Unlock()
		return 0
	}
	freed = restingBytes + in.account.Charged()
	in.code.residents.remove(in)
	delete(v.globals, in)
	empty := len(v.globals) == 0
	v.keptMu.Unlock()
	in.account.Close()
	if v.shared || !empty || !v.mu.tryLock() {
		return freed
	}
	defer v.mu.Unlock()
	if v.vm == nil {
		return freed
	}
	v.cut()
	v.pool.drop(v)
	return freed + runtimeBytes
}
