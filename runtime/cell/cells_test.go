package cell

import (
	"fmt"
	"testing"

	"workflow-worker/runtime"
)

func TestEachProjectThatStartsCountsOnce(t *testing.T) {
	t.Parallel()
	c, err := New(Config{Count: 2, Store: struct{ runtime.CodeStore }{}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.end(nil)
	of := map[int]int{}
	var over []func()
	for n := range 7 {
		p := runtime.Project{ID: fmt.Sprint(n)}
		one, done := c.choose(p.ID)
		of[one.number]++
		switch n % 3 { // how far its start has come when the next begins
		case 0:
			over = append(over, done)
		case 1:
			c.runs(p, &process{cell: one.number})
			over = append(over, done)
		default:
			c.runs(p, &process{cell: one.number})
			done()
		}
		if less := of[1] - of[2]; less < -1 || less > 1 {
			t.Fatalf("after %d projects the cells have %v", n+1, of)
		}
	}
	for _, done := range over {
		done()
	}
	if len(c.coming) != 0 {
		t.Errorf("%v still come", c.coming)
	}
}

func TestACellThatGivesNoAnswerIsGivenNoProjects(t *testing.T) {
	t.Parallel()
	c, err := New(Config{Count: 2, Store: struct{ runtime.CodeStore }{}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.end(nil)
	stands := &process{cell: 1}
	c.cells[0].become(stands)
	stands.late.Store(true)
	for n := range 4 {
		one, done := c.choose(fmt.Sprint(n))
		defer done()
		if one.number != 2 {
			t.Errorf("project %d is given to the cell that stands still", n)
		}
	}
	stands.late.Store(false)
	one, done := c.choose("later")
	defer done()
	if one.number != 1 {
		t.Error("a cell that answers again is given nothing")
	}
}
