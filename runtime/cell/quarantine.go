package cell

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
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

var rules = runtime.QuarantineRules{Apart: apart, Remembered: remembered, FirstHold: firstHold, MostHold: mostHold}

// Quarantine is where suspicions are, for all replicas and beyond this process.
type Quarantine interface {
	// Read gives all.
	Read(ctx context.Context) ([]runtime.Suspicion, error)
	// Note adds a death by the rules, and gives what it comes to.
	Note(ctx context.Context, death runtime.Suspicion, r runtime.QuarantineRules) (runtime.Suspicion, error)
	// Forgive removes what is noted of a project's code.
	Forgive(ctx context.Context, projectID, code string) error
}

// after is what another death makes of a suspicion.
func after(s, death runtime.Suspicion, r runtime.QuarantineRules) runtime.Suspicion {
	if s.Code != death.Code || s.Deaths < r.Apart && s.Alone == 0 && death.Last.Sub(s.Last) > r.Remembered {
		s = runtime.Suspicion{}
	}
	until := s.Until
	if death.Alone > 0 {
		until = death.Last.Add(min(r.FirstHold<<min(s.Alone, 10), r.MostHold))
	}
	death.Deaths, death.Alone, death.Until = death.Deaths+s.Deaths, death.Alone+s.Alone, until
	return death
}

// isApart says whether a project runs in a cell of its own.
func isApart(s *runtime.Suspicion) bool { return s.Deaths >= apart }

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

// suspect says who may have ended a process. The caller holds mu.
func (c *Cells) suspect(p *process, d Death) (deaths []runtime.Suspicion) {
	inside := map[string]runtime.Entry{}
	for _, e := range d.Inside {
		if was, twice := inside[e.ProjectID]; !twice || was.File == "" {
			inside[e.ProjectID] = e
		}
	}
	if p.alone != "" {
		if _, noted := inside[p.alone]; !noted {
			inside[p.alone] = runtime.Entry{ProjectID: p.alone} // it was nobody else
		}
	}
	for id, e := range inside {
		s := runtime.Suspicion{ProjectID: id, Last: time.Now(), Entry: e, Cause: d.Cause, Words: d.Words}
		if h := c.projects[id]; h != nil && h.process == p {
			s.Code = h.code
		}
		if p.alone == "" {
			s.Deaths = 1
		} else {
			s.Alone = 1
		}
		deaths = append(deaths, s)
	}
	return deaths
}

// quarantineTimeout bounds an exchange about quarantine: the projects of a cell that died wait for it.
const quarantineTimeout = 2 * time.Second

// note adds a death to what is known of a project, here and everywhere.
func (c *Cells) note(death runtime.Suspicion) {
	ctx, cancel := context.WithTimeout(c.life, quarantineTimeout)
	defer cancel()
	var noted runtime.Suspicion
	err := errNoQuarantine
	if c.cfg.Quarantine != nil {
		noted, err = c.cfg.Quarantine.Note(ctx, death, rules)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		was := c.suspects[death.ProjectID]
		if was == nil {
			was = &runtime.Suspicion{}
		}
		noted = after(*was, death, rules)
		noted.Unsaved = true
		if c.cfg.Quarantine != nil {
			c.cfg.Logger.Warn("whose code ended a cell can't be written down; this process alone goes by it", slog.String(logkey.Project, death.ProjectID), slog.String(logkey.Error, err.Error()))
		}
	}
	c.suspects[death.ProjectID] = &noted
}

// saveLate writes down what couldn't be.
func (c *Cells) saveLate() {
	if c.cfg.Quarantine == nil {
		return
	}
	c.mu.Lock()
	var unsaved []runtime.Suspicion
	for _, s := range c.suspects {
		if s.Unsaved {
			unsaved = append(unsaved, *s)
		}
	}
	c.mu.Unlock()
	for _, s := range unsaved {
		ctx, cancel := context.WithTimeout(c.life, quarantineTimeout)
		noted, err := c.cfg.Quarantine.Note(ctx, s, rules)
		cancel()
		if err != nil {
			return // it is tried again
		}
		c.mu.Lock()
		if now := c.suspects[s.ProjectID]; now != nil && *now == s {
			c.suspects[s.ProjectID] = &noted
		}
		c.mu.Unlock()
	}
}

var errNoQuarantine = errors.New("nothing outlives this process")

// learnEvery is how old what is known of quarantine may be.
const learnEvery = time.Second

// learn reads what all replicas know, unless it was read less than age ago.
func (c *Cells) learn(ctx context.Context, age time.Duration) error {
	if c.cfg.Quarantine == nil {
		return nil
	}
	c.learning.Lock()
	defer c.learning.Unlock()
	c.mu.Lock()
	fresh := time.Since(c.learned) < age
	c.mu.Unlock()
	if fresh {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, quarantineTimeout)
	defer cancel()
	began := time.Now()
	list, err := c.cfg.Quarantine.Read(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		if c.learned.IsZero() {
			return err // what ended processes may be among them
		}
		return nil // what was known still holds
	}
	now := map[string]*runtime.Suspicion{}
	for id, s := range c.suspects {
		if s.Unsaved || s.Last.After(began) {
			now[id] = s
		}
	}
	for _, s := range list {
		if own := now[s.ProjectID]; own == nil || own.Unsaved && s.Deaths+s.Alone >= own.Deaths+own.Alone {
			now[s.ProjectID] = &s
		}
	}
	c.suspects, c.learned = now, time.Now()
	return nil
}

// judge says how a project may start: in a cell of its own, or not now.
func (c *Cells) judge(ctx context.Context, p runtime.Project) (alone bool, err error) {
	if err := c.learn(ctx, learnEvery); err != nil {
		return false, err
	}
	c.mu.Lock()
	s := c.suspects[p.ID]
	if s == nil {
		c.mu.Unlock()
		return false, nil
	}
	now := time.Now()
	if s.Code != "" && s.Code != codeOf(p) || now.Sub(s.Last) > forgiven && now.After(s.Until) {
		c.mu.Unlock()
		c.forgive(ctx, *s)
		return false, nil
	}
	defer c.mu.Unlock()
	switch {
	case !isApart(s):
		return false, nil
	case now.Before(s.Until):
		return false, &QuarantinedError{Entry: s.Entry, Deaths: s.Deaths + s.Alone, Until: s.Until, Cause: s.Cause, Words: s.Words}
	}
	return true, nil
}

// forgive has what is known of a project's code forgotten.
func (c *Cells) forgive(ctx context.Context, s runtime.Suspicion) {
	c.mu.Lock()
	delete(c.suspects, s.ProjectID)
	c.mu.Unlock()
	if c.cfg.Quarantine == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, quarantineTimeout)
	defer cancel()
	if err := c.cfg.Quarantine.Forgive(ctx, s.ProjectID, s.Code); err != nil {
		c.cfg.Logger.Warn("a project that has other code is still in quarantine for the other replicas", slog.String(logkey.Project, s.ProjectID), slog.String(logkey.Error, err.Error()))
	}
}

// ToldOfQuarantine is the message with which replicas hear of a change.
const ToldOfQuarantine = "quarantine"

// Told says that something was written down: if it is about quarantine it is looked at at once.
func (c *Cells) Told(content string, _ time.Time) {
	if content != ToldOfQuarantine {
		return
	}
	select {
	case c.bell <- struct{}{}:
	default:
	}
}

// quarantineEvery is how often quarantine is looked at where nobody tells.
const quarantineEvery = 15 * time.Second

// heed moves projects out of the cells of all, whose code ended processes of other replicas, and has
// those looked at that were forgiven, until the end.
func (c *Cells) heed() {
	ticks := time.NewTicker(quarantineEvery)
	defer ticks.Stop()
	for {
		select {
		case <-c.life.Done():
			return
		case <-ticks.C:
		case <-c.bell:
		}
		c.mu.Lock()
		before := c.suspects
		c.mu.Unlock()
		c.saveLate()
		_ = c.learn(c.life, 0) // a start says what is wrong
		c.mu.Lock()
		var look []string
		for id, s := range before {
			if isApart(s) && c.suspects[id] == nil {
				look = append(look, id)
			}
		}
		for id, s := range c.suspects {
			h := c.projects[id]
			if isApart(s) && h != nil && !h.leaves && h.process.alone == "" && s.Code == h.code {
				h.leaves = true // whoever starts it again stops it first
				look = append(look, id)
			}
		}
		c.mu.Unlock()
		if len(look) > 0 {
			c.cfg.Moved(look)
		}
	}
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
