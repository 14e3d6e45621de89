package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"workflow-worker/reconcile/placement"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/upkeep"
)

// fleet are replicas of which each project runs on so many.
type fleet struct {
	h        *house
	replicas int
	all      []*replica
	projects []string
}

const beat = 400 * time.Millisecond

// join puts another replica to work. Whatever it stops, others must run.
func (f *fleet) join(name string, configure ...func(*Config)) *replica {
	f.h.T.Helper()
	r := f.h.replica(append([]func(*Config){func(c *Config) {
		c.Replica, c.Host, c.ProjectReplicas, c.HeartbeatInterval = name, "host", f.replicas, beat
	}}, configure...)...)
	r.runner.onStop = func(_ context.Context, id string) error {
		if on := f.runs(id); len(slices.DeleteFunc(on, func(n string) bool { return n == name })) == 0 {
			f.h.T.Errorf("%s stops project %s, which nobody else runs", name, id)
		}
		return nil
	}
	f.all = append(f.all, r)
	return r.start()
}

// leave has a replica stop in good order.
func (f *fleet) leave(r *replica) {
	f.h.T.Helper()
	if err := r.stop(); err != nil {
		f.h.T.Error(err)
	}
	f.all = slices.DeleteFunc(f.all, func(x *replica) bool { return x == r })
}

// end takes the test's eye off what is stopped.
func (f *fleet) end() {
	for _, r := range f.all {
		r.runner.onStop = nil
	}
}

// runs names the replicas that run a project.
func (f *fleet) runs(id string) (names []string) {
	for _, r := range f.all {
		if r.runner.runs(id) {
			names = append(names, r.cfg.Replica)
		}
	}
	slices.Sort(names)
	return names
}

// wanted are the replicas that should run a project.
func (f *fleet) wanted(id string) (names []string) {
	var all []placement.Replica
	for _, r := range f.all {
		all = append(all, placement.Replica{Name: r.cfg.Replica, Capacity: r.cfg.Capacity})
	}
	for _, r := range f.all {
		if placement.New(r.cfg.Replica, f.replicas, all).Should(id, false) {
			names = append(names, r.cfg.Replica)
		}
	}
	slices.Sort(names)
	return names
}

// settles waits until every project runs where it should, by what runs and by the rows.
func (f *fleet) settles() {
	f.h.T.Helper()
	eventually(f.h.T, func() error {
		for _, id := range f.projects {
			is, want := f.runs(id), f.wanted(id)
			if !slices.Equal(is, want) {
				return fmt.Errorf("project %s is on %v, want %v", id, is, want)
			}
			said := one[string](f.h, `SELECT coalesce(string_agg(metadata->>'replica', ' ' ORDER BY metadata->>'replica'), '') FROM workflow_workers
				WHERE project_id = $1 AND status = 'running'`, id)
			if said != strings.Join(want, " ") {
				return fmt.Errorf("project %s is on %q by its rows, want %v", id, said, want)
			}
		}
		for _, r := range f.all {
			if got := f.h.replicaStatus(r.cfg.Replica); got != rows.ReplicaRunning {
				return fmt.Errorf("replica %s is %s", r.cfg.Replica, got)
			}
		}
		return nil
	})
}

// replicaStatus is what a replica's row says, "" if there is none.
func (h *house) replicaStatus(name string) string {
	h.T.Helper()
	return one[string](h, `SELECT coalesce(max(status), '') FROM workflow_replicas WHERE name = $1`, name)
}

func newFleet(t *testing.T, replicas, projects int) *fleet {
	t.Helper()
	f := &fleet{h: newHouse(t), replicas: replicas}
	for range projects {
		p, _ := f.h.Shop("v1")
		f.projects = append(f.projects, p)
	}
	return f
}

func TestProjectsRunOnSoManyReplicasWhoeverComesAndGoes(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2, 16)
	a := f.join("a")
	f.join("b")
	f.join("c")
	f.settles()
	before := map[string][]string{}
	for _, id := range f.projects {
		before[id] = f.runs(id)
	}

	d := f.join("d", func(c *Config) { c.Capacity = 2 })
	f.settles()
	for _, id := range f.projects {
		after := f.runs(id)
		if !slices.Contains(after, "d") && !slices.Equal(before[id], after) {
			t.Errorf("project %s moved from %v to %v, and d has no part in it", id, before[id], after)
		}
	}
	eventually(t, func() error {
		own := len(d.runner.Running())
		if got := d.seen.get().placed; got != [2]int{own, 4} {
			return fmt.Errorf("told: %v, wanted projects and replicas; it runs %d", got, own)
		}
		row := one[[]int32](f.h, `SELECT ARRAY[projects_wanted, projects_running] FROM workflow_replicas WHERE name = 'd'`)
		if row[0] != int32(own) || row[1] != int32(own) {
			return fmt.Errorf("its row says %v, it runs %d", row, own)
		}
		return nil
	})

	f.leave(a) // what it stops others run by then: see join
	f.settles()
	if got := f.h.replicaStatus("a"); got != rows.ReplicaStopped {
		t.Errorf("the row of one that is gone says %s", got)
	}
	if n := len(a.runner.Running()); n != 0 {
		t.Errorf("it has left %d workers", n)
	}
	f.end()
}

func TestWhatIsAskedOfAProjectIsDoneByThoseWhoRunIt(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2, 3)
	for _, name := range []string{"a", "b", "c"} {
		f.join(name)
	}
	f.settles()
	f.end() // what is asked may stop it
	p := f.projects[0]
	ask := func(action string) {
		t.Helper()
		request := f.h.Request(p, action)
		for _, r := range f.all {
			r.LookAt(p, time.Now())
		}
		if got := f.h.isAnswered(request); got.status != rows.RequestCompleted {
			t.Errorf("%s: %+v", action, got)
		}
	}
	ask("restart")
	for _, r := range f.all {
		want := ""
		if slices.Contains(f.wanted(p), r.cfg.Replica) {
			want = "start stop start"
		}
		if got := r.runner.trace(p); !strings.HasSuffix(got, want) || want == "" && r.runner.runs(p) {
			t.Errorf("%s: %s, want … %s", r.cfg.Replica, got, want)
		}
	}
	ask("stop")
	if on := f.runs(p); len(on) > 0 {
		t.Errorf("after a stop it runs on %v", on)
	}
	ask("start")
	f.settles()
	if n := one[int](f.h, `SELECT count(*)::int FROM worker_events WHERE kind = 'request_done'`); n != 3 {
		t.Errorf("3 requests were answered %d times", n)
	}

	// Nobody has heard of this one: it is answered all the same.
	none := f.h.Request("33333333-3333-4333-8333-333333333333", "start")
	for _, r := range f.all {
		r.LookAtAll("test")
	}
	if got := f.h.isAnswered(none); !strings.Contains(got.reason, "no such project") {
		t.Errorf("%+v", got)
	}
}

func TestOneThatIsShortOfMemoryKeepsWhatItHasAndOthersTakeTheRest(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 1, 12)
	var room atomic.Int64
	room.Store(4)
	var a *replica
	made := make(chan struct{})
	small := func(c *Config) {
		c.Workers = 1
		c.Memory = func() (used, limit int64) {
			select {
			case <-made:
			default:
				return 0, 0
			}
			return 1 + 60*int64(len(a.runner.Running()))/room.Load(), 100
		}
	}
	a = f.join("a", small)
	close(made)
	eventually(t, func() error {
		status := f.h.replicaStatus("a")
		if n := len(a.runner.Running()); status != rows.ReplicaShort || n < 4 || n > 8 {
			return fmt.Errorf("it is %s with %d projects", status, n)
		}
		return nil
	})
	kept := a.runner.Running()
	f.join("b")
	eventually(t, func() error {
		for _, id := range f.projects {
			if len(f.runs(id)) == 0 {
				return fmt.Errorf("nobody runs %s", id)
			}
		}
		return nil
	})
	for _, id := range kept {
		if slices.Contains(f.wanted(id), "a") && !a.runner.runs(id) {
			t.Errorf("%s moved away from one that is short, and is its own", id)
		}
	}
	room.Store(100)
	f.settles()
	f.end()
}

func TestAReplicaOfAllProjectsSaysSo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, w := h.Shop("v1")
	r := h.work(func(c *Config) { c.HeartbeatInterval = time.Hour }) // it doesn't wait for its next one
	r.isServing(p, w, "v1")
	eventually(t, func() error {
		return expect(one[string](h, `SELECT coalesce(max(status || ' ' || project_replicas || ' ' || projects_running), '') FROM workflow_replicas`), "running 0 1")
	})
	if err := r.stop(); err != nil || r.runner.runs(p) {
		t.Errorf("%v, it runs: %t", err, r.runner.runs(p))
	}
	if got := h.replicaStatus("replica-a"); got != rows.ReplicaStopped {
		t.Errorf("its row says %s", got)
	}
}

// What one alone takes on slowly it takes on at once when it is no longer alone.
func TestOneAloneTakesItsTime(t *testing.T) {
	t.Parallel()
	p := newPlaces(upkeep.Base{Replica: "a"}, placesConfig{
		Replicas: 2, Interval: time.Minute, Memory: func() (used, limit int64) { return 0, 0 },
		Stands: func() map[string]stand { return nil },
	})
	see := func(names ...string) {
		var all []placement.Replica
		for _, n := range names {
			all = append(all, placement.Replica{Name: n, Capacity: 1})
		}
		p.view = placement.New("a", 2, all)
	}
	see("a")
	if got := p.pick([]string{"1", "2"}); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("its projects: %v", got)
	}
	if yes, _ := p.admit("1"); !yes {
		t.Error("the first has to wait")
	}
	p.next = time.Now().Add(time.Hour) // as after many
	if yes, wait := p.admit("2"); yes || wait < 59*time.Minute {
		t.Errorf("the next: %t after %s", yes, wait)
	}
	if yes, wait := p.admit("2"); yes || wait < 59*time.Minute || wait > time.Hour {
		t.Errorf("asked again: %t after %s", yes, wait)
	}
	see("a", "b")
	if got := p.weigh(map[string]stand{"1": {phase: running, mine: true}}); !slices.Equal(got, []string{"2"}) {
		t.Errorf("what is looked at once another is there: %v", got)
	}
	if yes, _ := p.admit("2"); !yes {
		t.Error("it still has to wait")
	}
	p.late()
	p.next = time.Now().Add(time.Hour)
	if yes, wait := p.admit("3"); yes || wait < 59*time.Minute {
		t.Errorf("after an outage: %t after %s", yes, wait)
	}
	see("b", "c")
	if yes, wait := p.admit("3"); yes || wait > 0 {
		t.Errorf("somebody else's: %t after %s", yes, wait)
	}
}

// A project that becomes this replica's while the pass that lets it go is under way isn't overlooked: the
// stands may have been taken before that pass forgot it.
func TestAProjectThatComesBackWhileItIsLetGoOfIsLookedAt(t *testing.T) {
	t.Parallel()
	const id = "1"
	stands := map[string]stand{id: {phase: stopping}}
	p := newPlaces(upkeep.Base{Replica: "a"}, placesConfig{Replicas: 1, Stands: func() map[string]stand { return stands }})
	p.pick([]string{id})
	p.released[id] = true
	p.view = placement.New("a", 1, []placement.Replica{{Name: "a", Capacity: 1}})
	p.weigh(stands)
	if mine, elsewhere := p.verdict(id, false); !mine || elsewhere {
		t.Errorf("mine: %t, elsewhere: %t", mine, elsewhere)
	}
	if got := p.weigh(nil); !slices.Equal(got, []string{id}) {
		t.Errorf("looked at: %v", got)
	}
	if got := p.weigh(map[string]stand{id: {phase: running, mine: true}}); len(got) > 0 {
		t.Errorf("looked at although it runs: %v", got)
	}
}

// Whoever wasn't heard of because nobody could be heard is there as before.
func TestSilenceOfAllIsNobodysDeath(t *testing.T) {
	t.Parallel()
	const interval = 10 * time.Second
	p := &places{placesConfig: placesConfig{Interval: interval, Replicas: 1}, seen: map[string]sighting{}}
	row := func(name, status string, silent, since time.Duration) rows.Replica {
		return rows.Replica{Name: name, Status: status, Capacity: 1, Silent: silent, Since: since}
	}
	see := func(at time.Duration, list ...rows.Replica) string {
		p.see(list, noon.Add(at))
		return strings.Join(p.living(), " ")
	}
	const up, starting, draining = rows.ReplicaRunning, rows.ReplicaStarting, rows.ReplicaDraining
	for _, c := range []struct {
		name string
		at   time.Duration
		list []rows.Replica
		want string
	}{
		{"all are there", 0, []rows.Replica{row("b", up, 0, 0), row("c", up, 0, 0), row("d", draining, 0, 0)}, "b c"},
		{"one is silent", 10 * time.Second, []rows.Replica{row("b", up, 26*time.Second, 0), row("c", up, 0, 0)}, "c"},
		{"an outage is over", time.Minute, []rows.Replica{row("b", up, 76*time.Second, 0), row("c", up, 50*time.Second, 0)}, "c"},
		{"… and nobody has written yet", 70 * time.Second, []rows.Replica{row("c", up, time.Minute, 0)}, "c"},
		{"… but should have", 86 * time.Second, []rows.Replica{row("c", up, 76*time.Second, 0)}, ""},
		{"they are back", 90 * time.Second, []rows.Replica{row("b", up, 0, 0), row("c", up, 0, 0)}, "b c"},
		{"rows are missing", 100 * time.Second, nil, "b c"},
		{"… and stay so", 116 * time.Second, nil, ""},
		{"one comes", 120 * time.Second, []rows.Replica{row("e", starting, 0, time.Second)}, "e"},
		{"… and doesn't get through its start", 130 * time.Second, []rows.Replica{row("e", starting, 0, 31*time.Second)}, ""},
	} {
		if got := see(c.at, c.list...); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
