package reconcile

import "sync"

// firstLook tells when every project that the first survey found has had its
// pass: from then on the service runs what the rows say.
type firstLook struct {
	done chan struct{}

	mu      sync.Mutex // guards what follows
	begun   bool
	waiting map[string]bool
}

func newFirstLook() *firstLook { return &firstLook{done: make(chan struct{})} }

// found is told what a survey queued; only the first counts.
func (f *firstLook) found(ids []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.begun {
		return
	}
	f.begun = true
	f.waiting = make(map[string]bool, len(ids))
	for _, id := range ids {
		f.waiting[id] = true
	}
	f.check()
}

// passed is told of every pass, failed ones too: readiness isn't success.
func (f *firstLook) passed(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting == nil {
		return
	}
	delete(f.waiting, id)
	f.check()
}

func (f *firstLook) check() {
	if len(f.waiting) == 0 {
		f.waiting = nil
		close(f.done)
	}
}

// Settled is closed once every project that was there at the start has been
// looked at.
func (r *Reconciler) Settled() <-chan struct{} { return r.first.done }
