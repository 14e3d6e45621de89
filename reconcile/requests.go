package reconcile

import (
	"context"
	"slices"
	"time"

	"workflow-worker/migrations/database"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/upkeep"
	"workflow-worker/runtime/logkey"
)

// requests takes up and finishes worker_requests, within a pass over their project.
type requests struct {
	upkeep.Base
	queue  *workQueue
	checks *checks
	// lease is how long a claim holds while nothing is heard of who made it, deadline how long a
	// request may take.
	lease, deadline time.Duration
}

// mine says which of a project's open requests are this replica's to deal with.
func (d *requests) mine(ctx context.Context, c *database.Conn, rec *record, g rows.Glance) ([]string, error) {
	may := claimable(g.Open, rec.claimed, g.At, d.lease, false)
	if !rec.mine { // others take on what is asked
		may = slices.DeleteFunc(may, func(q rows.Request) bool { return !rec.claimed[q.ID] })
	} else if len(may) < len(g.Open) {
		alone, err := rows.Alone(ctx, c, d.Replica, d.lease)
		if err != nil {
			return nil, err
		}
		may = claimable(g.Open, rec.claimed, g.At, d.lease, alone)
	}
	if others := len(g.Open) - len(may); others > 0 && movesComing(g.Open) {
		d.queue.after(rec.id, listenForMoves)
	}
	return rec.turn(may), nil
}

// claim takes on requests.
func (d *requests) claim(ctx context.Context, rec *record, ids []string) ([]rows.Request, error) {
	keep := map[string]bool{}
	if rec.check != nil {
		keep[rec.check.request.ID] = true
	}
	if len(ids) == 0 {
		rec.claimed = keep
		return nil, nil
	}
	claimed, err := rows.ClaimRequests(ctx, d.DB, ids)
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
func (d *requests) settle(ctx context.Context, rec *record, s *rows.Snapshot, claimed []rows.Request) error {
	if len(claimed) == 0 {
		return nil
	}
	st := standing{
		Desired: s.Desired, window: s.Window, phase: rec.phase, restart: rec.restart, lastMove: rec.lastMove, failure: rec.failure,
		deadline: d.deadline, now: s.At,
	}
	var err error
	if s.Exists {
		if st.others, err = rows.ReadOthers(ctx, d.DB, rec.id, rec.workerID, d.lease); err != nil {
			return err
		}
	}
	var verdicts []rows.Verdict
	var wait time.Duration
	for _, q := range claimed {
		v := judge(q, st)
		if v.Status == "" && q.AboutCode() && !q.Checked && rec.phase == running {
			rec.check = d.checks.begin(ctx, rec.id, q)
			continue
		}
		if v.Status == "" {
			wait = soonest(wait, patience(q, s.At))
			continue
		}
		verdicts = append(verdicts, v)
		if q.AboutCode() && !q.Checked {
			d.queue.resync(rec.id) // it's the next one's turn
		}
	}
	if wait > 0 {
		d.queue.after(rec.id, wait)
	}
	if len(verdicts) == 0 {
		return nil
	}
	if err := rows.FinishRequests(ctx, d.DB, d.Replica, verdicts); err != nil {
		return err
	}
	d.Trouble.Recover(ctx, "requests", "requests are finished again")
	for _, v := range verdicts {
		delete(rec.claimed, v.ID)
		d.Log.InfoContext(ctx, "finished a request", logkey.Project, rec.id, logkey.Request, v.ID, logkey.Status, v.Status, logkey.Reason, v.Reason)
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
