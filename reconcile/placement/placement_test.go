package placement

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

var seed = flag.Uint64("placement.seed", 0, "of the random course of events; 0: a few fixed ones")

func project(i int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", i) }

// placed is who runs a project by a set of ready replicas.
func placed(all []Replica, replicas int, p string) []string {
	var names []string
	for _, r := range all {
		if New(r.Name, replicas, all).Should(p, false) {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return names
}

func ready(names ...string) (all []Replica) {
	for _, n := range names {
		all = append(all, Replica{Name: n, Capacity: 1})
	}
	return all
}

func TestSharesAreWithinATenthOfEachOther(t *testing.T) {
	t.Parallel()
	const projects, replicas = 2000, 2
	for _, format := range []string{"worker-%d/1", "host/%d", "replica-%c"} {
		var names []string
		for i := range 4 {
			names = append(names, fmt.Sprintf(format, 'a'+rune(i)))
		}
		all := ready(names...)
		share := map[string]int{}
		for i := range projects {
			on := placed(all, replicas, project(i))
			if len(on) != replicas {
				t.Fatalf("%s is on %v", project(i), on)
			}
			for _, n := range on {
				share[n]++
			}
		}
		counts := slices.Sorted(maps.Values(share))
		if least, most := counts[0], counts[len(counts)-1]; len(counts) != 4 || most*10 > least*11 {
			t.Errorf("shares %v", share)
		}
	}
}

func TestSharesAreAsTheCapacities(t *testing.T) {
	t.Parallel()
	const projects = 6000
	all := ready("a", "b", "c")
	all[2].Capacity = 2
	share := map[string]int{}
	for i := range projects {
		for _, n := range placed(all, 1, project(i)) {
			share[n]++
		}
	}
	for n, want := range map[string]int{"a": projects / 4, "b": projects / 4, "c": projects / 2} {
		if got := share[n]; got*10 < want*9 || got*10 > want*11 {
			t.Errorf("%s has %d, want about %d: %v", n, got, want, share)
		}
	}
}

func TestOnlyWhatMustMoveMoves(t *testing.T) {
	t.Parallel()
	for _, replicas := range []int{1, 2, 3} {
		before := ready("a", "b", "c", "d")
		after := append(slices.Clone(before), Replica{Name: "e", Capacity: 1.5})
		moved := 0
		for i := range 1000 {
			p := project(i)
			was, is := placed(before, replicas, p), placed(after, replicas, p)
			if !slices.Contains(is, "e") {
				if !slices.Equal(was, is) {
					t.Fatalf("%s moves from %v to %v, and e has no part in it", p, was, is)
				}
				continue
			}
			moved++
			for _, n := range is { // one gives its place to e, the others stay
				if n != "e" && !slices.Contains(was, n) {
					t.Fatalf("%s moves from %v to %v", p, was, is)
				}
			}
		}
		if want := 1000 * float64(replicas) * 1.5 / 5.5; float64(moved) > 1.3*want {
			t.Errorf("of 1,000 projects %d move, want about %.0f", moved, want)
		}
	}
}

func TestFewerReplicasThanWantedRunAll(t *testing.T) {
	t.Parallel()
	if got := placed(ready("a", "b"), 3, project(1)); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("it is on %v", got)
	}
}

func TestWhatOneCountsFor(t *testing.T) {
	t.Parallel()
	p := project(7)
	first := placed(ready("a", "b"), 1, p)[0]
	second := map[string]string{"a": "b", "b": "a"}[first]
	view := func(self string, standing Standing, runs bool) *View {
		return New(self, 1, []Replica{{Name: second, Capacity: 1}, {Name: first, Capacity: 1, Standing: standing, Runs: map[string]bool{p: runs}}})
	}
	for _, c := range []struct {
		name     string
		self     string
		standing Standing // of the first
		runs     bool     // the first, if it is short
		running  bool     // self
		want     bool
	}{
		{"a ready one keeps others from it", second, Ready, false, true, false},
		{"one that starts is waited for", second, Coming, false, false, false},
		{"… and who runs it goes on meanwhile", second, Coming, false, true, true},
		{"one that is short keeps what it has", second, Short, true, false, false},
		{"… and nothing else", second, Short, false, false, true},
		{"who starts takes its share", first, Coming, false, false, true},
		{"who is short would take its share", first, Short, false, false, true},
	} {
		if got := view(c.self, c.standing, c.runs).Should(p, c.running); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
	if got := view(second, Coming, false).Takers(p); len(got) != 0 {
		t.Errorf("a project is left to %v, of whom none is ready", got)
	}
	if got := view(second, Ready, false).Takers(p); !slices.Equal(got, []string{first}) {
		t.Errorf("a project is left to %v", got)
	}
	if New("gone", 1, ready("a", "b")).Should(p, true) {
		t.Error("who drains should run nothing")
	}
}

func TestHanded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		takers, runners []string
		late, want      bool
	}{
		{nil, nil, false, false},
		{nil, nil, true, false},
		{[]string{"a"}, nil, true, false},
		{[]string{"a"}, []string{"b"}, false, false},
		{[]string{"a"}, []string{"b"}, true, true},
		{[]string{"a", "b"}, []string{"b"}, false, false},
		{[]string{"a", "b"}, []string{"b", "c", "a"}, false, true},
	} {
		if got := Handed(c.takers, c.runners, c.late); got != c.want {
			t.Errorf("Handed(%v, %v, %t) = %t", c.takers, c.runners, c.late, got)
		}
	}
}

// Replicas come and go at random, each acts by what it saw some time ago. A project that runs goes
// on running somewhere, unless all that ran it are killed; and once nothing happens any more, each
// runs where it should and nowhere else.
func TestAProjectIsNeverLetGoOfByAll(t *testing.T) {
	t.Parallel()
	seeds := []uint64{1, 2, 3, 4, 5}
	if *seed != 0 {
		seeds = []uint64{*seed}
	}
	for _, s := range seeds {
		for replicas := 1; replicas <= 3; replicas++ {
			t.Run(fmt.Sprintf("seed %d, %d replicas", s, replicas), func(t *testing.T) {
				t.Parallel()
				w := &world{t: t, random: rand.New(rand.NewPCG(s, uint64(replicas))), replicas: replicas, nodes: map[string]*node{}}
				for range 4 {
					w.join()
				}
				w.settle()
				for range 1000 {
					w.step()
				}
				w.settle()
				w.isAsItShould()
			})
		}
	}
}

const simulated = 60 // projects

// node is a replica: what its row says is what is, to those who read it just now.
type node struct {
	name     string
	capacity float64
	standing Standing
	draining bool
	runs     map[string]bool
	seen     []Replica // when it last looked
}

type world struct {
	t        *testing.T
	random   *rand.Rand
	replicas int
	nodes    map[string]*node
	joined   int
}

func (w *world) any() *node {
	names := slices.Sorted(maps.Keys(w.nodes))
	return w.nodes[names[w.random.IntN(len(names))]]
}

func (w *world) join() {
	w.joined++
	n := &node{name: fmt.Sprintf("replica-%d", w.joined), capacity: 1 + float64(w.random.IntN(2)), standing: Coming, runs: map[string]bool{}}
	w.nodes[n.name] = n
	w.look(n)
}

// look reads the rows.
func (w *world) look(n *node) {
	n.seen = nil
	for _, o := range w.nodes {
		if !o.draining {
			n.seen = append(n.seen, Replica{Name: o.name, Capacity: o.capacity, Standing: o.standing, Runs: maps.Clone(o.runs)})
		}
	}
}

// act has a replica do something about one project, by what it last saw.
func (w *world) act(n *node, p string) (idle bool) {
	v := New(n.name, w.replicas, n.seen)
	should := v.Should(p, n.runs[p])
	switch {
	case should && !n.runs[p]:
		if n.standing == Short {
			return true
		}
		n.runs[p] = true
	case !should && n.runs[p]:
		// The rows of who runs it are read at this moment, and only of those that don't drain.
		var runners []string
		for _, o := range w.nodes {
			if o != n && !o.draining && o.runs[p] {
				runners = append(runners, o.name)
			}
		}
		if !Handed(v.Takers(p), runners, w.random.IntN(10) == 0) {
			return true
		}
		delete(n.runs, p)
	default:
		return true
	}
	return false
}

// complete tells whether a replica runs all that it should, as it sees it.
func (w *world) complete(n *node) bool {
	v := New(n.name, w.replicas, n.seen)
	for i := range simulated {
		if p := project(i); v.Should(p, n.runs[p]) && !n.runs[p] {
			return false
		}
	}
	return true
}

func (w *world) running() map[string]bool {
	all := map[string]bool{}
	for _, n := range w.nodes {
		maps.Copy(all, n.runs)
	}
	return all
}

// staying counts those that don't drain.
func (w *world) staying() (n int) {
	for _, x := range w.nodes {
		if !x.draining {
			n++
		}
	}
	return n
}

func (w *world) step() {
	before := w.running()
	switch n := w.any(); w.random.IntN(40) {
	case 0:
		if w.staying() < 7 {
			w.join()
		}
		return
	case 1:
		if w.staying() > 3 {
			n.draining = true
			w.look(n)
		}
	case 2:
		if w.staying() > 3 { // what it alone ran is lost until somebody notices
			delete(w.nodes, n.name)
			return
		}
	case 3:
		if n.draining && len(n.runs) == 0 {
			delete(w.nodes, n.name)
		}
	case 4:
		if n.standing == Ready && w.random.IntN(4) == 0 {
			n.standing = Short
		} else if n.standing == Short {
			n.standing = Ready
		}
	case 5, 6, 7, 8:
		w.look(n)
	case 9:
		if n.standing == Coming && w.complete(n) {
			n.standing = Ready
		}
	default:
		for range 10 {
			w.act(n, project(w.random.IntN(simulated)))
		}
	}
	after := w.running()
	for p := range before {
		if !after[p] {
			w.t.Fatalf("%s ran, and nobody runs it any more", p)
		}
	}
}

// settle lets everybody finish, with nothing else happening.
func (w *world) settle() {
	for range 100 {
		idle := true
		for _, name := range slices.Sorted(maps.Keys(w.nodes)) {
			n := w.nodes[name]
			if n.standing == Short {
				n.standing, idle = Ready, false
			}
			w.look(n)
			for i := range simulated {
				idle = w.act(n, project(i)) && idle
			}
			if n.standing == Coming && w.complete(n) {
				n.standing, idle = Ready, false
			}
			if n.draining && len(n.runs) == 0 {
				delete(w.nodes, n.name)
				idle = false
			}
		}
		if idle {
			return
		}
	}
	w.t.Fatal("it doesn't come to rest")
}

func (w *world) isAsItShould() {
	var all []Replica
	for _, n := range w.nodes {
		all = append(all, Replica{Name: n.name, Capacity: n.capacity})
	}
	for i := range simulated {
		p := project(i)
		var on []string
		for _, n := range w.nodes {
			if n.runs[p] {
				on = append(on, n.name)
			}
		}
		slices.Sort(on)
		if want := placed(all, w.replicas, p); !slices.Equal(on, want) {
			w.t.Errorf("%s is on %v, want %v", p, on, want)
		}
	}
}
