package trouble

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"workflow-worker/runtime/logkey"
)

// Log logs failures that come in crowds: a database that is away fails every
// project. Of each kind there is at most one line in an interval, with
// the count of failures, and one about its end.
type Log struct {
	log      *slog.Logger
	interval time.Duration
	// tell hears of every failure of a kind, and, with nil, of its end.
	tell func(kind string, err error)

	mu    sync.Mutex // guards kinds
	kinds map[string]*trouble
}

type trouble struct {
	failures int // since it last went well
	last     time.Time
	// when the last line was written about a failure, and about its end
	logged, loggedEnd time.Time
}

// NewLog returns one that writes to log.
func NewLog(log *slog.Logger, interval time.Duration) *Log {
	return &Log{log: log, interval: interval, tell: func(string, error) {}, kinds: map[string]*trouble{}}
}

// Fail logs a failure of a kind, or counts it.
func (q *Log) Fail(ctx context.Context, kind, msg string, err error, attrs ...any) {
	now := time.Now()
	q.mu.Lock()
	q.forgetOld(now)
	t, ok := q.kinds[kind]
	if !ok {
		t = &trouble{}
		q.kinds[kind] = t
	}
	t.failures++
	t.last = now
	n, due := t.failures, now.Sub(t.logged) >= q.interval
	if due {
		t.logged = now
	}
	q.mu.Unlock()
	q.tell(kind, err)
	if due {
		q.log.WarnContext(ctx, msg, append([]any{logkey.ID, IDOf(kind)}, append(attrs, logkey.Error, err, logkey.Failures, n)...)...)
	}
}

// Recover says that a kind is well again, if it wasn't.
func (q *Log) Recover(ctx context.Context, kind, msg string) {
	now := time.Now()
	q.mu.Lock()
	n, due := 0, false
	if t := q.kinds[kind]; t != nil && t.failures > 0 {
		n, t.failures = t.failures, 0
		if due = now.Sub(t.loggedEnd) >= q.interval; due {
			t.loggedEnd = now
		}
	}
	q.mu.Unlock()
	if n > 0 {
		q.tell(kind, nil)
	}
	if due {
		q.log.InfoContext(ctx, msg, logkey.Failures, n)
	}
}

// forgetOld keeps the kinds, which may be error texts, from piling up.
func (q *Log) forgetOld(now time.Time) {
	if len(q.kinds) < 100 {
		return
	}
	for k, t := range q.kinds {
		if now.Sub(t.last) > 10*q.interval {
			delete(q.kinds, k)
		}
	}
}

// Sleep waits for d; false means that ctx ended.
func Sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
