package reconcile

import (
	"context"
	"slices"
	"time"

	"workflow-worker/reconcile/placement"
	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime/logkey"
)

// sighting is how another replica's row was seen last.
type sighting struct {
	rows.Replica
	at     time.Time
	living bool
}

// silent is how old a heartbeat makes a replica one that isn't counted on: two were missed. It comes
// before the third, by which a replica is dead: whom the others do without for a while does no harm.
func (p *places) silent() time.Duration { return p.Interval * 5 / 2 }

// pause is the time between two looks at the replicas.
func (p *places) pause() time.Duration {
	if p.everywhere() {
		return p.Interval
	}
	return p.Interval / 4
}

// toldOfReplicas is the message that the trigger of workflow_replicas writes.
const toldOfReplicas = "replicas"

// Told implements cdc.Messages: a replica came, drains or went.
func (r *Reconciler) Told(content string, _ time.Time) {
	if content == toldOfReplicas && !r.places.everywhere() {
		r.places.ring()
	}
}

// ring has the loop look at once.
func (p *places) ring() {
	p.bell.Ring()
}

// join makes this replica known before it runs anything, and looks who else is there.
func (p *places) join(ctx context.Context) error {
	if p.everywhere() {
		return nil
	}
	return p.look(ctx)
}

// late says that the database was away when this replica came up: the others have had no chance to
// show that they live.
func (p *places) late() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gentle = time.Now().Add(p.silent())
}

// Run looks at the replicas until ctx ends, and says then that this one has stopped.
func (p *places) Run(ctx context.Context) {
	settled := p.Settled
	for wait := time.Duration(0); ; wait = p.pause() {
		p.mu.Lock()
		if p.draining {
			wait = min(wait, 200*time.Millisecond) // who drains has little time
		}
		p.mu.Unlock()
		due := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			due.Stop()
			p.end(context.WithoutCancel(ctx))
			return
		case <-due.C:
		case <-p.bell:
			due.Stop()
		case <-settled: // it may have come through its start
			settled = nil
			due.Stop()
		}
		if err := p.look(ctx); err != nil {
			if ctx.Err() == nil {
				p.Trouble.Fail(ctx, "replicas", "the replicas can't be seen", err)
			}
			continue
		}
		p.Trouble.Recover(ctx, "replicas", "the replicas are seen again")
	}
}

// end writes the last word.
func (p *places) end(ctx context.Context) {
	const patience = time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := rows.WriteReplica(ctx, p.DB, p.self(rows.ReplicaStopped, 0, 0), p.Retention); err != nil {
		p.Log.DebugContext(ctx, "writing that the replica has stopped failed", logkey.Error, err)
	}
}

func (p *places) self(status string, wanted, running int) rows.Self {
	return rows.Self{
		Name: p.Replica, Host: p.Host, Status: status, Capacity: p.Capacity, ProjectReplicas: p.Replicas,
		Wanted: wanted, Running: running, Heartbeat: p.Interval, StartedAt: p.began,
	}
}

// look writes this replica's row, where that is due, looks at the others', and does what follows.
func (p *places) look(ctx context.Context) error {
	stands := p.Stands()
	wanted, has, status := p.count(stands)
	if status != p.written || time.Since(p.wrote) >= p.Interval {
		if err := rows.WriteReplica(ctx, p.DB, p.self(status, wanted, has), p.Retention); err != nil {
			return err
		}
		p.wrote, p.written = time.Now(), status
	}
	if p.everywhere() {
		p.Observer.Placed(wanted, 0)
		return nil
	}
	list, err := rows.ReadReplicas(ctx, p.DB, p.Replica)
	if err != nil {
		return err
	}
	before := p.living()
	p.see(list, time.Now())
	if now := p.living(); !slices.Equal(before, now) {
		p.Log.InfoContext(ctx, "the other replicas that count have changed", logkey.Was, before, logkey.Is, now)
	}
	view, err := p.viewed(ctx, status)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.view = view
	p.mu.Unlock()
	for _, id := range p.weigh(stands) {
		p.Look(id)
	}
	p.Observer.Placed(wanted, 1+len(p.living()))
	return p.handed(ctx, stands)
}

// see takes over what the others' rows say.
//
// After a gap, of this process or of the database, none of the others has had a chance to be heard:
// who was there before it is there until that chance is over. A row that is missing is nobody's
// farewell, which says stopped: it counts as silent from when it was seen last.
func (p *places) see(list []rows.Replica, now time.Time) {
	if !p.lastGood.IsZero() && now.Sub(p.lastGood) >= 2*p.Interval {
		p.regained = now
	}
	p.lastGood = now
	seen := map[string]sighting{}
	for _, r := range list {
		s := sighting{Replica: r, at: now, living: r.Silent <= p.silent()}
		if !s.living && p.seen[r.Name].living && now.Sub(p.regained) < p.silent() {
			s.living = true
		}
		seen[r.Name] = s
	}
	for name, s := range p.seen {
		if _, still := seen[name]; !still && s.living && now.Sub(s.at) < p.silent() {
			seen[name] = s
		}
	}
	p.seen = seen
}

// living are the others that count.
func (p *places) living() (names []string) {
	for name, s := range p.seen {
		if _, counts := p.standing(s); counts {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// standing is what another replica counts for, if it does. One that doesn't get through its start is
// not waited for: it counts once it is ready.
func (p *places) standing(s sighting) (st placement.Standing, counts bool) {
	switch s.Status {
	case rows.ReplicaRunning:
		return placement.Ready, s.living
	case rows.ReplicaStarting:
		return placement.Coming, s.living && s.Since < 3*p.Interval
	case rows.ReplicaShort:
		return placement.Short, s.living
	}
	return 0, false
}

// viewed makes the view of what was seen.
func (p *places) viewed(ctx context.Context, status string) (*placement.View, error) {
	var all []placement.Replica
	var short []string
	for _, name := range p.living() {
		s := p.seen[name]
		st, _ := p.standing(s)
		if st == placement.Short {
			short = append(short, name)
		}
		all = append(all, placement.Replica{Name: name, Capacity: s.Capacity, Standing: st})
	}
	if len(short) > 0 {
		runs, err := rows.ReadRuns(ctx, p.DB, short)
		if err != nil {
			return nil, err
		}
		for i := range all {
			all[i].Runs = map[string]bool{}
			for _, id := range runs[all[i].Name] {
				all[i].Runs[id] = true
			}
		}
	}
	if status != rows.ReplicaDraining {
		all = append(all, placement.Replica{Name: p.Replica, Capacity: p.Capacity})
	}
	return placement.New(p.Replica, p.Replicas, all), nil
}

// handed lets go of what others have taken over.
func (p *places) handed(ctx context.Context, stands map[string]stand) error {
	p.mu.Lock()
	view, draining := p.view, p.draining
	held := make(map[string]time.Time, len(p.held))
	var ids []string
	for id, since := range p.held {
		held[id] = since
		ids = append(ids, id)
	}
	p.mu.Unlock()
	left := len(ids)
	if len(ids) > 0 && !view.Alone() {
		runners, err := rows.ReadRunners(ctx, p.DB, p.Replica, ids, p.silent())
		if err != nil {
			return err
		}
		for _, id := range ids {
			late := time.Since(held[id]) > patienceBeats*p.Interval
			if placement.Handed(view.Takers(id), runners[id], late) {
				p.release(id)
				p.Look(id)
				left--
			}
		}
	}
	if draining && p.written == rows.ReplicaDraining && (left == 0 || view.Alone()) {
		p.leftNothing()
	}
	return nil
}

// leftNothing says that nothing runs here any more that others could take over.
func (p *places) leftNothing() {
	select {
	case <-p.left:
	default:
		close(p.left)
	}
}

// handOver says in this replica's row that it drains and has others take its projects over while it
// goes on working: until all are, or ctx ends.
func (p *places) handOver(ctx context.Context) {
	p.mu.Lock()
	p.draining = true
	p.mu.Unlock()
	p.ring()
	if p.everywhere() {
		return
	}
	p.Log.InfoContext(ctx, "handing projects over to other replicas")
	select {
	case <-p.left:
	case <-ctx.Done():
		p.mu.Lock()
		left := len(p.held)
		p.mu.Unlock()
		p.Log.WarnContext(ctx, "not all projects were taken over by other replicas in time", logkey.Projects, left)
	}
}
