package main

import (
	"context"
	"fmt"
	"sync"
)

// gate is where a group's cases meet before their worker is stopped or started: what they have
// called until then comes to the worker at once.
type gate struct {
	toggle func(ctx context.Context, action string) error

	mu      sync.Mutex // guards all below
	cases   int        // that still run
	waiting int
	action  string
	ctx     context.Context
	opened  chan struct{} // closed when all have come
	err     error
}

func newGate(cases int, toggle func(context.Context, string) error) *gate {
	return &gate{toggle: toggle, cases: cases, opened: make(chan struct{})}
}

// pass waits for all cases of the group, then for the action.
func (g *gate) pass(ctx context.Context, action string) error {
	g.mu.Lock()
	if g.waiting > 0 && g.action != action {
		g.mu.Unlock()
		return fmt.Errorf("this case wants to %s the worker, others to %s it", action, g.action)
	}
	g.action, g.ctx = action, ctx
	g.waiting++
	opened := g.opened
	g.openIfAll()
	g.mu.Unlock()
	select {
	case <-opened:
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// leave takes a case out that has ended.
func (g *gate) leave() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cases--
	g.openIfAll()
}

// openIfAll acts when every case that still runs waits. The caller holds mu.
func (g *gate) openIfAll() {
	if g.waiting == 0 || g.waiting < g.cases {
		return
	}
	g.err = g.toggle(context.WithoutCancel(g.ctx), g.action)
	g.waiting = 0
	close(g.opened)
	g.opened = make(chan struct{})
}
