package reconcile

import (
	"context"
	"time"

	"workflow-worker/runtime/tracing"
)

// Change is a commit that a hint is about.
type Change struct {
	// Committed is by this process's clock. Zero: unknown.
	Committed time.Time
	// LSN is where the commit is in PostgreSQL's log. 0: unknown.
	LSN uint64
}

// hints are what the stream told of a project since it was last looked at.
type hints struct {
	first Change
	at    time.Time // when the first came
	n     int
}

func (h hints) and(c Change) hints {
	if c.LSN == 0 {
		return h
	}
	if h.n == 0 {
		h.first, h.at = c, time.Now()
	}
	h.n++
	return h
}

// passTrace is the trace of a change, from its commit until it is live, however many passes that
// takes. It belongs to the pass, as its record does.
type passTrace struct {
	root tracing.Span
	// told says that there is something to tell: a change, or what a pass did. Spans that aren't
	// ended are nowhere.
	told bool
}

// beginPass begins the span of a pass, and the trace if it is the first for its change.
func (r *Reconciler) beginPass(ctx context.Context, rec *record, it item, began time.Time) (context.Context, tracing.Span) {
	if r.cfg.Tracer == nil {
		return ctx, tracing.Span{}
	}
	t := &rec.trace
	if !t.root.On() {
		_, t.root = r.cfg.Tracer.Root(ctx, "change", it.since)
		t.root.Text(tracing.Project, rec.id).Text(tracing.Replica, r.cfg.Replica).Position(tracing.LSN, it.hints.first.LSN)
	}
	ctx = t.root.In(ctx)
	if h := it.hints; h.n > 0 {
		t.told = true
		_, hint := tracing.ChildSince(ctx, "hint", h.first.Committed)
		hint.Text(tracing.Project, rec.id).Position(tracing.LSN, h.first.LSN).Number(tracing.Hints, h.n).EndAt(h.at)
	}
	ctx, span := tracing.ChildSince(ctx, "pass", began)
	return ctx, span.Text(tracing.Project, rec.id)
}

// endPass ends the span of a pass, and the trace once nothing is left to do, or to be tried again.
func (rec *record) endPass(span tracing.Span, err error) {
	t := &rec.trace
	if !t.root.On() {
		return
	}
	if t.told = t.told || err != nil; t.told {
		span.FailIf(err, "failed")
		span.End()
	}
	failed := rec.failure != nil && rec.failure.permanent
	if !rec.asked.IsZero() && !failed {
		return
	}
	if t.told {
		if failed {
			t.root.Fail("failed")
		}
		t.root.End()
	}
	*t = passTrace{}
}
