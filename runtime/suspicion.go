package runtime

import (
	"slices"
	"time"
)

// Suspicion is of a project whose JavaScript was under way when cells died.
type Suspicion struct {
	ProjectID string
	// Code is a hash of all its texts that ran; "" if that isn't known.
	Code string
	// Deaths are those in cells of all, Alone those in cells of its own.
	Deaths, Alone int
	Last          time.Time
	// Until is before when it isn't started; zero: it is. Holds is how often it wasn't.
	Until time.Time
	Holds int
	// Executions are those that were under way in its own cells when these died.
	Executions []Suspect
	// Entry, Cause and Words are of the last death.
	Entry        Entry
	Cause, Words string

	// Unsaved says that it isn't written down.
	Unsaved bool
}

// Suspect is an execution that was under way, on some code, when its project's own cells died. The
// same on other code is another.
type Suspect struct {
	Entry  Entry
	Deaths int
	Last   time.Time
	// Until is before when it isn't tried again.
	Until        time.Time
	Cause, Words string
	// Project says that all of the project waits; Entry is of its last death.
	Project bool
}

// Is says whether both are of the same execution and code.
func (s Suspect) Is(o Suspect) bool {
	return s.Entry.RunID == o.Entry.RunID && s.Entry.Hash == o.Entry.Hash
}

// QuarantineRules are what counts as too much.
type QuarantineRules struct {
	// Apart is how many deaths set a project apart, within Remembered.
	Apart      int
	Remembered time.Duration
	// FirstHold and MostHold are how long an execution waits that ended its project's own cell, and a
	// project of which that can't be said.
	FirstHold, MostHold time.Duration
	// MostSuspects is how many executions wait by themselves; where there are more, the project does.
	MostSuspects int
	// Forgotten is after how long an execution that ended a cell is like any other.
	Forgotten time.Duration
}

// After is what a death makes of what was known.
func (r QuarantineRules) After(was, death Suspicion) Suspicion {
	if was.Code != death.Code || was.Deaths < r.Apart && was.Alone == 0 && death.Last.Sub(was.Last) > r.Remembered {
		// Executions may be on code that isn't the project's any more.
		was = Suspicion{Executions: was.Executions}
	}
	now := death
	now.Deaths, now.Alone, now.Until, now.Holds = death.Deaths+was.Deaths, death.Alone+was.Alone, was.Until, was.Holds
	now.Executions = r.remembers(was.Executions, death.Last)
	for i, x := range death.Executions {
		// One after the other: of several that were under way one did it.
		x.Until = death.Last.Add(r.pause(x.Deaths-1) * time.Duration(i+1))
		at := slices.IndexFunc(now.Executions, x.Is)
		if at < 0 {
			now.Executions = append(now.Executions, x)
			continue
		}
		x.Deaths += now.Executions[at].Deaths
		x.Until = death.Last.Add(r.pause(x.Deaths-1) * time.Duration(i+1))
		now.Executions[at] = x
	}
	if death.Alone > 0 && (len(death.Executions) == 0 || len(now.Executions) > r.MostSuspects) {
		now.Until, now.Holds = death.Last.Add(r.pause(was.Holds)), was.Holds+1
	}
	return now
}

// remembers are the executions that aren't forgotten by a moment.
func (r QuarantineRules) remembers(list []Suspect, by time.Time) (out []Suspect) {
	for _, x := range list {
		if by.Sub(x.Last) < r.Forgotten || by.Before(x.Until) {
			out = append(out, x)
		}
	}
	return out
}

// pause is how long who ended so many cells before waits.
func (r QuarantineRules) pause(times int) time.Duration {
	return min(r.FirstHold<<min(times, 10), r.MostHold)
}
