package cell

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"workflow-worker/runtime"
)

func TestSoManyProjectsAndNoMoreHaveACellOfTheirOwn(t *testing.T) {
	t.Parallel()
	var moved []string
	c, err := New(Config{Store: struct{ runtime.CodeStore }{}, Moved: func(ids []string) { moved = append(moved, ids...) }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.end(nil)
	suspected := func(id string, deaths, alone int) runtime.Project {
		c.suspects[id] = &runtime.Suspicion{ProjectID: id, Deaths: deaths, Alone: alone, Last: time.Now()}
		return runtime.Project{ID: id}
	}
	starts := func(p runtime.Project) bool {
		t.Helper()
		alone, err := c.judge(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if alone {
			c.runs(p, c.lonely[p.ID])
		}
		return alone
	}
	for n := range 3 * mostAlone {
		if got, want := starts(suspected(fmt.Sprint("one of many ", n), apart, 0)), n < mostAlone; got != want {
			t.Errorf("project %d of its own: %v", n, got)
		}
	}
	if len(moved) > 0 {
		t.Errorf("%q make room for others like them", moved)
	}
	if !starts(suspected("more", apart+1, 0)) || len(moved) != 1 {
		t.Errorf("for who was there once more %q make room", moved)
	}
	if !starts(suspected("alone", apart, 1)) || len(moved) != 1 {
		t.Errorf("for who ended a cell of its own %q make room", moved)
	}
	numbers := map[int]bool{}
	for _, p := range c.lonely {
		if numbers[p.cell] {
			t.Errorf("two are cell %d", p.cell)
		}
		numbers[p.cell] = true
	}
	// Who made room starts again, in a cell of all.
	c.forget(moved[0], c.lonely[moved[0]])
	delete(c.lonely, moved[0])
	if starts(runtime.Project{ID: moved[0]}) || slices.Contains(c.Running(), moved[0]) {
		t.Error("who made room has a cell of its own again")
	}
}
