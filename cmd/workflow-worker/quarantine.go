package main

import (
	"context"
	"errors"

	"workflow-worker/metrics"
	"workflow-worker/runtime"
	"workflow-worker/runtime/cell"
)

// quarantined is a runner that tells metrics which projects it won't start.
type quarantined struct {
	runner
	metrics *metrics.Metrics
}

// Start implements reconcile.Runner.
func (q quarantined) Start(ctx context.Context, p runtime.Project) (runtime.Report, error) {
	report, err := q.runner.Start(ctx, p)
	var held *cell.QuarantinedError
	switch {
	case errors.As(err, &held):
		q.metrics.ProjectQuarantined(p.ID, held.Until)
	case err == nil:
		q.metrics.ProjectLetGo(p.ID)
	}
	return report, err
}
