package reconcile

import (
	"context"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/upkeep"
)

// service is something that goes on beside the passes.
type service interface {
	Run(ctx context.Context)
}

// services are those that end with the passes; the heartbeat goes on until all is stopped.
func services(r *Reconciler) (list []service) {
	if r.cfg.Executions != nil {
		list = append(list, newCodeCleaner(r), newCensus(r), newKeptCode(r), newFailures(r))
	}
	if r.cfg.Polls != nil {
		list = append(list, upkeep.NewPolls(upkeep.PollsConfig{
			Trouble: r.quiet, Failing: r.cfg.Polls,
			Running: func() int { return r.totals.of(rows.StatusRunning) },
			Found:   shows(r, r.found.polls),
		}))
	}
	if r.cfg.Quarantine != nil {
		list = append(list, upkeep.NewWaiting(r.cfg.Quarantine, shows(r, r.found.waiting)))
	}
	return list
}

func base(r *Reconciler) upkeep.Base {
	return upkeep.Base{DB: r.db, Replica: r.cfg.Replica, Log: r.log, Trouble: r.quiet}
}

// shows takes over findings and has the rows of the projects written anew that they are about.
func shows[T any](r *Reconciler, f *findings[T]) func(map[string]T) {
	return func(found map[string]T) {
		changed := f.replace(found)
		r.mu.Lock()
		var here []string
		for _, id := range changed {
			if _, known := r.records[id]; known { // not cards: a first pass may be under way
				here = append(here, id)
			}
		}
		r.mu.Unlock()
		for _, id := range here {
			r.queue.resync(id)
		}
	}
}

func newHeartbeat(r *Reconciler) *upkeep.Heartbeat {
	return upkeep.NewHeartbeat(upkeep.HeartbeatConfig{
		Base: base(r), Interval: r.cfg.HeartbeatInterval, DeadAfter: r.cfg.deadAfter(), Retention: r.cfg.RowRetention,
		Workers: func() map[string]upkeep.Worker {
			mine := map[string]upkeep.Worker{}
			r.mu.Lock()
			defer r.mu.Unlock()
			for id, c := range r.cards {
				if c.status != rows.StatusStopped {
					mine[c.workerID] = upkeep.Worker{ProjectID: id, Status: c.status}
				}
			}
			return mine
		},
		Rewrite: r.rewrite,
	})
}

func newCodeCleaner(r *Reconciler) *upkeep.CodeCleaner {
	return upkeep.NewCodeCleaner(upkeep.CodeCleanerConfig{
		Base: base(r), Store: r.store, Executions: r.cfg.Executions,
		Interval: r.cfg.CodeInterval, Margin: r.cfg.CodeMargin, Retention: r.cfg.CodeRetention,
	})
}

func newCensus(r *Reconciler) *upkeep.Census {
	return upkeep.NewCensus(upkeep.CensusConfig{
		Base: base(r), Executions: r.cfg.Executions, Interval: r.cfg.CensusInterval, StoreInterval: r.cfg.CodeInterval,
		Projects: func() (ids []string, workflows int) {
			r.mu.Lock()
			defer r.mu.Unlock()
			for id, c := range r.cards {
				ids = append(ids, id)
				workflows += c.workflows
			}
			return ids, workflows
		},
		Found: shows(r, r.found.census), Observer: r.cfg.Observer,
	})
}

func newKeptCode(r *Reconciler) *upkeep.KeptCode {
	return upkeep.NewKeptCode(upkeep.KeptCodeConfig{
		Base: base(r), Reports: r.cfg.KeptCode, Executions: r.cfg.Executions, Interval: r.cfg.CensusInterval, RetryLimit: r.cfg.BackoffLimit,
		Found: shows(r, r.found.keptCode), Observer: r.cfg.Observer,
	})
}

func newFailures(r *Reconciler) *upkeep.Failures {
	return upkeep.NewFailures(upkeep.FailuresConfig{
		Base: base(r), Reports: r.cfg.Failures, Executions: r.cfg.Executions, Interval: r.cfg.CensusInterval, RetryLimit: r.cfg.BackoffLimit,
		Found: shows(r, r.found.failing), Observer: r.cfg.Observer,
	})
}
