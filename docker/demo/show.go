package main

import (
	"fmt"
	"time"

	"workflow-worker/docker/term"
)

func chapter(title string) { fmt.Printf("\n  %s\n", term.Bold(title)) }

// line is one result: who, what, and in the background how or how long.
func line(who, what, note string) {
	switch {
	case what == "":
		fmt.Printf("    %-13s %s\n", who, note)
	case note == "":
		fmt.Printf("    %-13s %s\n", who, what)
	default:
		fmt.Printf("    %-13s %-52s %s\n", who, what, term.Faint(note))
	}
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
