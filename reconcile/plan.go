package reconcile

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
)

// liveSource is a source as it was last given to the runner.
type liveSource struct {
	rows.Source
	hash string // of what is live, "" if nothing is
}

// phase is where a project's worker is in this process.
type phase int

const (
	absent phase = iota
	running
	stopping
)

// observed is what this process runs of a project.
type observed struct {
	phase     phase
	name      string
	taskQueue string
	isolated  bool
	sources   []liveSource
	// vanished says since when a source is gone from the rows.
	vanished map[rows.Ref]time.Time
	// restart is the newest restart request that was there when the worker
	// started: that start has satisfied it.
	restart rows.Mark
	// failure is the last attempt's, nil if it succeeded.
	failure *failure
	// again is when to give the runner the same once more, because new code waits
	// there for running executions; zero for never.
	again time.Time
	// moves says which code the runner was told of, by run id. What is here and
	// no longer desired is of executions that have closed.
	moves map[string]string
	// lost says that the database doesn't have the code that runs.
	lost bool
	// elsewhere says that other replicas run it, and this one isn't to.
	elsewhere bool
}

// failure is an attempt that failed.
type failure struct {
	key       string    // what was attempted, see attemptKey
	text      string    // for the row
	permanent bool      // no use in trying again before the rows change
	until     time.Time // not to be tried again earlier
}

// action is the one thing to do in a pass.
type action int

const (
	actNothing action = iota
	actStart
	actReload
	actStop
)

func (a action) String() string {
	return [...]string{"nothing", "start", "reload", "stop"}[a]
}

// decision is what plan comes to.
type decision struct {
	action action
	cause  string // why, for the log and the row
	// keep names the sources that the rows have lost and that stay live.
	keep []rows.Ref
	// vanished replaces observed.vanished.
	vanished map[rows.Ref]time.Time
	// attempt identifies what is attempted, see failure.key.
	attempt string
	// changed says that the attempt isn't the one that failed before.
	changed bool
	// rest says that the project is not to run, and doesn't.
	rest bool
	// again is when to look at the project once more without being asked; 0 is
	// never.
	again time.Duration
}

// plan decides what to do about one project. It is a pure function.
//
// What its owner said takes effect at once: the project is deleted or
// inactive, the newest request is stop, a workflow is inactive. What is merely
// not found any more stays live for grace, because the UI replaces code by
// deactivating the old row and inserting the new one in two transactions, and
// between the two that looks the same as a removal: code rows deactivated or
// deleted, a workflow deleted or moved to another project, a component
// deactivated, deleted or no longer referred to. The wait ends early when
// another source of the same name turns up.
//
// A worker is restarted, by a stop that a start follows, for what lives in the
// worker itself: the task queue, the project's name, a restart request that
// came after it started. That waits until no source is in its grace, lest the
// restart cut the grace short.
func plan(o observed, d rows.Desired, now time.Time, grace time.Duration) decision {
	if o.phase == stopping {
		return decision{vanished: o.vanished} // the end of the drain asks for the next pass
	}
	if why := d.Forbidden(); why != "" {
		if o.phase == running {
			return decision{action: actStop, cause: why}
		}
		return decision{rest: true}
	}
	if o.elsewhere {
		if o.phase == running {
			return decision{action: actStop, cause: causeElsewhere}
		}
		return decision{rest: true}
	}
	if o.phase == absent {
		return planStart(o, d, now)
	}

	keep, vanished, wait := retained(o, d, now, grace)
	effective := append(sourcesOf(d.Sources), keep...)
	dec := decision{keep: refsOf(keep), vanished: vanished, again: wait, attempt: attemptKey(d, effective)}
	if !hasWorkflow(effective) {
		return decision{action: actStop, cause: noCode}
	}
	if why := restartCause(o, d); why != "" && len(keep) == 0 {
		dec.action, dec.cause = actStop, why
		return dec
	}
	cause := changes(o.sources, effective, newMoves(o.moves, d.Moves))
	if cause == "" && o.isolated != d.Isolated {
		cause = causeIsolation
	}
	if cause == "" && o.lost {
		cause = causeLost
	}
	if cause == "" {
		if o.again.IsZero() {
			return dec
		}
		if left := o.again.Sub(now); left > 0 {
			dec.again = soonest(dec.again, left)
			return dec
		}
		cause = causeAgain
	}
	if held, left := dec.heldBack(o.failure, now); held {
		dec.again = soonest(dec.again, left)
		return dec
	}
	dec.action, dec.cause = actReload, cause
	return dec
}

// causeAgain is the cause of a reload without a change.
const causeAgain = "code that waits for running executions is tried again"

// causeIsolation is the cause of a reload that only says with whom code shares.
const causeIsolation = "the project's isolation changed"

// causeLost is the cause of a reload that stores code again.
const causeLost = "the database had lost the code"

// causeElsewhere is the cause of a stop that has others go on.
const causeElsewhere = "other replicas run it now"

// noCode is the cause of a stop, and part of a request's reason.
const noCode = "no active code"

func planStart(o observed, d rows.Desired, now time.Time) decision {
	if !hasWorkflow(d.Sources) {
		return decision{rest: true}
	}
	dec := decision{attempt: attemptKey(d, d.Sources)}
	if held, left := dec.heldBack(o.failure, now); held {
		dec.again = left
		return dec
	}
	dec.action, dec.cause = actStart, startCause(d)
	return dec
}

func startCause(d rows.Desired) string {
	if q := d.Newest; q.Open() {
		return q.Action + " request " + q.ID
	}
	return "project has active code"
}

// heldBack says whether the attempt failed before and must wait, and notes
// whether it is a new one.
func (dec *decision) heldBack(f *failure, now time.Time) (held bool, left time.Duration) {
	if f == nil || f.key != dec.attempt {
		dec.changed = f != nil
		return false, 0
	}
	if f.permanent {
		return true, 0
	}
	if now.Before(f.until) {
		return true, f.until.Sub(now)
	}
	return false, 0
}

func restartCause(o observed, d rows.Desired) string {
	switch {
	case o.taskQueue != d.TaskQueue:
		return fmt.Sprintf("restart: task queue %s renamed to %s", o.taskQueue, d.TaskQueue)
	case o.name != d.Name:
		return fmt.Sprintf("restart: project %q renamed to %q", o.name, d.Name)
	case d.Restart.After(o.restart):
		return "restart request " + d.Restart.ID
	}
	return ""
}

// retained returns the live sources that the rows have lost and whose grace
// isn't over, since when each lost one is lost, and the shortest time left.
func retained(o observed, d rows.Desired, now time.Time, grace time.Duration) (keep []rows.Source, vanished map[rows.Ref]time.Time, wait time.Duration) {
	here := map[rows.Ref]bool{}
	names := map[rows.Ref]bool{} // by kind and name
	for _, s := range d.Sources {
		here[s.Ref] = true
		names[rows.Ref{Kind: s.Kind, ID: s.Name}] = true
	}
	for _, s := range o.sources {
		if here[s.Ref] || s.hash == "" || d.SwitchedOff[s.Ref] || names[rows.Ref{Kind: s.Kind, ID: s.Name}] {
			continue
		}
		since, known := o.vanished[s.Ref]
		if !known {
			since = now
		}
		if vanished == nil {
			vanished = map[rows.Ref]time.Time{}
		}
		vanished[s.Ref] = since
		if left := grace - now.Sub(since); left > 0 {
			keep = append(keep, s.Source)
			wait = soonest(wait, left)
		}
	}
	return keep, vanished, wait
}

// newMoves counts the moves that the runner wasn't told of.
func newMoves(told map[string]string, moves []runtime.Move) (n int) {
	for _, m := range moves {
		if told[m.RunID] != m.Hash {
			n++
		}
	}
	return n
}

// changes says in words how want differs from have, and that executions move;
// "" if there is nothing to say.
func changes(have []liveSource, want []rows.Source, moves int) string {
	old := map[rows.Ref]rows.Source{}
	for _, s := range have {
		old[s.Ref] = s.Source
	}
	var words []string
	for _, s := range want {
		was, known := old[s.Ref]
		delete(old, s.Ref)
		switch {
		case !known:
			words = append(words, s.String()+" added")
		case was.Digest != s.Digest && was.Version != s.Version:
			words = append(words, fmt.Sprintf("%s changed from version %s to %s", s, was.Version, s.Version))
		case was.Digest != s.Digest:
			words = append(words, s.String()+" changed")
		}
	}
	for _, s := range have {
		if _, gone := old[s.Ref]; gone {
			words = append(words, s.String()+" removed")
		}
	}
	const most = 3
	if len(words) > most {
		words = append(words[:most], fmt.Sprintf("%d more", len(words)-most))
	}
	switch {
	case moves == 1:
		words = append(words, "1 execution moves to other code")
	case moves > 1:
		words = append(words, fmt.Sprintf("%d executions move to other code", moves))
	}
	return strings.Join(words, ", ")
}

// attemptKey identifies a start or reload: the same key means that trying
// again would give the runner the same. The newest request is part of it, so
// that pressing start on a project that failed tries at once.
func attemptKey(d rows.Desired, effective []rows.Source) string {
	h := rows.NewDigest()
	h.Add(d.Name, d.TaskQueue, d.Newest.ID, strconv.FormatBool(d.Isolated))
	for _, s := range effective {
		h.Add(s.Kind, s.ID, s.Digest)
	}
	for _, m := range d.Moves {
		h.Add(m.RunID, m.Hash)
	}
	return h.Sum()
}

func hasWorkflow(sources []rows.Source) bool {
	for _, s := range sources {
		if s.Kind == runtime.KindWorkflow {
			return true
		}
	}
	return false
}

func sourcesOf(s []rows.Source) []rows.Source { return append(make([]rows.Source, 0, len(s)), s...) }

func refsOf(sources []rows.Source) (refs []rows.Ref) {
	for _, s := range sources {
		refs = append(refs, s.Ref)
	}
	return refs
}

// soonest is the shorter wait, where 0 is no wait at all.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || (b != 0 && b < a) {
		return b
	}
	return a
}
