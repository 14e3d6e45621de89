package cdc

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// gate holds every transaction back until readers see it. The stream has a commit
// before that: the server puts it into the log first and takes it off the list of
// running transactions after, with a wait for a synchronous standby between the two
// if there is one. Without the gate some of the hints lead to a read of the old row.
type gate struct {
	reader   reader
	shared   *referrers
	limit    int // of waiting transactions and keys; twice, as there are two sets
	interval time.Duration
	handler  Handler
	messages Messages
	observer Observer
	log      *slog.Logger
	status   *status
	refused  bool // the last lookup of projects; of run's goroutine

	publications []string
	checkEvery   time.Duration
	checked      time.Time   // when the publications were last; of run's goroutine
	suspect      atomic.Bool // the stream said something about them
	gap          chan error  // what they lack while they are streamed

	mu      sync.Mutex // guards arrived
	arrived waiting
	bell    chan struct{} // something arrived
}

const (
	// A transaction that isn't visible yet is usually so after a fraction of a
	// millisecond; with a standby that is away, when that comes back.
	gateDelayMin = 500 * time.Microsecond
	gateDelayMax = 250 * time.Millisecond

	// readerDelayMin and readerDelayMax are between attempts to read at all.
	readerDelayMin = 50 * time.Millisecond
	readerDelayMax = 2 * time.Second
)

func newGate(c Config, s *status) (*gate, error) {
	config, err := c.readConfig()
	if err != nil {
		return nil, err
	}
	g := &gate{
		reader:   reader{config: config, renew: c.Renew, timeout: c.LookTimeout},
		limit:    c.MaxWaiting,
		interval: c.ResyncInterval,
		handler:  c.Handler,
		messages: c.Messages,
		observer: c.Observer,
		log:      c.Logger,
		status:   s,

		publications: c.Publications,
		checkEvery:   c.PollInterval,
		gap:          make(chan error, 1),

		bell: make(chan struct{}, 1),
	}
	g.shared = &referrers{
		reader: reader{config: config, renew: c.Renew, timeout: c.LookTimeout},
		hint:   g.hint,
		all:    g.hintAll,
		log:    c.Logger,
		bell:   make(chan struct{}, 1),
	}
	return g, nil
}

// add gives the gate a transaction. It never blocks.
func (g *gate) add(t transaction) {
	g.mu.Lock()
	g.arrived.add(t, g.limit)
	g.mu.Unlock()
	ring(g.bell)
}

// addAll has all looked at, and again as the transactions up to last become visible.
func (g *gate) addAll(reason string, last uint32) {
	g.mu.Lock()
	g.arrived.join(crowd{reason: reason, last: last})
	g.mu.Unlock()
	ring(g.bell)
}

// ring rings a bell that holds one ring.
func ring(bell chan<- struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// run lets transactions through until ctx ends.
func (g *gate) run(ctx context.Context) {
	defer g.reader.close()
	var unseen waiting
	look := time.NewTimer(0) // when to look again
	defer look.Stop()
	delay, failures := gateDelayMin, 0
	for {
		bell := g.bell
		if failures > 1 {
			bell = nil // commits go on while we can't connect: don't try for each of them
		}
		select {
		case <-ctx.Done():
			return
		case <-bell:
			delay = gateDelayMin
		case <-look.C:
		}
		g.mu.Lock()
		unseen.take(&g.arrived, g.limit)
		g.mu.Unlock()

		err := g.pass(ctx, &unseen)
		if err == nil {
			err = g.checkPublications(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			failures++
			look.Reset(g.unreadable(err, failures))
		case unseen.empty():
			failures = 0
			g.status.readable()
			look.Reset(min(g.interval, g.checkEvery)) // to know in time that there is nothing to read from, or to follow
		default:
			failures = 0
			g.status.readable()
			look.Reset(delay)
			delay = min(2*delay, gateDelayMax)
		}
	}
}

// checkPublications looks, every few seconds, whether the publications still carry
// what we follow, and ends the stream if they don't. The error is the connection's.
func (g *gate) checkPublications(ctx context.Context) error {
	suspect := g.suspect.Swap(false)
	if !g.status.isStreaming() || !suspect && time.Since(g.checked) < g.checkEvery {
		return nil
	}
	err := g.reader.publications(ctx, g.publications)
	if _, gap := errors.AsType[*reasonError](err); !gap {
		if err == nil {
			g.checked = time.Now()
		}
		return err
	}
	select {
	case g.gap <- err:
	default:
	}
	return nil
}

// warned has the publications looked at soon.
func (g *gate) warned() {
	g.suspect.Store(true)
	ring(g.bell)
}

// pass reads once and lets out what can be seen.
func (g *gate) pass(ctx context.Context, unseen *waiting) error {
	workflows, components := unseen.keys()
	found, err := g.reader.look(ctx, workflows.list(), components.list())
	if err != nil {
		return err
	}
	seen, all := unseen.settle(found.snapshot, time.Now())
	var touched changes
	var oldest Commit
	for _, t := range seen {
		touched.merge(t.changes)
		if oldest.At.IsZero() || t.commit.At.Before(oldest.At) {
			oldest = t.commit
		}
	}
	if all != "" {
		touched.lookAtAll(all)
	}
	if touched.follows() {
		g.followed(found.refused)
		if found.refused != nil {
			touched.lookAtAll("projects of changed rows unreadable")
		}
	}
	g.deliver(touched, found, oldest)
	for _, t := range seen {
		g.observer.StreamLag(max(0, time.Since(t.commit.At)))
	}
	return nil
}

// deliver gives the hints: first what is named, for somebody waits for that.
func (g *gate) deliver(touched changes, found look, c Commit) {
	projects := touched.projects
	// A workflow that isn't there any more has no project to look at: its own
	// deletion, in this transaction or a later one, names it.
	for id := range touched.workflows {
		for _, project := range found.workflows[id] {
			projects.add(project)
		}
	}
	for id := range touched.components {
		for _, project := range found.components[id] {
			projects.add(project)
		}
	}
	g.hint(projects.list(), c)
	for content := range touched.messages {
		g.messages.Told(content, c.At)
	}
	if touched.all != "" {
		g.hintAll(touched.all)
	} else if len(touched.shared) > 0 {
		g.shared.find(touched.shared)
	}
}

// followed logs that projects can't be looked up, once for as long as that lasts: it
// is a missing right, or a table that isn't what it should be.
func (g *gate) followed(refused error) {
	if refused != nil && !g.refused {
		g.log.Warn("cannot read the projects of changed rows, looking at all for each", "error", refused)
	}
	g.refused = refused != nil
}

func (g *gate) hintAll(reason string) {
	g.handler.LookAtAll(reason)
	g.observer.HintDelivered(1)
}

func (g *gate) hint(projects []string, c Commit) {
	for _, id := range projects {
		g.handler.LookAt(id, c)
	}
	if len(projects) > 0 {
		g.observer.HintDelivered(len(projects))
	}
}

// unreadable says how long to wait after a failed read. The first failure may be an
// old connection's; a new one may do at once.
func (g *gate) unreadable(err error, failures int) time.Duration {
	if failures == 1 {
		return 0
	}
	g.status.unreadable(err)
	return min(readerDelayMin<<min(failures-2, 16), readerDelayMax)
}
