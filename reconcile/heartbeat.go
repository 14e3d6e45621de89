package reconcile

import (
	"context"
	"time"

	"workflow-worker/reconcile/logkey"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
)

// heartbeats keeps this replica's rows fresh and looks after dead replicas'
// rows until ctx ends.
func (r *Reconciler) heartbeats(ctx context.Context) {
	wait := r.cfg.HeartbeatInterval
	lastGood := time.Now()
	for failures := 0; trouble.Sleep(ctx, wait); {
		err := r.heartbeat(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			r.quiet.Fail(ctx, "heartbeat", "heartbeat failed", err)
			failures++
			wait = min(r.cfg.HeartbeatInterval, time.Second<<min(failures-1, 5))
			continue
		}
		r.quiet.Recover(ctx, "heartbeat", "heartbeats reach the database again")
		// After an outage the others have had no chance either to refresh their
		// rows: give them an interval before calling them dead.
		if time.Since(lastGood) < 2*r.cfg.HeartbeatInterval {
			if err := r.reap(ctx); err != nil && ctx.Err() == nil {
				r.quiet.Fail(ctx, "reap", "looking for dead replicas failed", err)
			}
		}
		lastGood, failures, wait = time.Now(), 0, r.cfg.HeartbeatInterval
	}
}

// heartbeat refreshes all rows of this replica in one statement. A row that
// somebody deleted, or changed (another replica that believed us dead), is
// written again. So is one that couldn't be written lately, which has its
// heartbeat all the same: the worker lives. And a row that somebody holds a lock on
// doesn't keep the others from theirs.
func (r *Reconciler) heartbeat(ctx context.Context) error {
	mine := map[string]string{} // project by worker id
	ids := []string{}
	status := map[string]string{}
	r.mu.Lock()
	for id, c := range r.cards {
		if c.status != rows.StatusStopped {
			mine[c.workerID] = id
			ids = append(ids, c.workerID)
			status[c.workerID] = c.status
		}
	}
	r.mu.Unlock()
	found, err := rows.RefreshHeartbeats(ctx, r.db, ids)
	if err != nil {
		return err
	}
	for worker, project := range mine {
		// A row between two states looks changed too; writing it again is cheap.
		if found[worker] != status[worker] {
			r.rewrite(project)
		}
	}
	return nil
}

// reap marks the rows of dead replicas as failed, so that the Workflow Builder
// doesn't show workers that nobody runs, and drops rows that nobody has owned
// for a long time: each process with a new name leaves one per project.
//
// A replica of which any row is fresh lives, whatever keeps it from the others.
func (r *Reconciler) reap(ctx context.Context) error {
	dead, err := rows.FailDeadWorkers(ctx, r.db, r.cfg.Replica, r.deadAfter())
	if err != nil {
		return err
	}
	for replica, n := range dead {
		r.log.WarnContext(ctx, "marked a dead replica's workers as failed", logkey.OtherReplica, replica, logkey.Projects, n)
	}
	return rows.RemoveOldWorkers(ctx, r.db, r.cfg.Replica, r.cfg.RowRetention)
}
