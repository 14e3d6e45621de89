package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"workflow-worker/cmd/dev/term"
)

// story is what a person reads, line by line as it happens.
type story struct{ out io.Writer }

func (s story) chapter(title, note string) {
	fmt.Fprintf(s.out, "\n  %s%s\n", term.Bold(title), term.Faint(note))
}

// line is one result: who, what, and in the background how or how long.
func (s story) line(who, what, note string) {
	text := fmt.Sprintf("    %-13s %-53s %s", who, what, term.Faint(note))
	fmt.Fprintln(s.out, strings.TrimRight(text, " "))
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%d ms", max(d.Round(time.Millisecond).Milliseconds(), 1))
}

func short(hash string) string {
	if len(hash) > 12 {
		return hash[:12]
	}
	return hash
}
