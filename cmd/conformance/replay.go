package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	sdkworkflow "go.temporal.io/sdk/workflow"

	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/workflow"
	"workflow-worker/runtime/workflow/wire"
)

// replayer replays the histories of a project from scratch, in this process, with the service's own
// definition of a workflow and the code that it keeps for the executions. A query of a closed
// execution replays, too, but the SDK doesn't compare then what the code does with what is written.
type replayer struct {
	pool      *pgxpool.Pool
	projectID string
	compiler  *compile.Compiler

	mu    sync.Mutex                // guards codes
	codes map[string]*workflow.Code // by hash
}

func newReplayer(pool *pgxpool.Pool, projectID string) *replayer {
	return &replayer{pool: pool, projectID: projectID, compiler: compile.New(compile.Config{}), codes: map[string]*workflow.Code{}}
}

var errNotPinned = errors.New("the history doesn't say which code it is of")

// Current is for new executions, of which a replay has none.
func (r *replayer) Current(string) (*workflow.Code, string, error) { return nil, "", errNotPinned }

// Pinned reads and compiles the code of a hash.
func (r *replayer) Pinned(ctx context.Context, hash string) (*workflow.Code, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.codes[hash]; ok {
		return c, nil
	}
	source := compile.Source{Kind: compile.Workflow}
	kept := compile.StoredPackages{Kind: compile.Workflow}
	err := r.pool.QueryRow(ctx, `
SELECT s.name || '.ts', s.workflow_code, coalesce(b.hash, ''), b.names, coalesce(b.code, ''), coalesce(b.source_map, ''),
  coalesce(s.compiler_settings, $3)
FROM workflow_code_store s LEFT JOIN workflow_package_bundles b ON b.hash = s.packages
WHERE s.project_id = $1 AND s.hash = $2`, r.projectID, hash, compile.FirstSettings).Scan(&source.Name, &source.Text, &kept.Hash, &kept.Names, &kept.Code, &kept.Map, &source.Settings)
	if err != nil {
		return nil, fmt.Errorf("find the code %s: %w", hash, err)
	}
	if kept.Hash != "" {
		if source.Packages, err = r.compiler.LoadPackages(kept); err != nil {
			return nil, err
		}
	}
	p, err := r.compiler.Compile(ctx, source)
	if err != nil {
		return nil, err
	}
	same := *p
	same.Hash = hash // a row's hash covers its activities, too
	c := workflow.NewCode(&same, workflow.CodeOptions{Probe: r.compiler.Probe})
	r.codes[hash] = c
	return c, nil
}

// Wanted keeps executions where they are.
func (r *replayer) Wanted(_ wire.RunInfo, ran wire.LastCode) wire.LastCode { return ran }

// Moved is for executions that went on with other code than the one they began on: cases move none.
func (r *replayer) Moved(_ context.Context, hash, _ string) (*workflow.Code, string, error) {
	return nil, "", fmt.Errorf("the execution was moved to the code %s", hash)
}

// notInReplay stands for local activities, whose results the history has.
func notInReplay(context.Context, workflow.LocalActivity, *commonpb.Payloads) (*commonpb.Payloads, error) {
	return nil, errors.New("a replay runs no activity")
}

// replay says how the code of a run differs from its history; nil if it doesn't.
func (r *replayer) replay(id string, run runHistory) error {
	begun := func(e *historypb.HistoryEvent) bool {
		return e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
	}
	if !slices.ContainsFunc(run.events, begun) {
		return nil // no code has run
	}
	history := &historypb.History{Events: run.events}
	tasks := wire.NewTasks()
	defer tasks.Replay(run.id, run.events)()
	w := worker.NewWorkflowReplayer()
	w.RegisterDynamicWorkflow(workflow.NewFactory(workflow.Options{ProjectID: r.projectID, Resolver: r, Tasks: tasks, LocalActivity: notInReplay}), sdkworkflow.DynamicRegisterOptions{})
	return w.ReplayWorkflowHistoryWithOptions(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)), history,
		worker.ReplayWorkflowHistoryOptions{OriginalExecution: sdkworkflow.Execution{ID: id, RunID: run.id}})
}

func (r *replayer) close() {
	for _, c := range r.codes {
		c.Close()
	}
	r.compiler.Close()
}
