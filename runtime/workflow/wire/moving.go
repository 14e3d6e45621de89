package wire

import (
	"context"
	"errors"
	"slices"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"

	"workflow-worker/runtime/logkey"
)

type misfit struct{ runID, hash string }

// maxMisfits bounds the memory of misfits; one that is forgotten is tried again.
const maxMisfits = 4096

// moves reports whether a task is of an execution in the SDK's cache that is to go on with other
// code.
func (t *Tasks) moves(task *workflowservice.PollWorkflowTaskQueueResponse) bool {
	if len(task.GetTaskToken()) == 0 || task.GetQuery() != nil || beginning(task.GetHistory().GetEvents()) != nil {
		return false
	}
	return t.movesNext(task.GetTaskToken())
}

func (t *Tasks) movesNext(token []byte) bool {
	t.mu.Lock()
	o, ok := t.open[string(token)]
	r := t.runs[o.runID]
	if !ok || o.query || r == nil || r.cached == nil {
		t.mu.Unlock()
		return false
	}
	k := r.cached
	t.mu.Unlock()
	wanted, moves := k.Moves()
	return moves && !t.Refused(o.runID, wanted)
}

// beginAgain gives the task the history from its beginning. The SDK sees that this isn't what
// follows on the state in its cache, and makes a new one, on the code that is wanted then; no task
// fails. If the history can't be had, the execution goes on as it is until its next task.
func (t *Tasks) beginAgain(ctx context.Context, namespace string, task *workflowservice.PollWorkflowTaskQueueResponse) {
	t.mu.Lock()
	api := t.api
	t.mu.Unlock()
	// The poll's own time may be nearly over: it waited for a task.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), againTimeout)
	defer cancel()
	page, err := firstPage(ctx, api, namespace, task.GetWorkflowExecution(), task)
	if errors.Is(err, errOver) {
		return
	}
	if err != nil {
		if k, p := t.cached(task.GetTaskToken()); k != nil {
			p.Logger.Warn("an execution keeps its code until the next task: its history can't be read", logkey.WorkflowID, task.GetWorkflowExecution().GetWorkflowId(),
				logkey.RunID, task.GetWorkflowExecution().GetRunId(), logkey.Error, err)
		}
		return
	}
	task.History, task.NextPageToken = page.GetHistory(), page.GetNextPageToken()
}

// againTimeout leaves time for the task itself, which has ten seconds by default.
const againTimeout = 3 * time.Second

// History reads the whole history of an execution with an open task; nil in a replay.
func (t *Tasks) History(ctx context.Context, runID string) (*historypb.History, error) {
	if t == nil {
		return nil, nil
	}
	t.mu.Lock()
	r, api := t.runs[runID], t.api
	t.mu.Unlock()
	if r == nil || api == nil {
		return nil, nil
	}
	return ReadHistory(r.id.GetWorkflowId(), eventsOf(ctx, api, r.namespace, r.id))
}

// Refuse notes code that doesn't fit an execution.
func (t *Tasks) Refuse(runID, hash string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.misfits = append(t.misfits, misfit{runID, hash})
	if len(t.misfits) > maxMisfits {
		t.misfits = slices.Delete(t.misfits, 0, maxMisfits/2)
	}
}

// Refused tells whether that was found before.
func (t *Tasks) Refused(runID, hash string) bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Contains(t.misfits, misfit{runID, hash})
}
