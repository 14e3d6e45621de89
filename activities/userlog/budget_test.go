package userlog

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// What one project's code logs stays within its budget, and what was left out is told; lines of the
// service's own, and those of other projects, are written all the while.
func TestAFloodOfLinesIsBounded(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	now := time.Unix(0, 0)
	logger := func() *slog.Logger {
		budget := NewBudget()
		budget.now = func() time.Time { return now }
		return slog.New(Within(budget, slog.NewTextHandler(&b, nil), "dropped")).With("project_id", "p")
	}
	flood, other := logger(), logger()
	line := strings.Repeat("x", 4<<10)
	write := func(n int) int {
		before := b.Len()
		for range n {
			flood.Info(line, Origin(FromWorkflow), Data(line))
		}
		return b.Len() - before
	}
	if got := write(5000); got < burst*3/4 || got > burst+burst/8 {
		t.Errorf("%d bytes of a flood were written; %d are the limit", got, burst)
	}
	if n := strings.Count(b.String(), "lines are left out for now"); n != 1 {
		t.Errorf("that lines are left out was told %d times", n)
	}
	before := b.Len()
	flood.Warn("ours")
	other.Info(line, Origin(FromActivity))
	if got := b.String()[before:]; !strings.Contains(got, "ours") || !strings.Contains(got, line) {
		t.Errorf("others' lines were left out: %.200s", got)
	}

	now = now.Add(10 * time.Second)
	if got := write(1); got != 0 {
		t.Errorf("%d bytes were written again too soon", got)
	}
	now = now.Add(time.Minute)
	before = b.Len()
	if got := write(1); got == 0 || !strings.Contains(b.String()[before:], "dropped=") {
		t.Errorf("after a while: %.200s", b.String()[before:])
	}
	now = now.Add(time.Second)
	if got := write(1); got == 0 {
		t.Error("a line within the budget was left out")
	}
}
