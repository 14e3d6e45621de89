package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/migrations/database"
	"workflow-worker/reconcile/logkey"
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

	rec.fingerprint, rec.refs, rec.gone = "", s.refs, false
	another := rec.identity != "" && rec.identity != s.identity
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
	rec.identity = s.identity
	claimed, err := r.claim(ctx, rec, mine)
	if err != nil {
		return r.noted(ctx, rec, "requests", err)
	}
	dec := plan(rec.observed, s.desired, time.Now(), r.cfg.RemovalGrace)
	rec.vanished = dec.vanished
	if dec.changed {
		r.queue.forget(rec.id)
	}
	if dec.rest {
		rec.failure = nil
	}
	failed := r.execute(ctx, rec, s, dec)
	if rec.phase == running && newMoves(rec.moves, s.moves) == 0 {
		rec.lastMove = max(rec.lastMove, s.lastMove)
	}

	wrote := r.noted(ctx, rec, "write", r.writeRows(ctx, rec, s))
	settled := r.noted(ctx, rec, "requests", r.settle(ctx, rec, s, claimed))
	if wrote != nil || settled != nil {
		return errors.Join(failed, wrote, settled)
	}
	rec.fingerprint, rec.gone = s.fingerprint, !s.exists
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
func (r *Reconciler) lookAtRows(ctx context.Context, rec *record, likely bool) (s *snapshot, mine []string, err error) {
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
	glanced := r.queueGlance(b, rec.id, rec.refs)
	var project func(glance) *snapshot
	if likely {
		project = queueProject(b, rec.id, rec.phase != running)
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
	nothing := g.fingerprint == rec.fingerprint && g.identity == rec.identity && len(mine) == 0 && !due
	if !likely {
		b = &pgx.Batch{}
		if !nothing {
			project = queueProject(b, rec.id, rec.phase != running)
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
func (r *Reconciler) mine(ctx context.Context, c *database.Conn, rec *record, g glance) ([]string, error) {
	lease := r.deadAfter()
	may := claimable(g.open, rec.claimed, g.at, lease, false)
	if len(may) < len(g.open) {
		alone, err := r.alone(ctx, c)
		if err != nil {
			return nil, err
		}
		may = claimable(g.open, rec.claimed, g.at, lease, alone)
	}
	if others := len(g.open) - len(may); others > 0 && movesComing(g.open) {
		r.queue.after(rec.id, listenForMoves)
	}
	return rec.turn(may), nil
}

// claim takes on requests.
func (r *Reconciler) claim(ctx context.Context, rec *record, ids []string) ([]request, error) {
	keep := map[string]bool{}
	if rec.check != nil {
		keep[rec.check.request.id] = true
	}
	if len(ids) == 0 {
		rec.claimed = keep
		return nil, nil
	}
	claimed, err := r.claimRequests(ctx, ids)
	if err != nil {
		return nil, err
	}
	rec.claimed = keep
	for _, q := range claimed {
		rec.claimed[q.id] = true
	}
	return claimed, nil
}

// settle finishes the claimed requests that are fulfilled or can't be.
func (r *Reconciler) settle(ctx context.Context, rec *record, s *snapshot, claimed []request) error {
	if len(claimed) == 0 {
		return nil
	}
	st := standing{
		desired: s.desired, window: s.window, phase: rec.phase, restart: rec.restart, lastMove: rec.lastMove, failure: rec.failure,
		deadline: r.cfg.RequestDeadline, now: s.at,
	}
	var err error
	if s.exists {
		if st.others, err = r.readOthers(ctx, rec.id); err != nil {
			return err
		}
	}
	var verdicts []verdict
	var wait time.Duration
	for _, q := range claimed {
		v := judge(q, st)
		if v.status == "" && q.aboutCode() && !q.checked && rec.phase == running {
			r.beginCheck(ctx, rec, q)
			continue
		}
		if v.status == "" {
			wait = soonest(wait, patience(q, s.at))
			continue
		}
		verdicts = append(verdicts, v)
		if q.aboutCode() && !q.checked {
			r.queue.resync(rec.id) // it's the next one's turn
		}
	}
	if wait > 0 {
		r.queue.after(rec.id, wait)
	}
	if len(verdicts) == 0 {
		return nil
	}
	if err := r.finishRequests(ctx, verdicts); err != nil {
		return err
	}
	r.quiet.Recover(ctx, "requests", "requests are finished again")
	for _, v := range verdicts {
		delete(rec.claimed, v.id)
		r.log.InfoContext(ctx, "finished a request", logkey.Project, rec.id, logkey.Request, v.id, "status", v.status, "reason", v.reason)
	}
	return nil
}

// patience is how long to wait before looking again whether a request, which
// depends on other replicas, is fulfilled: the longer the longer it has been.
func patience(q request, now time.Time) time.Duration {
	const least, most = 100 * time.Millisecond, 5 * time.Second
	if q.startedAt == nil {
		return least
	}
	return min(max(now.Sub(*q.startedAt)/2, least), most)
}

// writeRows makes the rows say what is.
func (r *Reconciler) writeRows(ctx context.Context, rec *record, s *snapshot) error {
	if !s.exists {
		if rec.phase != absent || rec.rowWritten == "" {
			return nil
		}
		return r.writeStopped(ctx, rec.workerID)
	}
	queue := rec.taskQueue
	if rec.phase == absent {
		queue = s.taskQueue
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
	lives := slices.Contains(r.cfg.Runner.Running(), rec.id)
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
