package reconcile

import (
	"sync"
	"time"

	"workflow-worker/reconcile/bell"
	"workflow-worker/reconcile/placement"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/upkeep"
)

const (
	// takenPerSecond is how many projects a replica takes on that can't know whether others run
	// them: what each needs of its memory is to show before the next ones come.
	takenPerSecond = 50

	// A replica is short of memory from the first part of its limit on that live data take, until
	// it is below the second. The rest is for what projects do, and for Go's collector.
	shortAbove, roomBelow = 0.6, 0.5

	// patience, in heartbeats, is how long a project that has moved waits for all who take it over.
	// Then one will do.
	patienceBeats = 10
)

// places says which projects are this replica's to run, where not every replica runs them all. What
// it goes by are the rows of the replicas, see placement; what it has learned from them stays until
// it learns something else: a database that is silent changes nothing.
type places struct {
	upkeep.Base
	placesConfig
	began time.Time
	bell  bell.Bell     // a look is due
	left  chan struct{} // closed once nothing that others could take over runs here

	// What the loop alone knows, see replicas.go.
	seen               map[string]sighting
	lastGood, regained time.Time // the last exchange, and the first after a gap
	wrote              time.Time
	written            string // status

	mu       sync.Mutex // guards what follows
	view     *placement.View
	known    map[string]bool      // is it this replica's? Of all projects that there are
	held     map[string]time.Time // run on until others run them; since when
	released map[string]bool      // are to be stopped
	waiting  map[string]time.Time // are to be taken on then
	next     time.Time            // when the next one may be taken on
	gentle   time.Time            // until then what others may run is taken on slowly
	surveyed bool
	ready    bool
	short    bool
	draining bool
}

type placesConfig struct {
	Replicas            int // that run a project; 0: all
	Capacity            float64
	Host                string
	Interval, Retention time.Duration
	Memory              func() (used, limit int64)
	Settled             <-chan struct{} // all projects have been looked at
	// Stands tells how the projects are that are known here.
	Stands func() map[string]stand
	// Look asks for a pass over a project.
	Look     func(projectID string)
	Observer StateObserver
}

// stand is how a project is here.
type stand struct {
	phase      phase
	mine       bool // by its last pass
	stopped    bool // it isn't to run
	restarting bool
	putOff     bool // it would start if there were room
}

// at says whether it runs here, or does so again in a moment.
func (s stand) at() bool { return s.phase != absent || s.restarting }

func newPlaces(base upkeep.Base, cfg placesConfig) *places {
	return &places{
		Base: base, placesConfig: cfg, began: time.Now(), bell: bell.New(), left: make(chan struct{}),
		seen: map[string]sighting{}, view: placement.New(base.Replica, cfg.Replicas, nil),
		known: map[string]bool{}, held: map[string]time.Time{}, released: map[string]bool{}, waiting: map[string]time.Time{},
	}
}

// everywhere says that each replica runs all projects.
func (p *places) everywhere() bool { return p.Replicas == 0 }

// verdict says whether a project is this replica's, and if not, whether it isn't to run here any
// more: others run it.
func (p *places) verdict(id string, at bool) (mine, elsewhere bool) {
	if p.everywhere() {
		return true, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.released[id] {
		return false, true
	}
	if _, held := p.held[id]; held {
		return false, false
	}
	mine = p.view.Should(id, at)
	return mine, !mine && !at
}

// admit says whether a project that isn't known here yet is to be looked at; else, how long to wait
// before asking again: 0 for somebody else's.
func (p *places) admit(id string) (yes bool, wait time.Duration) {
	if p.everywhere() {
		return true, 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.view.Should(id, false) {
		delete(p.waiting, id)
		return false, 0
	}
	now := time.Now()
	if p.fullLocked() {
		p.waiting[id] = now
		return false, p.pause()
	}
	if p.slowly(now) {
		due, waits := p.waiting[id]
		if !waits {
			due = now
			if p.next.After(now) {
				due = p.next
			}
			p.next = due.Add(time.Second / takenPerSecond)
		}
		if now.Before(due) {
			p.waiting[id] = due
			return false, due.Sub(now)
		}
	}
	delete(p.waiting, id)
	return true, 0
}

// slowly says whether others may run what seems to be for this replica to run: it finds itself
// alone, or came up before the others could show that they live.
func (p *places) slowly(now time.Time) bool { return p.view.Alone() || now.Before(p.gentle) }

// room says whether a project may start; else, how long to wait before asking again.
func (p *places) room() (wait time.Duration) {
	if p.everywhere() {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fullLocked() {
		return p.pause()
	}
	return 0
}

// fullLocked says whether there is no room for another project.
func (p *places) fullLocked() bool {
	used, limit := p.Memory()
	part := shortAbove
	if p.short {
		part = roomBelow
	}
	p.short = limit > 0 && float64(used) > part*float64(limit)
	return p.short
}

// pick is told of all projects and says which of them count here.
func (p *places) pick(all []string) (picked []string) {
	stands := p.Stands()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.surveyed = true
	p.known = make(map[string]bool, len(all))
	for _, id := range all {
		s, here := stands[id]
		mine := p.view.Should(id, s.at())
		p.known[id] = mine
		if mine || here {
			picked = append(picked, id)
		}
	}
	return picked
}

// weigh goes through all projects by the view, and gives those that need a pass.
func (p *places) weigh(stands map[string]stand) (look []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range stands {
		if _, known := p.known[id]; !known { // new since the last survey
			p.known[id] = p.view.Should(id, stands[id].at())
		}
	}
	for id := range p.known {
		s, here := stands[id]
		mine := p.view.Should(id, s.at())
		p.known[id] = mine
		_, held := p.held[id]
		switch {
		case mine:
			delete(p.held, id)
			delete(p.released, id)
			// By what its pass knew, not by the last look at the replicas: the pass may have forgotten it
			// since these stands were taken.
			if _, waits := p.waiting[id]; !waits && !s.mine {
				look = append(look, id)
			}
		case !s.at():
			delete(p.held, id)
			delete(p.released, id)
			if here {
				look = append(look, id) // to be forgotten
			}
		case !held && !p.released[id]:
			p.held[id] = time.Now()
		}
	}
	if !p.slowly(time.Now()) { // what waited for its turn needn't any more
		for id, due := range p.waiting {
			if time.Until(due) > 0 {
				look = append(look, id)
				delete(p.waiting, id)
			}
		}
	}
	return look
}

// release has a project stopped that others run now.
func (p *places) release(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, held := p.held[id]; held {
		delete(p.held, id)
		p.released[id] = true
	}
}

// count says how many projects this replica should run and does, and how it is to be called for it.
func (p *places) count(stands map[string]stand) (wanted, has int, status string) {
	for _, s := range stands {
		if s.phase == running {
			has++
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	todo := 0
	if p.everywhere() {
		for _, s := range stands {
			if !s.stopped {
				wanted++
			}
		}
		select {
		case <-p.Settled:
			p.ready = true
		default:
		}
	} else {
		for id, mine := range p.known {
			if !mine {
				continue
			}
			switch s, here := stands[id]; {
			case !here || s.putOff:
				wanted++
				todo++
			case !s.stopped:
				wanted++
			}
		}
		p.ready = p.ready || p.surveyed && todo == 0
		if p.short {
			p.fullLocked() // there may be room again
		}
	}
	switch {
	case p.draining:
		status = rows.ReplicaDraining
	case p.short && todo > 0:
		status = rows.ReplicaShort
	case p.ready:
		status = rows.ReplicaRunning
	default:
		status = rows.ReplicaStarting
	}
	return wanted, has, status
}

// stands tells how the projects are that are known here.
func (r *Reconciler) stands() map[string]stand {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := make(map[string]stand, len(r.cards))
	for id, c := range r.cards {
		m[id] = c.stand
	}
	return m
}
