package placement

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
)

// Standing is what a living replica counts for.
type Standing int

const (
	// Ready is one that runs what it should.
	Ready Standing = iota
	// Coming is one that starts. Whoever doesn't run a project leaves it to such a one; whoever
	// runs it goes on until that one is ready.
	Coming
	// Short is one that has no room for more. It counts for the projects that it runs, so that
	// nothing of these moves.
	Short
)

// Replica is a living replica. Those that drain, and dead ones, count for nothing: they are in no
// View.
type Replica struct {
	Name     string
	Capacity float64 // above 0: its share beside the others'
	Standing Standing
	Runs     map[string]bool // projects of one that is short
}

// View is how one replica sees all. It doesn't change.
type View struct {
	replicas int
	self     *member // nil: it takes no part
	others   []member
}

type member struct {
	Replica
	seed uint64
}

// New makes the view of a replica on which each project runs on so many replicas: on all if
// there are no more. A self that isn't among all, because it drains, should run nothing.
func New(self string, replicas int, all []Replica) *View {
	v := &View{replicas: replicas}
	for _, r := range all {
		m := member{Replica: r, seed: digest(r.Name)}
		if r.Name == self {
			v.self = &m
			continue
		}
		v.others = append(v.others, m)
	}
	return v
}

// Should says whether a project is this replica's to run; running says whether it does so. A
// replica counts itself, whatever it counts for to others: by running its share it becomes ready.
func (v *View) Should(project string, running bool) bool {
	return v.self != nil && (v.isAmongBest(project, true) || running && v.isAmongBest(project, false))
}

// isAmongBest says whether too few others come before this replica; with or without those that
// start.
func (v *View) isAmongBest(project string, coming bool) bool {
	p := digest(project)
	own := v.self.score(p)
	before := 0
	for i := range v.others {
		m := &v.others[i]
		if m.counts(project, coming) && m.before(own, v.self.Name, p) {
			before++
		}
	}
	return before < v.replicas
}

// Takers are the others that run a project if this replica doesn't, best first.
func (v *View) Takers(project string) (names []string) {
	p := digest(project)
	var list []*member
	for i := range v.others {
		if m := &v.others[i]; m.counts(project, false) {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b *member) int {
		return cmp.Or(cmp.Compare(b.score(p), a.score(p)), cmp.Compare(a.Name, b.Name))
	})
	for _, m := range list[:min(len(list), v.replicas)] {
		names = append(names, m.Name)
	}
	return names
}

// Alone says that nobody else lives.
func (v *View) Alone() bool { return len(v.others) == 0 }

// Handed says whether a replica may let go of a project that isn't its own any more: all who take
// it over run it. Once that is late, one other will do. What nobody else runs is never let go of:
// a project runs twice rather than not at all.
func Handed(takers, runners []string, late bool) bool {
	if late && len(runners) > 0 {
		return true
	}
	for _, t := range takers {
		if !slices.Contains(runners, t) {
			return false
		}
	}
	return len(takers) > 0
}

func (m *member) counts(project string, coming bool) bool {
	switch m.Standing {
	case Coming:
		return coming
	case Short:
		return m.Runs[project]
	}
	return true
}

// before says whether m comes before one of that score and name.
func (m *member) before(score float64, name string, project uint64) bool {
	own := m.score(project)
	return own > score || own == score && m.Name < name
}

// score is higher for who comes first: capacity / -ln(u) with u even between 0 and 1, by which the
// shares are as the capacities.
func (m *member) score(project uint64) float64 {
	u := (float64(mixed(m.seed^project)>>11) + 0.5) / (1 << 53)
	return m.Capacity / -math.Log(u)
}

func digest(s string) uint64 {
	sum := sha256.Sum256([]byte(s))
	return binary.BigEndian.Uint64(sum[:])
}

// mixed spreads all bits over all (the finish of SplitMix64).
func mixed(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
