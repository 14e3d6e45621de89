package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	historypb "go.temporal.io/api/history/v1"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
	"workflow-worker/runtime/folder"
	"workflow-worker/runtime/replay"
	"workflow-worker/runtime/workflow/wire"
)

type replayFlags struct {
	workflowID, runID, history, code, project string
	json                                      bool
}

// The values of --code that are no file.
const (
	codeLive   = "live"
	codeStored = "stored"
)

func (p process) replayCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use: "replay", Short: "Replay an execution on code, and say where they part", Args: cobra.NoArgs,
		Long: `Replays the history of an execution, open or closed, on code. Nothing is changed, and no activity runs.

The history is the server's (--workflow-id, --run-id) or a file's (--history, as
"temporal workflow show --output json", the web UI or the HTTP API writes it). The code is what is live by
the rows, what the execution ran last ("--code stored"), stored code by its hash, or files of your own
("--code order-intake.ts"). With files alone no database is needed, and with a history file no Temporal.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.replay(cmd.Context(), f) },
	}
	c.Flags().StringVar(&f.workflowID, "workflow-id", "", "the execution's workflow id")
	c.Flags().StringVar(&f.runID, "run-id", "", "its run; without, the newest")
	c.Flags().StringVar(&f.history, "history", "", "a file with the history, instead of the server's")
	c.Flags().StringVar(&f.code, "code", codeLive, "live, stored, a hash, or a file or folder of code")
	_ = c.RegisterFlagCompletionFunc("code", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{codeLive, codeStored}, cobra.ShellCompDirectiveDefault // and files
	})
	c.Flags().StringVar(&f.project, "project", "", "the project; without, the one of the execution's task queue")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	return c
}

// replayAnswer is what came of it.
type replayAnswer struct {
	WorkflowID string `json:"workflow_id"`
	RunID      string `json:"run_id"`
	Type       string `json:"type"`
	Events     int    `json:"events"`
	Workflow   string `json:"workflow"`
	Version    string `json:"version"`
	Hash       string `json:"hash"`
	Fits       bool   `json:"fits"`
	Event      int64  `json:"event,omitempty"`
	Reason     string `json:"reason,omitempty"`
	At         string `json:"at,omitempty"`
}

func (p process) replay(ctx context.Context, f replayFlags) error {
	if (f.workflowID == "") == (f.history == "") {
		return exits(exitUsage, errors.New("one of --workflow-id and --history says which execution is meant"))
	}
	local := false
	if _, err := os.Stat(f.code); err == nil {
		local = true
	} else if strings.ContainsAny(f.code, "/.") {
		return exits(exitUsage, fmt.Errorf("--code: %w", err))
	}
	wanted := append([]string{"MODULES_DIR"}, payloadSettings...)
	if f.history == "" {
		wanted = append(wanted, temporalWanted)
	}
	if !local {
		wanted = append(wanted, "DATABASE_URL")
	}
	s, err := p.readSettings(only(wanted...))
	if err != nil {
		return err
	}
	x, taskQueue, h, err := s.historyOf(ctx, f)
	if err != nil {
		return err
	}
	done, err := s.replayOn(ctx, f, local, x, taskQueue, h)
	if err != nil {
		return err
	}
	if f.json {
		err = p.printJSON(done)
	} else {
		p.printReplay(done)
	}
	if err == nil && !done.Fits {
		err = findings()
	}
	return err
}

func (s settings) historyOf(ctx context.Context, f replayFlags) (x wire.RunInfo, taskQueue string, h *historypb.History, err error) {
	if f.history == "" {
		temporal, err := s.reachTemporal(ctx)
		if err != nil {
			return x, "", nil, err
		}
		defer temporal.Close()
		if x, h, err = replay.NewExecutions(temporal).History(ctx, replay.Execution{WorkflowID: f.workflowID, RunID: f.runID}); err != nil {
			return x, "", nil, exits(exitTemporal, err)
		}
	} else {
		file, err := os.Open(f.history)
		if err != nil {
			return x, "", nil, exits(exitUsage, err)
		}
		defer file.Close()
		if h, err = replay.ReadFile(file); err != nil {
			return x, "", nil, exits(exitUsage, fmt.Errorf("read the history in %s: %w", f.history, err))
		}
		if err := s.decrypt(ctx, h); err != nil {
			return x, "", nil, exits(exitSettings, fmt.Errorf("read the history in %s: %w", f.history, err))
		}
	}
	told, taskQueue, err := replay.Told(h)
	if err != nil {
		return x, "", nil, exits(exitUsage, err)
	}
	if x.ID == "" {
		x = told
	}
	return x, taskQueue, h, nil
}

func (s settings) replayOn(ctx context.Context, f replayFlags, local bool, x wire.RunInfo, taskQueue string, h *historypb.History) (replayAnswer, error) {
	project := runtime.Project{ID: "replay", TaskQueue: taskQueue}
	var store runtime.CodeStore
	hash := ""
	if local {
		files, err := folder.Read("replay", []string{f.code})
		if err != nil {
			return replayAnswer{}, exits(exitUsage, err)
		}
		project = files.Project
		project.TaskQueue = taskQueue
	} else {
		db, err := s.reachDatabase(ctx)
		if err != nil {
			return replayAnswer{}, err
		}
		defer db.Close()
		name := f.project
		if name == "" {
			name = taskQueue
		}
		id, err := ofProject(ctx, db, name)
		if err != nil {
			return replayAnswer{}, err
		}
		store = rows.NewCodeStore(db.Pool)
		project.ID = id
		switch f.code {
		case codeLive:
			if project, err = rows.ReadProject(ctx, db.Pool, id); err != nil {
				return replayAnswer{}, err
			}
		case codeStored:
			last, _ := wire.LastCodeOf(h.GetEvents())
			if hash = last.Hash; hash == "" {
				return replayAnswer{}, exits(exitUsage, errors.New("the history doesn't say on which code it ran"))
			}
		default:
			hash = f.code
		}
	}
	examined, end, err := s.examine(ctx, store, project)
	if err != nil {
		return replayAnswer{}, err
	}
	defer end()
	r, err := examined.Replay(ctx, x, h, hash)
	if hash != "" && hash == f.code && errors.Is(err, runtime.ErrCodeNotFound) {
		return replayAnswer{}, exits(exitUsage, fmt.Errorf("--code: there is no file %s, and no stored code of that hash", f.code))
	}
	if err != nil {
		return replayAnswer{}, err
	}
	out := replayAnswer{
		WorkflowID: x.ID, RunID: x.RunID, Type: x.Type, Events: len(h.GetEvents()),
		Workflow: r.Name, Version: r.Version, Hash: r.Hash, Fits: r.Misfit == nil, At: r.At,
	}
	if r.Misfit != nil {
		out.Event, out.Reason = r.Misfit.EventID, r.Misfit.Reason
	}
	return out, nil
}

func (p process) printReplay(a replayAnswer) {
	title := wire.Title(a.Workflow, a.Version, a.Hash)
	if a.Fits {
		fmt.Fprintf(p.stdout, "%s (%s, %d events) fits %s\n", a.WorkflowID, a.Type, a.Events, title)
		return
	}
	at := ""
	if a.At != "" {
		at = a.At + ": "
	}
	where := ""
	if a.Event > 0 {
		where = fmt.Sprintf(" at event %d", a.Event)
	}
	fmt.Fprintf(p.stdout, "%s%s (%s, %d events) parts from %s%s: %s\n", at, a.WorkflowID, a.Type, a.Events, title, where, a.Reason)
}
