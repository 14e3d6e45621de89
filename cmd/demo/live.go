package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// worker is the project's row in workflow_workers.
type worker struct {
	ID, Status, TaskQueue string
	StartedAt             time.Time
	Metadata              metadata
}

// metadata is what the demo reads of workflow_workers.metadata.
type metadata struct {
	Error      string   `json:"error"`
	Workflows  []source `json:"workflows"`
	Components []source `json:"components"`
}

type source struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Version string    `json:"version"`
	Hash    string    `json:"hash"`
	Since   time.Time `json:"since"`
	Types   []string  `json:"types"`
}

var errNoWorker = errors.New("no worker has taken the project yet")

// readWorker returns the row of the replica that was heard of last.
func readWorker(ctx context.Context, db *pgx.Conn) (*worker, error) {
	const query = `
SELECT worker_id, status, task_queue_name, coalesce(started_at, 'epoch'), metadata
FROM workflow_workers WHERE project_id = $1 AND status NOT IN ('stopped')
ORDER BY last_heartbeat DESC NULLS LAST LIMIT 1`
	var w worker
	var text []byte
	err := db.QueryRow(ctx, query, projectID).Scan(&w.ID, &w.Status, &w.TaskQueue, &w.StartedAt, &text)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errNoWorker
	}
	if err != nil {
		return nil, fmt.Errorf("read workflow_workers: %w", err)
	}
	if err := json.Unmarshal(text, &w.Metadata); err != nil {
		return nil, fmt.Errorf("read workflow_workers.metadata: %w", err)
	}
	return &w, nil
}

// liveTimeout is generous: it takes milliseconds, or something is wrong.
const liveTimeout = 30 * time.Second

// waitLive waits until the worker says that it runs these versions (by workflow
// id), and returns when the last of them went live.
func waitLive(ctx context.Context, db *pgx.Conn, versions map[string]string) (at time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	last := errNoWorker
	for {
		w, err := readWorker(ctx, db)
		switch {
		case errors.Is(err, errNoWorker):
		case err != nil && ctx.Err() == nil:
			return time.Time{}, err
		case err == nil:
			if at, ok := w.runs(versions); ok {
				return at, nil
			}
			last = fmt.Errorf("the worker is %s", w.Status)
			if w.Metadata.Error != "" {
				last = fmt.Errorf("%w: %s", last, w.Metadata.Error)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("the code was not live within %s (%w): see the service's log in the terminal of `make dev`", liveTimeout, last)
		}
	}
}

func (w *worker) runs(versions map[string]string) (since time.Time, ok bool) {
	found := 0
	for _, s := range w.Metadata.Workflows {
		if want, asked := versions[s.ID]; asked && s.Version == want {
			found++
			if s.Since.After(since) {
				since = s.Since
			}
		}
	}
	return since, w.Status == "running" && found == len(versions)
}
