package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	historypb "go.temporal.io/api/history/v1"

	"workflow-worker/runtime/replay"
	"workflow-worker/runtime/workflow"
	"workflow-worker/runtime/workflow/wire"
)

// Examined is a project as it would be served: compiled, evaluated and looked over as Start does,
// with the report that Start would give. Nothing of it runs, and nothing is kept.
type Examined struct {
	Report

	r       *Runner
	project Project
	live    *live
}

// Examine needs of the configuration only the compiler, and the store to replay stored code. Close
// ends it. What is wrong with the texts is in the report.
func Examine(ctx context.Context, cfg Config, p Project) (*Examined, error) {
	cfg = cfg.withDefaults()
	if cfg.Compiler == nil {
		return nil, errors.New("runtime: Config.Compiler is required")
	}
	x := &Examined{r: newRunner(cfg), project: p}
	b := reload{r: x.r, projectID: p.ID, taskQueue: p.TaskQueue, now: time.Now()}
	rows := b.rows(p)
	for i := range rows {
		rows[i].lastGood = nil // what is asked is whether the newest works
	}
	b.buildAhead(ctx, rows)
	for _, w := range rows {
		if err := b.row(ctx, w); err != nil {
			x.Close()
			return nil, err
		}
	}
	x.live = newLive(b.modules).withBroken(&b)
	x.Report = b.report(x.live)
	return x, nil
}

// Close gives back what the code was evaluated on.
func (x *Examined) Close() {
	x.r.runtimes.Close()
	if x.live == nil {
		return
	}
	for _, m := range x.live.modules {
		if m.Workflow != nil {
			m.Workflow.Close()
		}
		if m.Activity != nil {
			m.Activity.Close()
		}
	}
}

// Serving names the workflow rows that can be run, by their ids.
func (x *Examined) Serving() (ids []string) {
	for _, m := range x.live.modules {
		if m.Workflow != nil {
			ids = append(ids, m.id)
		}
	}
	return ids
}

// Against replays the open executions of a row's types on a task queue on the row's code, at most
// 500. Those that run it already are passed over.
func (x *Examined) Against(ctx context.Context, executions *replay.Executions, taskQueue, id string) (replay.Result, error) {
	m := x.live.find(KindWorkflow, id)
	if m == nil {
		return replay.Result{}, fmt.Errorf("%s can't be run", id)
	}
	return executions.Check(ctx, replay.Check{
		ProjectID: x.project.ID, TaskQueue: taskQueue, Types: typesOf(m),
		Code: m.Workflow, Serves: m.Serves, TaskTimeout: x.r.cfg.WorkflowTaskTimeout,
		Concerns: func(_ replay.Execution, last wire.LastCode) bool { return last.Hash != m.Text.Hash },
	})
}

// Replayed is a history that was replayed on code.
type Replayed struct {
	Name, Version, Hash string // of the code's row
	// Misfit says where history and code part; nil if they don't.
	Misfit *workflow.Misfit
	// At is where the code was then, in the author's text: file:line:column; "" if unknown.
	At string
}

// Replay replays a history on what serves its type. hash names stored code instead, "" none.
func (x *Examined) Replay(ctx context.Context, e wire.RunInfo, h *historypb.History, hash string) (Replayed, error) {
	m, export, err := x.serving(ctx, e.Type, hash)
	if err != nil {
		return Replayed{}, err
	}
	out := Replayed{Name: m.Text.Name, Version: m.Text.Version, Hash: m.Text.Hash}
	o := workflow.Options{ProjectID: x.project.ID, TaskQueue: x.project.TaskQueue, TaskTimeout: x.r.cfg.WorkflowTaskTimeout}
	err = workflow.CheckReplay(ctx, o, e, h, m.Workflow, export)
	if err == nil {
		return out, nil
	}
	if !errors.As(err, &out.Misfit) {
		return out, err
	}
	out.At = workflow.WhereParted(ctx, o, e, h, m.Workflow, export, out.Misfit)
	return out, nil
}

func (x *Examined) serving(ctx context.Context, workflowType, hash string) (*module, string, error) {
	if hash != "" {
		m, err := x.r.loadPinned(ctx, x.project.ID, hash)
		if err != nil {
			return nil, "", err
		}
		export, err := m.Serves(workflowType)
		return m, export, err
	}
	if t, ok := x.live.target(workflowType); ok {
		return t.module, t.export, nil
	}
	if problem, broken := x.live.brokenWorkflows[workflowType]; broken {
		return nil, "", errors.New(problem)
	}
	known := names(x.live.workflows)
	slices.Sort(known)
	return nil, "", &UnknownTypeError{Kind: "workflow", Type: workflowType, Known: known}
}
