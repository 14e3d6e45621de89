package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"workflow-worker/cmd/dev/term"
	"workflow-worker/docker/stack"
)

func (s *servers) printAddresses() {
	address := func(name, where, note string) {
		if where != "" {
			fmt.Println(strings.TrimRight(fmt.Sprintf("  %-12s %s  %s", name, where, term.Faint(note)), " "))
		}
	}
	fmt.Println()
	address("service", term.Bold(s.serviceURL), "/health  /metrics")
	if s.temporal != nil {
		address("Temporal UI", term.Bold(s.temporal.UIAddress()), "")
	}
	address("Temporal", s.temporalAddress, "namespace "+s.namespace)
	address("PostgreSQL", withoutPassword(s.databaseURL), "")
	fmt.Printf(`
  Try next, in another terminal:
    %s
    %s
    %s

  %s

`,
		term.Bold("make demo"),
		term.Bold("curl -s "+s.serviceURL+"/health"),
		term.Bold(`. .local/dev.env; psql "$DATABASE_URL" -c 'SELECT task_queue_name, status, last_heartbeat FROM workflow_workers'`),
		term.Faint("The service's log follows. Ctrl-C stops everything; data and the servers' logs stay in .local/"))
}

// step tells one line of progress.
func step(who, what string) {
	fmt.Printf("  %-12s %s\n", who, what)
}

func stepTook(who, what string, since time.Time) {
	step(who, what+" "+term.Faint(fmt.Sprintf("%.1fs", time.Since(since).Seconds())))
}

// progress shows what takes long, such as installing a package, line by line.
func progress(who string) io.Writer {
	return stack.Lines(func(line string) { step(who, term.Faint(line)) })
}

// heldLog keeps the service's log back until the addresses have been shown, so
// that they are not lost in it.
type heldLog struct {
	mu   sync.Mutex // guards held and open
	held []byte
	open bool
	next io.Writer
}

func (h *heldLog) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open {
		return h.next.Write(b)
	}
	h.held = append(h.held, b...)
	return len(b), nil
}

func (h *heldLog) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open = true
	_, _ = h.next.Write(h.held) // a closed terminal has nobody to tell
	h.held = nil
}
