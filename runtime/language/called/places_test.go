package called

import (
	"strings"
	"testing"
)

func TestPlacesAreThoseOfTheText(t *testing.T) {
	t.Parallel()
	text := "f(1)(2); new x.Y(); o['a b'](); t.u`x`; [...s]; for (const a of q.r);\nvar {k} = w"
	read := Read(text)
	at := func(part string) int { return strings.Index(text, part) }
	if got := read.Calls[at("(2)")]; got != "f(...)" {
		t.Errorf("a call's result: %q", got)
	}
	if got := read.News[at("new ")]; got != "x.Y" {
		t.Errorf("new: %q", got)
	}
	if got := read.Calls[at("](")+1]; got != "o.a b" {
		t.Errorf("a computed name: %q", got)
	}
	if got := read.Tags[at("t.u")]; got != "t.u" {
		t.Errorf("a tag: %q", got)
	}
	if got := read.Iterated[at("s]")]; got.Text != "s" || got.Spread {
		t.Errorf("a spread: %+v", got)
	}
	if got := read.Iterated[at("r)")]; got.Text != "q.r" {
		t.Errorf("a loop: %+v", got)
	}
	if got := read.Objects[strings.LastIndex(text, "w")]; len(got) != 1 || got[0].Text != "w" || got[0].First != "k" {
		t.Errorf("a pattern: %+v", got)
	}
	// goja notes each variable that a pattern sets, and what is inside comes behind.
	text = "const {a, b: {c}, ...d} = await w;"
	read = Read("async () => {" + text + "}")
	at = func(part string) int { return len("async () => {") + strings.Index(text, part) }
	if got := read.Rests[at("w;")]; len(got) != 1 || got[0].Text != between {
		t.Errorf("what gathers the rest: %+v", got)
	}
	if got := read.Objects[at("a,")]; len(got) != 1 || got[0].In != InObject || got[0].Key != "b" || got[0].First != "c" {
		t.Errorf("a pattern inside: %+v", got)
	}
	if Read("f(") != nil || Read(strings.Repeat(" ", MaxText+1)) != nil {
		t.Error("what can't be read, or is too long, has places")
	}
}
