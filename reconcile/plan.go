package reconcile

import (
	"fmt"
	"strings"
	"time"

	"workflow-worker/runtime"
)

// ref names a workflow or component.
type ref struct {
	kind string // runtime.KindWorkflow or runtime.KindComponent
	id   string
}

// source is a workflow or component as far as planning cares.
type source struct {
	ref
	name    string // kebab name of a workflow, name of a component
	version string // "" for a component
	digest  string // of everything that the runner is given of it
}

func (s source) String() string { return s.kind + " " + s.name }

// liveSource is a source as it was last given to the runner.
type liveSource struct {
	source
	hash string // of what is live, "" if nothing is
}

// desired is what the rows say a project should be.
type desired struct {
	exists    bool
	active    bool // projects.is_active
	name      string
	taskQueue string
	sources   []source
	// switchedOff holds workflows with is_active = false: their owner said so,
	// they didn't vanish.
	switchedOff map[ref]bool
	// newest is the newest request, the zero value if there is none.
	newest request
	// restart is the newest restart request.
	restart mark
	// moves are the open executions that were told to run other code.
	moves []runtime.Move
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
	sources   []liveSource
	// vanished says since when a source is gone from the rows.
	vanished map[ref]time.Time
	// restart is the newest restart request that was there when the worker
	// started: that start has satisfied it.
	restart mark
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
	keep []ref
	// vanished replaces observed.vanished.
	vanished map[ref]time.Time
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
func plan(o observed, d desired, now time.Time, grace time.Duration) decision {
	if o.phase == stopping {
		return decision{vanished: o.vanished} // the end of the drain asks for the next pass
	}
	if why := d.forbidden(); why != "" {
		if o.phase == running {
			return decision{action: actStop, cause: why}
		}
		return decision{rest: true}
	}
	if o.phase == absent {
		return planStart(o, d, now)
	}

	keep, vanished, wait := retained(o, d, now, grace)
	effective := append(sourcesOf(d.sources), keep...)
	dec := decision{keep: refsOf(keep), vanished: vanished, again: wait, attempt: attemptKey(d, effective)}
	if !hasWorkflow(effective) {
		return decision{action: actStop, cause: noCode}
	}
	if why := restartCause(o, d); why != "" && len(keep) == 0 {
		dec.action, dec.cause = actStop, why
		return dec
	}
	cause := changes(o.sources, effective, newMoves(o.moves, d.moves))
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

// causeLost is the cause of a reload that stores code again.
const causeLost = "the database had lost the code"

// noCode is the cause of a stop, and part of a request's reason.
const noCode = "no active code"

func planStart(o observed, d desired, now time.Time) decision {
	if !hasWorkflow(d.sources) {
		return decision{rest: true}
	}
	dec := decision{attempt: attemptKey(d, d.sources)}
	if held, left := dec.heldBack(o.failure, now); held {
		dec.again = left
		return dec
	}
	dec.action, dec.cause = actStart, startCause(d)
	return dec
}

func startCause(d desired) string {
	if q := d.newest; q.open() {
		return q.action + " request " + q.id
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

// forbidden says why the project must not run although it may have code.
func (d desired) forbidden() string {
	switch {
	case !d.exists:
		return "project deleted"
	case !d.active:
		return "project switched off"
	case d.newest.action == actionStop:
		return "stop request " + d.newest.id
	}
	return ""
}

func restartCause(o observed, d desired) string {
	switch {
	case o.taskQueue != d.taskQueue:
		return fmt.Sprintf("restart: task queue %s renamed to %s", o.taskQueue, d.taskQueue)
	case o.name != d.name:
		return fmt.Sprintf("restart: project %q renamed to %q", o.name, d.name)
	case d.restart.after(o.restart):
		return "restart request " + d.restart.id
	}
	return ""
}

// retained returns the live sources that the rows have lost and whose grace
// isn't over, since when each lost one is lost, and the shortest time left.
func retained(o observed, d desired, now time.Time, grace time.Duration) (keep []source, vanished map[ref]time.Time, wait time.Duration) {
	here := map[ref]bool{}
	names := map[ref]bool{} // by kind and name
	for _, s := range d.sources {
		here[s.ref] = true
		names[ref{s.kind, s.name}] = true
	}
	for _, s := range o.sources {
		if here[s.ref] || s.hash == "" || d.switchedOff[s.ref] || names[ref{s.kind, s.name}] {
			continue
		}
		since, known := o.vanished[s.ref]
		if !known {
			since = now
		}
		if vanished == nil {
			vanished = map[ref]time.Time{}
		}
		vanished[s.ref] = since
		if left := grace - now.Sub(since); left > 0 {
			keep = append(keep, s.source)
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
func changes(have []liveSource, want []source, moves int) string {
	old := map[ref]source{}
	for _, s := range have {
		old[s.ref] = s.source
	}
	var words []string
	for _, s := range want {
		was, known := old[s.ref]
		delete(old, s.ref)
		switch {
		case !known:
			words = append(words, s.String()+" added")
		case was.digest != s.digest && was.version != s.version:
			words = append(words, fmt.Sprintf("%s changed from version %s to %s", s, was.version, s.version))
		case was.digest != s.digest:
			words = append(words, s.String()+" changed")
		}
	}
	for _, s := range have {
		if _, gone := old[s.ref]; gone {
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
func attemptKey(d desired, effective []source) string {
	h := newDigest()
	h.add(d.name, d.taskQueue, d.newest.id)
	for _, s := range effective {
		h.add(s.kind, s.id, s.digest)
	}
	for _, m := range d.moves {
		h.add(m.RunID, m.Hash)
	}
	return h.sum()
}

func hasWorkflow(sources []source) bool {
	for _, s := range sources {
		if s.kind == runtime.KindWorkflow {
			return true
		}
	}
	return false
}

func sourcesOf(s []source) []source { return append(make([]source, 0, len(s)), s...) }

func refsOf(sources []source) (refs []ref) {
	for _, s := range sources {
		refs = append(refs, s.ref)
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
