package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// report collects verdicts and tells them.
type report struct {
	out     io.Writer
	verbose bool
	began   time.Time

	mu             sync.Mutex // guards all below
	passed, failed int
	compared       int
	differing      []string
	known          []string
	same           []string // cases marked as deviating that don't
	failedThere    []string // cases whose expectation the official worker doesn't meet
}

// verdict is what is said of one case.
type verdict struct {
	*testCase
	err  error
	took time.Duration

	compared    bool
	theirErr    error
	differences []string
}

func (r *report) add(v verdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := v.group.file + "/" + v.Name
	if v.err != nil {
		r.failed++
		fmt.Fprintf(r.out, "FAIL  %s\n    %s\n", name, indent(v.err.Error()))
	} else {
		r.passed++
		if r.verbose {
			fmt.Fprintf(r.out, "ok    %s %dms\n", name, v.took.Milliseconds())
		}
	}
	if v.compared {
		r.compare(name, v)
	}
}

// compare notes what the differential mode found.
func (r *report) compare(name string, v verdict) {
	r.compared++
	differs := len(v.differences) > 0
	told := name + "\n    " + indent(strings.Join(v.differences, "\n"))
	switch {
	case differs && v.Deviates != "":
		r.known = append(r.known, told+"\n    because "+v.Deviates)
	case differs:
		r.differing = append(r.differing, told)
	case v.Deviates != "" && v.theirErr == nil:
		r.same = append(r.same, name)
	}
	if v.theirErr != nil && v.Deviates == "" {
		r.failedThere = append(r.failedThere, name+"\n    "+indent(v.theirErr.Error()))
	}
}

func indent(s string) string { return strings.ReplaceAll(s, "\n", "\n    ") }

// close prints the summary and gives the number of failed cases.
func (r *report) close() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := func(title string, items []string) {
		if len(items) > 0 {
			fmt.Fprintf(r.out, "\n%s: %d\n", title, len(items))
			for _, item := range items {
				fmt.Fprintf(r.out, "  %s\n", item)
			}
		}
	}
	if r.compared > 0 {
		list("Known differences from the official worker", r.known)
		list("Marked as deviating, but the same", r.same)
		list("The official worker doesn't meet the expectation", r.failedThere)
		list("Differences from the official worker", r.differing)
		fmt.Fprintf(r.out, "\n%d cases compared: %d differ, %d differ for a known reason\n", r.compared, len(r.differing), len(r.known))
	}
	if !r.began.IsZero() {
		fmt.Fprintf(r.out, "in %.1f s\n", time.Since(r.began).Seconds())
	}
	fmt.Fprintf(r.out, "%d passed, %d failed\n", r.passed, r.failed)
	return r.failed
}
