package runtime

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// A project of many rows starts, and a bulk edit goes live, no later than need be; and none of them
// can end the process.
func TestNewTextsAreBuiltSideBySideAndOnce(t *testing.T) {
	t.Parallel()
	first, second := make(chan struct{}), make(chan struct{})
	meets := func(mine, other chan struct{}) func(context.Context, StoredModule) (*module, error) {
		return func(ctx context.Context, m StoredModule) (*module, error) {
			if m.Hash != "" {
				return &module{stored: m}, nil
			}
			close(mine) // a second time it panics
			select {
			case <-other:
				return &module{stored: m}, nil
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
	}
	rows := []row{
		{StoredModule: StoredModule{Kind: KindWorkflow, Name: "a"}, id: "a", build: meets(first, second)},
		{StoredModule: StoredModule{Kind: KindWorkflow, Name: "b"}, id: "b", build: meets(second, first)},
		{StoredModule: StoredModule{Kind: KindWorkflow, Name: "c"}, id: "c", build: func(context.Context, StoredModule) (*module, error) { panic("no") }},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	b := builder{r: &Runner{cfg: Config{}.withDefaults()}}
	b.buildAhead(ctx, rows)
	for _, w := range rows[:2] {
		if m, err := w.build(ctx, w.StoredModule); err != nil || m.stored.Name != w.Name {
			t.Errorf("%s: %v, %v", w.Name, m, err)
		}
	}
	if m, err := rows[0].build(ctx, StoredModule{Hash: "last good", Name: "older"}); err != nil || m.stored.Name != "older" {
		t.Errorf("the last good version: %v, %v", m, err)
	}
	if _, err := rows[2].build(ctx, rows[2].StoredModule); !errors.Is(err, errInfrastructure) || !strings.Contains(err.Error(), "panic: no") {
		t.Errorf("a panic is %v", err)
	}
}
