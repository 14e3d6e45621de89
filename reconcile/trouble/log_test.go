package trouble

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTroubleInCrowdsIsLoggedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var lines strings.Builder
		count := func(part string) int { return strings.Count(lines.String(), part) }
		q := NewLog(slog.New(slog.NewTextHandler(&lines, nil)), 10*time.Second)
		ctx, away := context.Background(), errors.New("away")
		for range 1000 {
			q.Fail(ctx, "database", "no answer", away)
		}
		if n := count("no answer"); n != 1 {
			t.Errorf("%d lines for 1000 failures at once", n)
		}
		time.Sleep(10 * time.Second)
		q.Fail(ctx, "database", "no answer", away)
		if n := count("failures=1001"); n != 1 {
			t.Errorf("%d lines with the count after the interval", n)
		}
		for range 10 { // it comes and goes
			q.Recover(ctx, "database", "well again")
			q.Fail(ctx, "database", "no answer", away)
		}
		if w, f := count("well again"), count("no answer"); w != 1 || f != 2 {
			t.Errorf("%d lines of recovery, %d of failure; want 1 and 2", w, f)
		}
		q.Recover(ctx, "other", "never ill")
		if count("never ill") != 0 {
			t.Error("what didn't fail recovers")
		}
		for i := range 1000 {
			q.Fail(ctx, string(rune(i)), "kind", away)
			time.Sleep(time.Second)
		}
		if n := len(q.kinds); n > 200 {
			t.Errorf("remembers %d kinds", n)
		}
	})
}
