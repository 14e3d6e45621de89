package cell

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"workflow-worker/runtime"
	"workflow-worker/runtime/logkey"
)

// Code that ends its process comes back with it: Temporal hands the task out again. So a project
// whose JavaScript was under way in two deaths runs in a cell of its own, where it ends nobody else's
// work, and with little memory. If that dies, too, the executions wait that were under way there, each
// time longer; the project's others go on. Where nobody can say which it was, or they are many, the
// project waits, until its code changes.

const (
	// apart is how many deaths set a project apart, within remembered: one may be anybody's.
	apart      = 2
	remembered = 10 * time.Minute
	// forgiven is after how long without a death a project is like any other again, when it starts.
	forgiven = time.Hour
	// Who ended the cell of one project waits before the next time.
	firstHold, mostHold = 30 * time.Second, 30 * time.Minute
	// mostSuspects is how many executions of a project may wait before all of it does.
	mostSuspects = 8
	// forgotten is after how long an execution that waited is like any other.
	forgotten = 24 * time.Hour
	// aloneMemory is what a cell of one project may use at most, and a quarter of what others may.
	aloneMemory, leastMemory = 256 << 20, 64 << 20
	// mostAlone is how many projects have a cell of their own at once, of those that ended only others'
	// so far: where a machine was busy many were there in two deaths, and most of them did nothing.
	mostAlone = 8
)

var rules = runtime.QuarantineRules{Apart: apart, Remembered: remembered, FirstHold: firstHold, MostHold: mostHold, MostSuspects: mostSuspects, Forgotten: forgotten}

// Quarantine is where suspicions are, for all replicas and beyond this process.
type Quarantine interface {
	// Read gives all.
	Read(ctx context.Context) ([]runtime.Suspicion, error)
	// Note adds a death by the rules, and gives what it comes to.
	Note(ctx context.Context, death runtime.Suspicion, r runtime.QuarantineRules) (runtime.Suspicion, error)
	// Forgive removes what is noted of a project's code, but for the executions that wait.
	Forgive(ctx context.Context, projectID, code string) error
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
	where := codeIn(e.Entry)
	if e.Entry.WorkflowID != "" {
		where += ", execution " + e.Entry.WorkflowID + " " + e.Entry.RunID + ","
	}
	return fmt.Sprintf("quarantined: %s ended the process that it ran in %d times, the last time alone: %s; tried again at %s UTC, or with other code",
		where, e.Deaths, causeOf(e.Cause, e.Words), e.Until.UTC().Format(time.TimeOnly))
}

// codeIn names the code of an entry.
func codeIn(e runtime.Entry) string {
	where := "its code"
	if e.File != "" {
		where = e.File
	}
	if e.Hash != "" {
		const digits = 12
		where += " (" + e.Hash[:min(digits, len(e.Hash))] + ")"
	}
	return where
}

// causeOf is why a process ended, in a line.
func causeOf(cause, words string) string {
	if first, _, _ := strings.Cut(words, "\n"); first != "" {
		return cause + ": " + first
	}
	return cause
}

// heldOf are the executions of a project that wait. In a cell of all they aren't tried again: what
// they do there ends others' work.
func heldOf(s *runtime.Suspicion, shared bool) (list []runtime.Held) {
	if s == nil {
		return nil
	}
	for _, x := range s.Executions {
		list = append(list, runtime.Held{RunID: x.Entry.RunID, Hash: x.Entry.Hash, Until: heldUntil(x, shared), Why: fmt.Sprintf(
			"quarantined: the execution ended the process that it ran in %d times, in %s: %s", x.Deaths, codeIn(x.Entry), causeOf(x.Cause, x.Words))})
	}
	return list
}

// heldUntil is when an execution is tried again.
func heldUntil(x runtime.Suspect, shared bool) time.Time {
	if shared {
		return x.Last.Add(forgotten)
	}
	return x.Until
}

// hold tells a process which executions of a project wait, if it doesn't know.
func (c *Cells) hold(ctx context.Context, projectID string, on *process) error {
	c.mu.Lock()
	held := heldOf(c.suspects[projectID], on.alone == "")
	known := slices.Equal(on.held[projectID], held)
	c.mu.Unlock()
	if known {
		return nil
	}
	if _, err := ask[ok](ctx, on.calls, cellService, methodHold, hold{projectID, held}); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if on.held == nil {
		on.held = map[string][]runtime.Held{}
	}
	on.held[projectID] = held
	return nil
}

// holdAll is hold for all that run.
func (c *Cells) holdAll() {
	c.mu.Lock()
	on := make(map[string]*process, len(c.projects))
	for id, h := range c.projects {
		if c.suspects[id] != nil || h.process.held[id] != nil {
			on[id] = h.process
		}
	}
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(c.life, askTimeout)
	defer cancel()
	for id, p := range on {
		_ = c.hold(ctx, id, p) // a process that doesn't answer hears it when it starts the project again
	}
}

// Quarantined gives who waits, by project: executions, and projects themselves.
func (c *Cells) Quarantined() map[string][]runtime.Suspect {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out map[string][]runtime.Suspect
	now := time.Now()
	add := func(id string, x runtime.Suspect) {
		if out == nil {
			out = map[string][]runtime.Suspect{}
		}
		out[id] = append(out[id], x)
	}
	for id, s := range c.suspects {
		if isApart(s) && now.Before(s.Until) {
			add(id, runtime.Suspect{Entry: s.Entry, Deaths: s.Deaths + s.Alone, Last: s.Last, Until: s.Until, Cause: s.Cause, Words: s.Words, Project: true})
		}
		h := c.projects[id]
		for _, x := range s.Executions {
			if x.Until = heldUntil(x, h != nil && h.process.alone == ""); now.Before(x.Until) {
				add(id, x)
			}
		}
	}
	return out
}

// suspect says who may have ended a process. The caller holds mu.
func (c *Cells) suspect(p *process, d Death) (deaths []runtime.Suspicion) {
	inside := map[string]runtime.Entry{}
	for _, e := range d.Inside {
		if was, twice := inside[e.ProjectID]; !twice || was.File == "" {
			inside[e.ProjectID] = e
		}
	}
	var executions []runtime.Suspect
	if p.alone != "" {
		if _, noted := inside[p.alone]; !noted {
			inside[p.alone] = runtime.Entry{ProjectID: p.alone} // it was nobody else
		}
		for _, e := range d.Inside {
			x := runtime.Suspect{Entry: e, Deaths: 1, Last: time.Now(), Cause: d.Cause, Words: d.Words}
			if e.RunID != "" && !slices.ContainsFunc(executions, x.Is) {
				executions = append(executions, x)
			}
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
			s.Alone, s.Executions = 1, executions
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
		noted = rules.After(*was, death)
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
	var unsaved []*runtime.Suspicion
	for _, s := range c.suspects {
		if s.Unsaved {
			unsaved = append(unsaved, s)
		}
	}
	c.mu.Unlock()
	for _, s := range unsaved {
		ctx, cancel := context.WithTimeout(c.life, quarantineTimeout)
		noted, err := c.cfg.Quarantine.Note(ctx, *s, rules)
		cancel()
		if err != nil {
			return // it is tried again
		}
		c.mu.Lock()
		if c.suspects[s.ProjectID] == s {
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
		if was := c.suspects[s.ProjectID]; was != nil && same(was, now[s.ProjectID]) {
			now[s.ProjectID] = was
		}
	}
	c.suspects, c.learned = now, time.Now()
	return nil
}

// same says whether two say the same: moments that were read by two clocks differ a little.
func same(a, b *runtime.Suspicion) bool {
	near := func(x, y time.Time) bool { return x.Sub(y).Abs() < time.Second }
	return a.Code == b.Code && a.Deaths == b.Deaths && a.Alone == b.Alone && a.Holds == b.Holds && a.Unsaved == b.Unsaved && near(a.Last, b.Last) && near(a.Until, b.Until) &&
		slices.EqualFunc(a.Executions, b.Executions, func(x, y runtime.Suspect) bool { return x.Is(y) && x.Deaths == y.Deaths && near(x.Until, y.Until) })
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
		if s.Deaths+s.Alone == 0 {
			return false, nil // it is forgiven
		}
		c.forgive(ctx, *s)
		return false, nil
	}
	var moves []string
	switch {
	case !isApart(s):
	case now.Before(s.Until):
		err = &QuarantinedError{Entry: s.Entry, Deaths: s.Deaths + s.Alone, Until: s.Until, Cause: s.Cause, Words: s.Words}
	default:
		if alone, moves = c.roomFor(s, len(c.lonely)); alone {
			c.reserve(p.ID)
		}
	}
	c.mu.Unlock()
	if len(moves) > 0 {
		c.cfg.Moved(moves)
	}
	return alone, err
}

// ownMemory is how much the cell of one project may use.
func (c *Cells) ownMemory() int64 {
	if c.cfg.Memory > 0 {
		return max(leastMemory, min(aloneMemory, c.cfg.Memory/4))
	}
	return aloneMemory
}

// roomFor says whether there is a cell of its own for a project that is to have one. Where they are
// many, those have one that were there in most deaths, and moves are those that make room for it. The
// others run in the cells of all, where the next death tells more. The caller holds mu, and says how many
// there are.
func (c *Cells) roomFor(s *runtime.Suspicion, n int) (room bool, moves []string) {
	most := mostAlone
	if c.cfg.Memory > 0 {
		most = min(most, max(1, int(c.cfg.Memory/c.ownMemory())))
	}
	if s.Alone > 0 || c.lonely[s.ProjectID] != nil || n < most {
		return true, nil
	}
	least := s
	for id := range c.lonely {
		h, other := c.projects[id], c.suspects[id]
		if h == nil || h.leaves || other == nil {
			continue // it comes, or goes
		}
		if other.Alone == 0 && other.Deaths < least.Deaths {
			least = other
		}
	}
	if least == s {
		return false, nil
	}
	c.projects[least.ProjectID].leaves = true // whoever starts it again stops it first
	return true, []string{least.ProjectID}
}

// forgive has what is known of a project's code forgotten. Executions that wait may be on code that
// the project had before.
func (c *Cells) forgive(ctx context.Context, s runtime.Suspicion) {
	c.mu.Lock()
	delete(c.suspects, s.ProjectID)
	if len(s.Executions) > 0 {
		c.suspects[s.ProjectID] = &runtime.Suspicion{ProjectID: s.ProjectID, Last: s.Last, Executions: s.Executions, Unsaved: s.Unsaved}
	}
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
		alone := len(c.lonely)
		for id, s := range before {
			if now := c.suspects[id]; isApart(s) && (now == nil || !isApart(now)) {
				look = append(look, id)
			}
		}
		for id, s := range c.suspects {
			h := c.projects[id]
			if !isApart(s) || h == nil || h.leaves || h.process.alone != "" || s.Code != h.code {
				continue
			}
			if room, moves := c.roomFor(s, alone); room {
				h.leaves = true // whoever starts it again stops it first
				look = append(append(look, id), moves...)
				alone += 1 - len(moves)
			}
		}
		c.mu.Unlock()
		c.holdAll()
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

// reserve gives the cell that a project is to have of its own its number. The caller holds mu.
func (c *Cells) reserve(projectID string) {
	number := c.cfg.Count + 1
	for taken := true; taken; {
		taken = false
		for _, p := range c.lonely {
			if p.cell == number {
				number, taken = number+1, true
			}
		}
	}
	c.lonely[projectID] = &process{cell: number}
}

// ownCell starts the cell of one project, which was reserved.
func (c *Cells) ownCell(ctx context.Context, projectID string) (*process, error) {
	c.mu.Lock()
	number, memory := c.lonely[projectID].cell, c.ownMemory()
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
