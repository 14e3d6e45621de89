package runtime

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"workflow-worker/runtime/build"
)

// A project of many rows starts, and a bulk edit goes live, no later than need be; and none of them
// can end the process.
func TestNewTextsAreBuiltSideBySideAndOnce(t *testing.T) {
	t.Parallel()
	first, second := make(chan struct{}), make(chan struct{})
	meets := func(mine, other chan struct{}) func(context.Context, build.Text) (*build.Module, error) {
		return func(ctx context.Context, text build.Text) (*build.Module, error) {
			if text.Hash != "" {
				return &build.Module{Text: text}, nil
			}
			close(mine) // a second time it panics
			select {
			case <-other:
				return &build.Module{Text: text}, nil
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
	}
	rows := []row{
		{Text: build.Text{Kind: KindWorkflow, Name: "a"}, id: "a", build: meets(first, second)},
		{Text: build.Text{Kind: KindWorkflow, Name: "b"}, id: "b", build: meets(second, first)},
		{Text: build.Text{Kind: KindWorkflow, Name: "c"}, id: "c", build: func(context.Context, build.Text) (*build.Module, error) { panic("no") }},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	b := reload{r: &Runner{cfg: Config{}.withDefaults()}}
	b.buildAhead(ctx, rows)
	for _, w := range rows[:2] {
		if m, err := w.build(ctx, w.Text); err != nil || m.Text.Name != w.Name {
			t.Errorf("%s: %v, %v", w.Name, m, err)
		}
	}
	if m, err := rows[0].build(ctx, build.Text{Hash: "last good", Name: "older"}); err != nil || m.Text.Name != "older" {
		t.Errorf("the last good version: %v, %v", m, err)
	}
	if _, err := rows[2].build(ctx, rows[2].Text); !errors.Is(err, build.ErrInfrastructure) || !strings.Contains(err.Error(), "panic: no") {
		t.Errorf("a panic is %v", err)
	}
}
