package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/migrations/database"
	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime/logkey"
)

// pass looks at one project and brings it a step nearer to what it should be.
// An error means that it has to be looked at again soon.
func (r *Reconciler) pass(ctx context.Context, rec *record, n note, asked time.Time) error {
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
	if n.suspect || rec.uncertain {
		r.settlePhase(ctx, rec)
	}

	if rec.check != nil && rec.check.over() {
		rec.check, rec.fingerprint = nil, ""
	}

	s, mine, err := r.lookAtRows(ctx, rec, n.hinted || n.lost || rec.fingerprint == "")
	if err != nil {
		rec.fingerprint = ""
		r.quiet.Fail(ctx, "database", "reading a project failed", err, logkey.Project, rec.id)
		return err
	}
	r.quiet.Recover(ctx, "database", "the database answers again")
	if s == nil {
		rec.asked = time.Time{}
		if !rec.due.IsZero() {
			r.queue.after(rec.id, time.Until(rec.due))
		}
		return r.noted(ctx, rec, "write", r.writeIfAny(ctx, rec, rec.taskQueue))
	}

	rec.fingerprint, rec.refs, rec.gone = "", s.Refs, false
	another := rec.identity != "" && rec.identity != s.Identity
	if another {
		rec.moved(s)
	}
	if another || n.lost || rec.doubtful {
		rec.doubtful = true // until it is known
		if err := r.findLost(ctx, rec); err != nil {
			return r.noted(ctx, rec, "write", err)
		}
		rec.doubtful = false
	}
	rec.identity = s.Identity
	claimed, err := r.claim(ctx, rec, mine)
	if err != nil {
		return r.noted(ctx, rec, "requests", err)
	}
	dec := plan(rec.observed, s.Desired, time.Now(), r.cfg.RemovalGrace)
	rec.vanished = dec.vanished
	if dec.changed {
		r.queue.forget(rec.id)
	}
	if dec.rest {
		rec.failure = nil
	}
	failed := r.execute(ctx, rec, s, dec)
	if rec.phase == running && newMoves(rec.moves, s.Moves) == 0 {
		rec.lastMove = max(rec.lastMove, s.LastMove)
	}

	wrote := r.noted(ctx, rec, "write", r.writeRows(ctx, rec, s))
	settled := r.noted(ctx, rec, "requests", r.settle(ctx, rec, s, claimed))
	if wrote != nil || settled != nil {
		return errors.Join(failed, wrote, settled)
	}
	rec.fingerprint, rec.gone = s.Fingerprint, !s.Exists
	rec.due = time.Time{}
	again := dec.again
	if rec.phase == running && !rec.again.IsZero() {
		again = soonest(again, max(time.Until(rec.again), time.Millisecond))
	}
	if again > 0 {
		rec.due = time.Now().Add(again)
		r.queue.after(rec.id, again)
	}
	if failed == nil && dec.action != actStop {
		rec.asked = time.Time{}
	}
	return failed
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
	c.Begin(b, `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`)
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
	if mine, err = r.mine(ctx, c, rec, g); err != nil {
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

// mine says which of a project's open requests are this replica's to deal with.
func (r *Reconciler) mine(ctx context.Context, c *database.Conn, rec *record, g rows.Glance) ([]string, error) {
	lease := r.cfg.deadAfter()
	may := claimable(g.Open, rec.claimed, g.At, lease, false)
	if len(may) < len(g.Open) {
		alone, err := rows.Alone(ctx, c, r.cfg.Replica, lease)
		if err != nil {
			return nil, err
		}
		may = claimable(g.Open, rec.claimed, g.At, lease, alone)
	}
	if others := len(g.Open) - len(may); others > 0 && movesComing(g.Open) {
		r.queue.after(rec.id, listenForMoves)
	}
	return rec.turn(may), nil
}

// claim takes on requests.
func (r *Reconciler) claim(ctx context.Context, rec *record, ids []string) ([]rows.Request, error) {
	keep := map[string]bool{}
	if rec.check != nil {
		keep[rec.check.request.ID] = true
	}
	if len(ids) == 0 {
		rec.claimed = keep
		return nil, nil
	}
	claimed, err := rows.ClaimRequests(ctx, r.db, ids)
	if err != nil {
		return nil, err
	}
	rec.claimed = keep
	for _, q := range claimed {
		rec.claimed[q.ID] = true
	}
	return claimed, nil
}

// settle finishes the claimed requests that are fulfilled or can't be.
func (r *Reconciler) settle(ctx context.Context, rec *record, s *rows.Snapshot, claimed []rows.Request) error {
	if len(claimed) == 0 {
		return nil
	}
	st := standing{
		Desired: s.Desired, window: s.Window, phase: rec.phase, restart: rec.restart, lastMove: rec.lastMove, failure: rec.failure,
		deadline: r.cfg.RequestDeadline, now: s.At,
	}
	var err error
	if s.Exists {
		if st.others, err = rows.ReadOthers(ctx, r.db, rec.id, rec.workerID, r.cfg.deadAfter()); err != nil {
			return err
		}
	}
	var verdicts []rows.Verdict
	var wait time.Duration
	for _, q := range claimed {
		v := judge(q, st)
		if v.Status == "" && q.AboutCode() && !q.Checked && rec.phase == running {
			rec.check = r.checks.begin(ctx, rec.id, q)
			continue
		}
		if v.Status == "" {
			wait = soonest(wait, patience(q, s.At))
			continue
		}
		verdicts = append(verdicts, v)
		if q.AboutCode() && !q.Checked {
			r.queue.resync(rec.id) // it's the next one's turn
		}
	}
	if wait > 0 {
		r.queue.after(rec.id, wait)
	}
	if len(verdicts) == 0 {
		return nil
	}
	if err := rows.FinishRequests(ctx, r.db, r.cfg.Replica, verdicts); err != nil {
		return err
	}
	r.quiet.Recover(ctx, "requests", "requests are finished again")
	for _, v := range verdicts {
		delete(rec.claimed, v.ID)
		r.log.InfoContext(ctx, "finished a request", logkey.Project, rec.id, logkey.Request, v.ID, logkey.Status, v.Status, logkey.Reason, v.Reason)
	}
	return nil
}

// patience is how long to wait before looking again whether a request, which
// depends on other replicas, is fulfilled: the longer the longer it has been.
func patience(q rows.Request, now time.Time) time.Duration {
	const least, most = 100 * time.Millisecond, 5 * time.Second
	if q.StartedAt == nil {
		return least
	}
	return min(max(now.Sub(*q.StartedAt)/2, least), most)
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
