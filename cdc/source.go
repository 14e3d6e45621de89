package cdc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Source tells a [Handler] which projects to look at. Make one with [New].
type Source struct {
	config      Config
	replication *pgconn.Config
	status      *status
	gate        *gate
	started     atomic.Bool
}

// New checks the configuration; it doesn't connect. An error names every mistake, and
// no part of a URL.
func New(c Config) (*Source, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("cdc: %w", err)
	}
	replication, err := c.replicationConfig()
	if err != nil {
		return nil, fmt.Errorf("cdc: %w", err)
	}
	status := newStatus(c)
	gate, err := newGate(c, status)
	if err != nil {
		return nil, fmt.Errorf("cdc: %w", err)
	}
	return &Source{config: c, replication: replication, status: status, gate: gate}, nil
}

// Run gives hints until ctx ends, and then returns nil: no failure of the database
// ends it. When it returns, the server has no slot of ours any more and no goroutine
// is left, unless the server doesn't answer; then within seconds. It runs once.
func (s *Source) Run(ctx context.Context) error {
	if s.started.Swap(true) {
		return errors.New("cdc: Run called twice")
	}
	var others sync.WaitGroup
	others.Go(func() { s.gate.run(ctx) })
	others.Go(func() { s.gate.shared.run(ctx) })
	others.Go(func() { s.poll(ctx) })
	defer others.Wait()

	s.status.connecting()
	retry := backoff{min: s.config.RetryMin, max: s.config.RetryMax}
	for {
		began := time.Now()
		err := s.session(ctx)
		if ctx.Err() != nil {
			return nil
		}
		s.status.polling(reasonOf(err))
		if time.Since(began) > s.config.RetryMax {
			retry.reset() // it went well for a while
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retry.next()):
		}
	}
}

// backoff gives delays that double. A part is left to chance, so that replicas that
// lost the same server don't come back to it as one.
type backoff struct {
	min, max, delay time.Duration
}

func (b *backoff) next() time.Duration {
	b.delay = min(max(2*b.delay, b.min), b.max)
	return b.delay/2 + rand.N(b.delay/2+1)
}

func (b *backoff) reset() { b.delay = 0 }
