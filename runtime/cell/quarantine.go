package cell

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"workflow-worker/runtime"
	"workflow-worker/runtime/logkey"
)

// Code that ends its process comes back with it: Temporal hands the task out again. So a project
// whose JavaScript was under way in two deaths runs in a cell of its own, where it ends nobody else's
// work, and with little memory. If that dies, too, the project waits, each time longer, until its
// code changes.

const (
	// apart is how many deaths set a project apart, within remembered: one may be anybody's.
	apart      = 2
	remembered = 10 * time.Minute
	// forgiven is after how long without a death a project is like any other again, when it starts.
	forgiven = time.Hour
	// A project that ended its own cell waits before the next.
	firstHold, mostHold = 30 * time.Second, 30 * time.Minute
	// aloneMemory is what a cell of one project may use at most, and a quarter of what others may.
	aloneMemory, leastMemory = 256 << 20, 64 << 20
)

// suspicion is of a project whose JavaScript was under way when cells died.
type suspicion struct {
	deaths int // in cells of all
	alone  int // in its own
	last   time.Time
	until  time.Time // before which it isn't started
	// code is of the texts that it had at its next start; "" before.
	code  string
	death Death
	entry runtime.Entry // of the last one
}

// QuarantinedError says why a project isn't started.
type QuarantinedError struct {
	Entry  runtime.Entry
	Deaths int
	Until  time.Time
	// Cause and Words are the last Death's.
	Cause, Words string
}

func (e *QuarantinedError) Error() string {
	where := "its code"
	if e.Entry.File != "" {
		where = e.Entry.File
	}
	if e.Entry.Hash != "" {
		const digits = 12
		where += " (" + e.Entry.Hash[:min(digits, len(e.Entry.Hash))] + ")"
	}
	if e.Entry.WorkflowID != "" {
		where += ", execution " + e.Entry.WorkflowID + " " + e.Entry.RunID + ","
	}
	text := fmt.Sprintf("quarantined: %s ended the process that it ran in %d times, the last time alone: %s", where, e.Deaths, e.Cause)
	if first, _, _ := strings.Cut(e.Words, "\n"); first != "" {
		text += ": " + first
	}
	return text + "; tried again at " + e.Until.UTC().Format("15:04:05") + " UTC, or with other code"
}

// suspect notes who may have ended a process. The caller holds mu.
func (c *Cells) suspect(p *process, d Death) {
	now := time.Now()
	inside := map[string]runtime.Entry{}
	for _, e := range d.Inside {
		inside[e.ProjectID] = e
	}
	if p.alone != "" {
		if _, noted := inside[p.alone]; !noted {
			inside[p.alone] = runtime.Entry{ProjectID: p.alone} // it was nobody else
		}
	}
	for id, e := range inside {
		s := c.suspects[id]
		if s == nil || p.alone == "" && s.deaths < apart && now.Sub(s.last) > remembered {
			s = &suspicion{}
			c.suspects[id] = s
		}
		if e.File != "" || s.entry.ProjectID == "" {
			s.entry = e
		}
		s.last, s.death = now, d
		if p.alone == "" {
			s.deaths++
			continue
		}
		s.until = now.Add(min(firstHold<<min(s.alone, 10), mostHold))
		s.alone++
	}
}

// judge says how a project may start: in a cell of its own, or not now.
func (c *Cells) judge(p runtime.Project) (alone bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.suspects[p.ID]
	if s == nil {
		return false, nil
	}
	now, code := time.Now(), codeOf(p)
	if s.code != "" && s.code != code || now.Sub(s.last) > forgiven && now.After(s.until) {
		delete(c.suspects, p.ID)
		return false, nil
	}
	s.code = code
	switch {
	case s.deaths < apart:
		return false, nil
	case now.Before(s.until):
		return false, &QuarantinedError{Entry: s.entry, Deaths: s.deaths + s.alone, Until: s.until, Cause: s.death.Cause, Words: s.death.Words}
	}
	return true, nil
}

// codeOf tells a project's texts from others.
func codeOf(p runtime.Project) string {
	h := sha256.New()
	add := func(texts ...string) {
		for _, t := range texts {
			fmt.Fprintf(h, "%d\n%s", len(t), t)
		}
	}
	for _, w := range p.Workflows {
		add(w.ID, w.Code, w.ActivitiesCode)
	}
	for _, x := range p.Components {
		add(x.ID, x.Code)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// ownCell starts the cell of one project.
func (c *Cells) ownCell(ctx context.Context, projectID string) (*process, error) {
	c.mu.Lock()
	number := c.cfg.Count + 1
	for taken := true; taken; {
		taken = false
		for _, p := range c.lonely {
			if p.cell == number {
				number, taken = number+1, true
			}
		}
	}
	memory := int64(aloneMemory)
	if c.cfg.Memory > 0 {
		memory = max(leastMemory, min(memory, c.cfg.Memory/4))
	}
	// The number is taken while the process starts.
	c.lonely[projectID] = &process{cell: number}
	c.mu.Unlock()
	p, err := c.launch(ctx, number, memory, projectID)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		delete(c.lonely, projectID)
		return nil, err
	}
	c.lonely[projectID] = p
	c.cfg.Logger.Warn("a project runs in a cell of its own: its code was under way when cells died", slog.String(logkey.Project, projectID), slog.Int(logkey.Cell, number), slog.Int(logkey.Process, p.cmd.Process.Pid))
	c.work.Go(func() {
		select {
		case <-p.dead:
		case <-c.life.Done():
			return
		}
		c.mu.Lock()
		if c.lonely[projectID] == p {
			delete(c.lonely, projectID)
		}
		c.mu.Unlock()
		c.died(p)
	})
	return p, nil
}
