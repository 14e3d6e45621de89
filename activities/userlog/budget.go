package userlog

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// burst is how many bytes of lines an author may have written at once.
	burst = 16 << 20
	// rate is how many bytes a second lasting lines may take.
	rate = 256 << 10
)

// Budget bounds what the code of one project writes to the log, whatever the number of its
// executions: a disk and a collector of logs are everybody's. What is beyond it is left out, and
// counted in a line. The service's own lines aren't counted. Safe for concurrent use.
type Budget struct {
	now func() time.Time

	mu      sync.Mutex // guards what follows
	left    float64    // bytes
	at      time.Time  // when that was so
	dropped int        // lines since one was written
}

// NewBudget gives one that is full.
func NewBudget() *Budget { return &Budget{now: time.Now, left: burst} }

// take tells whether a line of so many bytes may be written, how many were left out before it, and
// whether it is the first that is.
func (b *Budget) take(bytes int) (ok bool, dropped int, first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if !b.at.IsZero() {
		b.left = min(burst, b.left+rate*now.Sub(b.at).Seconds())
	}
	b.at = now
	if b.left < float64(bytes) || b.dropped > 0 && b.left < burst/2 {
		b.dropped++
		return false, 0, b.dropped == 1
	}
	b.left -= float64(bytes)
	dropped, b.dropped = b.dropped, 0
	return true, dropped, false
}

// Within has the lines of authors that a handler gets stay within a budget. droppedKey is the key of
// how many were left out.
func Within(b *Budget, next slog.Handler, droppedKey string) slog.Handler {
	return bounded{budget: b, next: next, droppedKey: droppedKey}
}

type bounded struct {
	budget     *Budget
	next       slog.Handler
	droppedKey string
	bytes      int // of the attributes that all lines have
}

func (h bounded) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h bounded) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		h.bytes += size(a)
	}
	h.next = h.next.WithAttrs(attrs)
	return h
}

func (h bounded) WithGroup(name string) slog.Handler {
	h.next = h.next.WithGroup(name)
	return h
}

func (h bounded) Handle(ctx context.Context, r slog.Record) error {
	bytes, authors := h.bytes+len(r.Message), false
	r.Attrs(func(a slog.Attr) bool {
		authors = authors || a.Key == OriginKey
		bytes += size(a)
		return true
	})
	if !authors {
		return h.next.Handle(ctx, r)
	}
	ok, dropped, first := h.budget.take(bytes)
	switch {
	case first:
		return h.say(ctx, r, "the project's code logs more than it may: lines are left out for now")
	case !ok:
		return nil
	case dropped > 0:
		if err := h.say(ctx, r, "lines of the project's code were left out, as there were too many", slog.Int(h.droppedKey, dropped)); err != nil {
			return err
		}
	}
	return h.next.Handle(ctx, r)
}

func (h bounded) say(ctx context.Context, of slog.Record, message string, attrs ...slog.Attr) error {
	r := slog.NewRecord(of.Time, slog.LevelWarn, message, of.PC)
	r.AddAttrs(attrs...)
	if !h.next.Enabled(ctx, r.Level) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

// size is what an attribute takes of a line, about.
func size(a slog.Attr) int {
	const around = 3
	switch v := a.Value.Any().(type) {
	case string:
		return around + len(a.Key) + len(v)
	case jsonText:
		return around + len(a.Key) + len(v)
	}
	const other = 20
	return around + len(a.Key) + other
}
