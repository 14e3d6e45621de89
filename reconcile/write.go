package reconcile

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime/logkey"
)

// writeRecord brings the record's row, and what is live, to the database, as
// far as they aren't there yet. status overrides the record's own while an
// action is about to be taken.
func (r *Reconciler) writeRecord(ctx context.Context, rec *record, taskQueue, status string) error {
	metadata := rec.metadata(r.cfg.Replica)
	metadata.HeartbeatSeconds = r.cfg.HeartbeatInterval.Seconds()
	text, err := metadata.Encode()
	if err != nil {
		return err
	}
	row := rows.Worker{
		WorkerID: rec.workerID, ProjectID: rec.id, TaskQueue: taskQueue, Host: r.cfg.Host, Status: status,
		StartedAt: rec.startedAt, StoppedAt: rec.stoppedAt, Metadata: text,
	}
	key := rows.DigestOf(row.TaskQueue, row.Status, row.StartedAt.String(), row.StoppedAt.String(), row.Metadata)
	if key == rec.rowWritten && !rec.liveStale && len(rec.events) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	b := &pgx.Batch{}
	rows.QueueWorker(b, row)
	if rec.liveStale {
		rows.QueueLiveCode(b, rec.id, row.TaskQueue, rec.report, rec.live)
		if err := rows.QueuePeriods(b, rec.id, row.TaskQueue, rec.report); err != nil {
			return err
		}
	}
	if err := rows.QueueEvents(b, r.cfg.Replica, rec.id, rec.events); err != nil {
		return err
	}
	if err := r.db.SendBatch(ctx, b); err != nil {
		if rows.ProjectGone(err) { // deleted since it was read; the next look finds that
			rec.fingerprint = ""
			return nil
		}
		return fmt.Errorf("write the worker's row: %w", err)
	}
	r.quiet.Recover(ctx, "write", "projects' states are written again")
	rec.rowWritten, rec.liveStale, rec.events = key, false, nil
	return nil
}

// findLost looks whether the database still has what the service keeps there of a
// running project, and arranges for what it lacks.
func (r *Reconciler) findLost(ctx context.Context, rec *record) error {
	var kinds, ids, hashes []string
	for _, s := range rec.report.Sources {
		if s.Hash != "" {
			kinds, ids, hashes = append(kinds, s.Kind), append(ids, s.ID), append(hashes, s.Hash)
		}
	}
	if rec.phase != running || len(hashes) == 0 {
		return nil
	}
	live, code, err := rows.FindLost(ctx, r.db, rec.id, kinds, ids, hashes)
	if err != nil {
		return err
	}
	rec.lost = code
	if live || code {
		rec.liveStale = true
		r.log.WarnContext(ctx, "the database has lost what the service keeps there, writing it again", logkey.Project, rec.id)
	}
	return nil
}
