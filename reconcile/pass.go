package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime/logkey"
)

// pass looks at one project and brings it a step nearer to what it should be.
// An error means that it has to be looked at again soon.
func (r *Reconciler) pass(ctx context.Context, rec *record, n note, asked time.Time) error {
	if err := r.takeIn(ctx, rec, n, asked); err != nil {
		return err
	}
	s, mine, err := r.readProject(ctx, rec, n)
	if err != nil {
		return err
	}
	if s == nil {
		return r.nothingToDo(ctx, rec)
	}
	if err := r.recognize(ctx, rec, s, n.lost); err != nil {
		return r.noted(ctx, rec, "write", err)
	}
	claimed, err := r.requests.claim(ctx, rec, mine)
	if err != nil {
		return r.noted(ctx, rec, "requests", err)
	}
	dec := r.decide(rec, s)
	failed := r.execute(ctx, rec, s, dec)
	if rec.phase == running && newMoves(rec.moves, s.Moves) == 0 {
		rec.lastMove = max(rec.lastMove, s.LastMove)
	}
	wrote := r.noted(ctx, rec, "write", r.writeRows(ctx, rec, s))
	settled := r.noted(ctx, rec, "requests", r.requests.settle(ctx, rec, s, claimed))
	if wrote != nil || settled != nil {
		return errors.Join(failed, wrote, settled)
	}
	rec.fingerprint, rec.gone, rec.settled = s.Fingerprint, !s.Exists, true
	r.lookAgain(rec, dec.again)
	if failed == nil && dec.action != actStop {
		rec.asked = time.Time{}
	}
	return failed
}

// takeIn takes over what was noted of the project since the last pass, and what ended meanwhile.
func (r *Reconciler) takeIn(ctx context.Context, rec *record, n note, asked time.Time) error {
	if rec.asked.IsZero() {
		rec.asked = asked
	}
	if n.rewrite {
		rec.rowWritten = ""
	}
	if rec.drain != nil && rec.drain.over() {
		if err := r.drained(ctx, rec); err != nil {
			return err
		}
	}
	if n.lost {
		rec.fingerprint = ""
	}
	rec.noteDeath(n.died)
	if n.suspect || rec.uncertain {
		r.settlePhase(ctx, rec)
	}
	r.place(rec)
	if rec.check != nil && rec.check.over() {
		rec.check, rec.fingerprint = nil, ""
	}
	return nil
}

// readProject reads the project's rows: nil if there is nothing to do about them. What hides rows is an
// error, as a database that doesn't answer is.
func (r *Reconciler) readProject(ctx context.Context, rec *record, n note) (s *rows.Snapshot, mine []string, err error) {
	s, mine, err = r.lookAtRows(ctx, rec, n.hinted || n.lost || rec.fingerprint == "")
	if err == nil && rec.lacks(s) {
		err = rows.ReadHidden(ctx, r.db)
	}
	if err != nil {
		rec.fingerprint = ""
		r.quiet.Fail(ctx, "database", "reading a project failed", err, logkey.Project, rec.id)
		return nil, nil, err
	}
	r.quiet.Recover(ctx, "database", "the database answers again")
	return s, mine, nil
}

// nothingToDo ends a pass that found the rows as they were.
func (r *Reconciler) nothingToDo(ctx context.Context, rec *record) error {
	rec.asked = time.Time{}
	if !rec.due.IsZero() {
		r.queue.after(rec.id, time.Until(rec.due))
	}
	return r.noted(ctx, rec, "write", r.writeIfAny(ctx, rec, rec.taskQueue))
}

// recognize takes over which database the rows were read from. Where that is another one than
// before, or rows may have been lost, it finds out what became of those that were written.
func (r *Reconciler) recognize(ctx context.Context, rec *record, s *rows.Snapshot, lost bool) error {
	rec.fingerprint, rec.refs, rec.gone = "", s.Refs, false
	another := rec.identity != "" && rec.identity != s.Identity
	if another {
		rec.moved(s)
	}
	if another || lost || rec.doubtful {
		rec.doubtful = true // until it is known
		if err := r.findLost(ctx, rec); err != nil {
			return err
		}
		rec.doubtful = false
	}
	rec.identity = s.Identity
	return nil
}

// decide plans the next step.
func (r *Reconciler) decide(rec *record, s *rows.Snapshot) decision {
	busy := rec.elsewhere && rec.phase == running && (rec.check != nil || len(rec.claimed) > 0)
	if busy {
		rec.elsewhere = false // what it has taken on it finishes
	}
	dec := plan(rec.observed, s.Desired, time.Now(), r.cfg.RemovalGrace)
	if busy {
		dec.again = soonest(dec.again, listenForMoves)
	}
	rec.putOff = false
	if dec.action == actStart && rec.restartCause == "" {
		if wait := r.places.room(); wait > 0 {
			dec.action, dec.again, rec.putOff = actNothing, wait, true
		}
	}
	rec.vanished = dec.vanished
	if dec.changed {
		r.queue.forget(rec.id)
	}
	if dec.rest {
		rec.failure = nil
	}
	return dec
}

// lookAgain has the project looked at after again, or sooner if the record wants it; 0 is never.
func (r *Reconciler) lookAgain(rec *record, again time.Duration) {
	rec.due = time.Time{}
	if rec.phase == running && !rec.again.IsZero() {
		again = soonest(again, max(time.Until(rec.again), time.Millisecond))
	}
	if again > 0 {
		rec.due = time.Now().Add(again)
		r.queue.after(rec.id, again)
	}
}

// lacks says whether what was read lacks the project, or all its code, or some of what runs here. A
// policy that somebody dropped looks the same.
func (rec *record) lacks(s *rows.Snapshot) bool {
	if s == nil {
		return false
	}
	return !s.Exists || len(s.Sources) == 0 || rec.phase == running && slices.ContainsFunc(rec.sources, func(was liveSource) bool {
		return !s.SwitchedOff[was.Ref] && !slices.ContainsFunc(s.Sources, func(is rows.Source) bool { return is.Ref == was.Ref })
	})
}

// place takes over whether the project is this replica's.
func (r *Reconciler) place(rec *record) {
	was, wasElsewhere := rec.mine, rec.elsewhere
	rec.mine, rec.elsewhere = r.places.verdict(rec.id, rec.stand().at())
	rec.settled = false
	if rec.mine != was || rec.elsewhere != wasElsewhere {
		rec.fingerprint = "" // there is something to do, whatever the rows say
	}
}

// noted logs a failure of the database, and makes the next pass read all.
func (r *Reconciler) noted(ctx context.Context, rec *record, kind string, err error) error {
	if err != nil {
		rec.fingerprint = ""
		r.quiet.Fail(ctx, kind, "writing a project's state failed", err, logkey.Project, rec.id)
	}
	return err
}

// lookAtRows reads the project if there is anything to do about it, else it
// returns nil; and the open requests that are this replica's to deal with. If
// there is likely to be, all is one exchange with the database: somebody waits.
func (r *Reconciler) lookAtRows(ctx context.Context, rec *record, likely bool) (s *rows.Snapshot, mine []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	defer func() {
		if err != nil {
			s, mine, err = nil, nil, fmt.Errorf("read project %s: %w", rec.id, err)
		}
	}()
	c, err := r.cfg.Pool.Acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer c.Release() // which closes one whose transaction isn't over
	b := &pgx.Batch{}
	c.Begin(b, rows.SnapshotBegin...)
	glanced := rows.QueueGlance(b, r.identify, rec.id, rec.refs)
	var project func(rows.Glance) *rows.Snapshot
	if likely {
		project = rows.QueueSnapshot(b, rec.id, rec.phase != running)
		b.Queue(`COMMIT`)
	}
	if err := c.SendBatch(ctx, b).Close(); err != nil {
		return nil, nil, err
	}
	g := glanced()
	if mine, err = r.requests.mine(ctx, c, rec, g); err != nil {
		return nil, nil, err
	}
	due := !rec.due.IsZero() && !time.Now().Before(rec.due)
	nothing := g.Fingerprint == rec.fingerprint && g.Identity == rec.identity && len(mine) == 0 && !due
	if !likely {
		b = &pgx.Batch{}
		if !nothing {
			project = rows.QueueSnapshot(b, rec.id, rec.phase != running)
		}
		b.Queue(`COMMIT`)
		if err := c.SendBatch(ctx, b).Close(); err != nil {
			return nil, nil, err
		}
	}
	if nothing {
		return nil, mine, nil
	}
	return project(g), mine, nil
}

// writeRows makes the rows say what is.
func (r *Reconciler) writeRows(ctx context.Context, rec *record, s *rows.Snapshot) error {
	if !s.Exists {
		if rec.phase != absent || rec.rowWritten == "" {
			return nil
		}
		return rows.EndWorker(ctx, r.db, rec.workerID)
	}
	queue := rec.taskQueue
	if rec.phase == absent {
		queue = s.TaskQueue
	}
	return r.writeIfAny(ctx, rec, queue)
}

// writeIfAny writes the row of a project that has something to say: one that
// never ran here, and isn't meant to, has no row.
func (r *Reconciler) writeIfAny(ctx context.Context, rec *record, taskQueue string) error {
	if rec.phase == absent && rec.failure == nil && rec.stoppedAt.IsZero() || rec.gone {
		return nil
	}
	return r.writeRecord(ctx, rec, taskQueue, rec.status())
}

// settlePhase asks the runner whether a project's worker is there, when
// something says that the record may be wrong.
func (r *Reconciler) settlePhase(ctx context.Context, rec *record) {
	lives := slices.Contains(r.runner.Running(), rec.id)
	switch {
	case rec.phase == running && !lives:
		r.log.WarnContext(ctx, "a worker ended by itself", logkey.Project, rec.id)
		rec.ended(time.Now())
		rec.fingerprint = ""
	case rec.phase == absent && lives:
		r.beginDrain(ctx, rec, "an attempt to start it failed halfway")
	}
	rec.uncertain = false
}
