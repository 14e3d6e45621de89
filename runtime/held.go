package runtime

import (
	"sync"
	"time"
)

// Held is an execution that isn't to enter JavaScript of some code before a moment.
type Held struct {
	RunID, Hash string
	Until       time.Time
	// Why is for people.
	Why string
}

// holds are the executions that are held. Most processes have none.
type holds struct {
	mu        sync.Mutex // guards the rest
	byProject map[string]map[heldKey]Held
}

type heldKey struct{ runID, hash string }

// Hold says which executions of a project, running here or not, are held: these and no others. It
// counts from their next task on.
func (r *Runner) Hold(projectID string, list []Held) {
	r.holds.mu.Lock()
	defer r.holds.mu.Unlock()
	delete(r.holds.byProject, projectID)
	if len(list) == 0 {
		return
	}
	if r.holds.byProject == nil {
		r.holds.byProject = map[string]map[heldKey]Held{}
	}
	held := map[heldKey]Held{}
	for _, h := range list {
		held[heldKey{h.RunID, h.Hash}] = h
	}
	r.holds.byProject[projectID] = held
}

// heldBack says of a project's executions why one waits, "" if it doesn't, and until when.
func (r *Runner) heldBack(projectID string) func(runID, hash string) (why string, until time.Time) {
	return func(runID, hash string) (why string, until time.Time) {
		r.holds.mu.Lock()
		defer r.holds.mu.Unlock()
		h, held := r.holds.byProject[projectID][heldKey{runID, hash}]
		if !held || !time.Now().Before(h.Until) {
			return "", time.Time{}
		}
		return h.Why, h.Until
	}
}
