package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// runAll writes the groups' rows, waits for their workers and runs the cases.
func (s *stand) runAll(ctx context.Context, groups []*group, r *report) (err error) {
	if err := s.startService(ctx); err != nil {
		return err
	}
	ours := &projects{pool: s.pool, of: map[*group]*project{}}
	defer func() {
		for _, pr := range ours.of {
			pr.replayer.close()
		}
	}()
	for _, g := range groups {
		if err := ours.insert(ctx, g); err != nil {
			return err
		}
	}
	var theirs *node
	if s.o.diff {
		if theirs, err = startNode(ctx, s.temporal.Address(), s.progress); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, theirs.stop(ctx)) }()
	}
	for _, g := range groups {
		if !g.Dormant {
			if err := ours.awaitRunning(ctx, g); err != nil {
				return err
			}
		}
		if theirs != nil && len(g.diffable().Cases) > 0 {
			if err := theirs.load(ctx, g); err != nil {
				return fmt.Errorf("%s: %w", g.file, err)
			}
		}
	}
	r.began = time.Now()
	slots := make(chan struct{}, s.o.parallel)
	var group errgroup.Group
	for _, g := range groups {
		if !g.Alone {
			group.Go(func() error { s.runGroup(ctx, g, ours, theirs, slots, r); return nil })
		}
	}
	_ = group.Wait() // it has no errors: the report has them
	for _, g := range groups {
		if g.Alone {
			s.runGroup(ctx, g, ours, theirs, make(chan struct{}, 1), r)
		}
	}
	return context.Cause(ctx)
}

// runGroup runs a group's cases, as many at once as there are slots. Those of a group that stops
// and starts its worker all run at once, since they wait for each other.
func (s *stand) runGroup(ctx context.Context, g *group, ours *projects, theirs *node, slots chan struct{}, r *report) {
	together := g.toggles()
	outcomes := s.playAll(ctx, g, g.Cases, ours, slots, together)
	var others []played
	if theirs != nil {
		others = s.playAll(ctx, g, g.diffable().Cases, theirs, slots, together)
	}
	for i, c := range g.Cases {
		v := verdict{testCase: c, err: outcomes[i].err, took: outcomes[i].took}
		for _, o := range others {
			if o.testCase == c {
				v.compared = true
				v.theirErr = o.err
				v.differences = differences(c, outcomes[i].seen, o.seen)
			}
		}
		r.add(v)
	}
}

// played is a case that was run on a host.
type played struct {
	*testCase
	seen observed
	err  error
	took time.Duration
}

func (s *stand) playAll(ctx context.Context, g *group, cases []*testCase, h host, slots chan struct{}, together bool) []played {
	out := make([]played, len(cases))
	var gate *gate
	if together {
		gate = newGate(len(cases), func(ctx context.Context, action string) error { return h.toggle(ctx, g, action) })
	}
	var all sync.WaitGroup
	for i, c := range cases {
		if !together {
			slots <- struct{}{}
		}
		all.Go(func() {
			p := &play{testCase: c, stand: s, host: h, gate: gate}
			began := time.Now()
			err := p.run(ctx)
			out[i] = played{c, p.seen, err, time.Since(began)}
			if !together {
				<-slots
			}
		})
	}
	all.Wait()
	return out
}

// toggles says that the group's cases stop or start its worker.
func (g *group) toggles() bool {
	for _, c := range g.Cases {
		for _, s := range c.Steps {
			if s.Worker != "" {
				return true
			}
		}
	}
	return false
}
