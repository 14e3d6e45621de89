package reconcile

import (
	"time"

	"workflow-worker/reconcile/rows"
)

// WorkersDied says that the workers of projects are gone at once, because the process that they were
// in died: each project is looked at now, before what waits. why is for people. It returns at once.
func (r *Reconciler) WorkersDied(projectIDs []string, why string) {
	r.mu.Lock()
	for _, id := range projectIDs {
		r.notes.add(id, func(n *note) { n.suspect, n.died = true, why })
	}
	r.mu.Unlock()
	for _, id := range projectIDs {
		r.queue.hint(id, time.Time{})
	}
}

// noteDeath notes what WorkersDied said of a project.
func (rec *record) noteDeath(why string) {
	if why != "" {
		rec.note(rows.EventCellDied, why, nil)
	}
}
