package reconcile

import (
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
)

// record is what this process knows of one project. It belongs to the pass
// over the project, of which the queue allows one at a time; everybody else
// sees its card.
type record struct {
	id       string
	workerID string
	observed

	report runtime.Report
	live   map[rows.Ref]rows.LiveFact // of the workflows in report
	// lastMove is how far the runner knows workflow_execution_moves, by seq.
	lastMove int64
	found    foundOf
	shells   map[rows.Ref]shell // what else is needed to give a vanished source to the runner again
	shared   map[rows.Ref]bool
	reload   *rows.ReloadState

	startedAt, stoppedAt time.Time
	drain                *drain // in phase stopping
	restartCause         string // of the stop that a start is to follow
	uncertain            bool   // an attempt ended in a way that leaves the phase open

	// fingerprint and refs are of the rows that were last dealt with; "" makes
	// the next pass read them whatever they are.
	fingerprint string
	refs        []string
	// identity is of the database that they were read from.
	identity string
	doubtful bool // whether the database has what the service keeps there
	// mine says that this replica takes on what is asked of the project. It may run it for a while
	// without: until others do.
	mine    bool
	settled bool // the last pass left nothing to do
	putOff  bool // it would start if there were room
	// due is when a pass has to act although no row changed.
	due time.Time
	// asked is when the change that isn't live yet was committed; when it was noticed, where
	// the stream didn't tell of the commit.
	asked time.Time

	claimed    map[string]bool // requests that this replica has to finish
	check      *check          // the one under way
	rowWritten string          // digest of the row as last written
	liveStale  bool            // the report isn't yet in workflow_live_code
	gone       bool            // the project has no row
	events     []rows.Event    // not written yet
	// failedAttempt is the attempt whose failure was noted, see failure.key.
	failedAttempt string
	trace         passTrace
	// tries is how often code that waits was tried again in vain.
	tries int
}

// shell is a source without its texts.
type shell struct {
	workflow  runtime.Workflow
	component runtime.Component
}

// drain is a stop under way, on a goroutine of its own.
type drain struct {
	cause string
	done  chan struct{} // closed when it is over
	err   error         // valid then
}

func (d *drain) over() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

func newRecord(id, replica string) *record {
	return &record{id: id, workerID: rows.WorkerID(replica, id)}
}

// status is what the row says.
func (rec *record) status() string {
	switch rec.phase {
	case running:
		return rows.StatusRunning
	case stopping:
		return rows.StatusStopping
	}
	if rec.failure != nil {
		return rows.StatusFailed
	}
	return rows.StatusStopped
}

// trouble is the one line on what is wrong, "" if nothing is.
func (rec *record) trouble() string {
	if rec.failure != nil {
		return rec.failure.text
	}
	if rec.found.polls.Error != "" && rec.phase == running {
		return rec.found.polls.Problem()
	}
	if list := rec.found.waiting; len(list) > 0 && rec.phase == running && !list[0].Project {
		return list[0].Problem(len(list))
	}
	if list := broken(rec.report); len(list) > 0 {
		return list[0].Problem()
	}
	return rec.stuck()
}

// applied takes over what the runner was given and what became of it. last is
// what was live before this process, where it is known.
func (rec *record) applied(p runtime.Project, sources []rows.Source, rep runtime.Report, last map[rows.Ref]rows.LiveFact) {
	rec.noteFacts(p, rep, last)
	rec.again = time.Time{}
	if rep.Again > 0 {
		rec.again = time.Now().Add(rep.Again)
	}
	rec.moves = make(map[string]string, len(p.Moves))
	for _, m := range p.Moves {
		rec.moves[m.RunID] = m.Hash
	}
	hashes := map[rows.Ref]string{}
	for _, s := range rep.Sources {
		hashes[rows.Ref{Kind: s.Kind, ID: s.ID}] = s.Hash
	}
	rec.name, rec.taskQueue, rec.isolated = p.Name, p.TaskQueue, p.Isolated
	rec.report = rep
	rec.liveStale = true
	rec.sources = rec.sources[:0:0]
	for _, s := range sources {
		rec.sources = append(rec.sources, liveSource{Source: s, hash: hashes[s.Ref]})
	}
	rec.shells = map[rows.Ref]shell{}
	rec.shared = map[rows.Ref]bool{}
	for _, w := range p.Workflows {
		w.Code, w.ActivitiesCode, w.LastGood = "", "", nil
		rec.shells[rows.Ref{Kind: runtime.KindWorkflow, ID: w.ID}] = shell{workflow: w}
	}
	for _, c := range p.Components {
		c.Code, c.LastGood = "", nil
		r := rows.Ref{Kind: runtime.KindComponent, ID: c.ID}
		rec.shells[r] = shell{component: c}
		if c.Shared {
			rec.shared[r] = true
		}
	}
}

// noteFacts keeps since when, and from which row, the live code of each
// workflow is what it is. A report says it of this process alone.
func (rec *record) noteFacts(p runtime.Project, rep runtime.Report, last map[rows.Ref]rows.LiveFact) {
	current := map[rows.Ref]string{}
	for _, w := range p.Workflows {
		current[rows.Ref{Kind: runtime.KindWorkflow, ID: w.ID}] = w.CodeID
	}
	facts := map[rows.Ref]rows.LiveFact{}
	for i, s := range rep.Sources {
		if s.Kind != runtime.KindWorkflow || s.Hash == "" {
			continue
		}
		r := rows.Ref{Kind: s.Kind, ID: s.ID}
		f := rows.LiveFact{Hash: s.Hash, Since: s.Since}
		for _, before := range []rows.LiveFact{last[r], rec.live[r]} {
			if before.Hash == s.Hash {
				f = before
				break
			}
		}
		if s.Error == nil {
			f.CodeID = current[r]
		}
		rep.Sources[i].Since = f.Since
		facts[r] = f
	}
	rec.live = facts
}

// ended notes that no worker runs any more. The report stays: the row of a
// stopped project says what it ran last.
func (rec *record) ended(at time.Time) {
	rec.phase = absent
	rec.drain = nil
	rec.sources, rec.vanished, rec.shells, rec.moves = nil, nil, nil, nil
	rec.again = time.Time{}
	rec.stoppedAt = at
}

// nothingLive says whether no workflow of a report is served.
func nothingLive(rep runtime.Report) bool {
	for _, s := range rep.Sources {
		if s.Kind == runtime.KindWorkflow && s.Hash != "" {
			return false
		}
	}
	return true
}

// card is what others than the pass may see of a record.
type card struct {
	workerID    string
	status      string
	phase       phase
	fingerprint string
	identity    string
	refs        []string
	kept        int // sources whose text has to be in the database; -1 while that is being written
	broken      int
	workflows   int  // with live code
	rowWritten  bool // as it should be
	drain       *drain
	stand       stand
}

func (rec *record) card() card {
	c := card{
		workerID:    rec.workerID,
		status:      rec.status(),
		phase:       rec.phase,
		fingerprint: rec.fingerprint,
		identity:    rec.identity,
		refs:        rec.refs,
		kept:        rec.kept(),
		rowWritten:  rec.rowWritten != "",
		drain:       rec.drain,
		stand:       rec.stand(),
	}
	if c.status != rows.StatusStopped {
		c.broken = len(broken(rec.report))
		c.workflows = len(rec.live)
	}
	return c
}

// stand is how the project is here, for where it is to run.
func (rec *record) stand() stand {
	return stand{phase: rec.phase, mine: rec.mine, stopped: rec.status() == rows.StatusStopped, restarting: rec.restartCause != "", putOff: rec.putOff}
}

// kept counts what is live, once the database should have it.
func (rec *record) kept() (n int) {
	if rec.phase != running || rec.liveStale {
		return -1
	}
	for _, s := range rec.report.Sources {
		if s.Hash != "" {
			n++
		}
	}
	return n
}

// moved notes that the rows are another database's than those of before.
func (rec *record) moved(s *rows.Snapshot) {
	rec.rowWritten = ""
	rec.lastMove = 0
	rec.claimed = nil
	if s.Restart.At.Before(rec.restart.At) {
		rec.restart = s.Restart
	}
}
