package upkeep

import (
	"context"
	"maps"
	"slices"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/runtime/logkey"
)

// HeartbeatConfig is what NewHeartbeat needs. All of it is required.
type HeartbeatConfig struct {
	Base
	Interval  time.Duration
	DeadAfter time.Duration // the age at which a heartbeat means that its replica is dead
	Retention time.Duration // how long the rows of replicas that are gone are kept
	// Workers gives this replica's rows that don't say stopped, by worker id.
	Workers func() map[string]Worker
	// Rewrite is told of a project whose row isn't what was written.
	Rewrite func(projectID string)
}

// Worker is a row of this replica.
type Worker struct{ ProjectID, Status string }

// Heartbeat keeps this replica's rows fresh and looks after dead replicas' rows.
type Heartbeat struct{ HeartbeatConfig }

// NewHeartbeat returns one that does nothing until Run.
func NewHeartbeat(cfg HeartbeatConfig) *Heartbeat { return &Heartbeat{cfg} }

// Run beats until ctx ends.
func (s *Heartbeat) Run(ctx context.Context) {
	wait := s.Interval
	lastGood := time.Now()
	for failures := 0; trouble.Sleep(ctx, wait); {
		err := s.Beat(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			s.Trouble.Fail(ctx, "heartbeat", "heartbeat failed", err)
			failures++
			wait = min(s.Interval, time.Second<<min(failures-1, 5))
			continue
		}
		s.Trouble.Recover(ctx, "heartbeat", "heartbeats reach the database again")
		// After an outage the others have had no chance either to refresh their
		// rows: give them an interval before calling them dead.
		if time.Since(lastGood) < 2*s.Interval {
			if err := s.Reap(ctx); err != nil && ctx.Err() == nil {
				s.Trouble.Fail(ctx, "reap", "looking for dead replicas failed", err)
			}
		}
		lastGood, failures, wait = time.Now(), 0, s.Interval
	}
}

// Beat refreshes all rows of this replica in one statement. A row that
// somebody deleted, or changed (another replica that believed us dead), is
// written again. So is one that couldn't be written lately, which has its
// heartbeat all the same: the worker lives. And a row that somebody holds a lock on
// doesn't keep the others from theirs.
func (s *Heartbeat) Beat(ctx context.Context) error {
	mine := s.Workers()
	found, err := rows.RefreshHeartbeats(ctx, s.DB, slices.Collect(maps.Keys(mine)))
	if err != nil {
		return err
	}
	for id, w := range mine {
		// A row between two states looks changed too; writing it again is cheap.
		if found[id] != w.Status {
			s.Rewrite(w.ProjectID)
		}
	}
	return nil
}

// Reap marks the rows of dead replicas as failed, so that the Workflow Builder
// doesn't show workers that nobody runs, and drops rows that nobody has owned
// for a long time: each process with a new name leaves one per project.
//
// A replica of which any row is fresh lives, whatever keeps it from the others.
func (s *Heartbeat) Reap(ctx context.Context) error {
	dead, err := rows.FailDeadWorkers(ctx, s.DB, s.Replica, s.DeadAfter)
	if err != nil {
		return err
	}
	for replica, n := range dead {
		s.Log.WarnContext(ctx, "marked a dead replica's workers as failed", logkey.OtherReplica, replica, logkey.Projects, n)
	}
	return rows.RemoveOldWorkers(ctx, s.DB, s.Replica, s.Retention)
}
