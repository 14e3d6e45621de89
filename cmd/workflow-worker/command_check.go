package main

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
	"workflow-worker/runtime/folder"
	"workflow-worker/runtime/replay"
)

type checkFlags struct {
	against string
	strict  bool
	json    bool
}

func (p process) checkCommand() *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use: "check FILE|DIR…", Short: "Compile workflows and components, as rows of them would be", Args: cobra.MinimumNArgs(1),
		Long: `Compiles, evaluates and looks over files as if they were rows of one project, and tells the same errors
and warnings, with file, line and column, and the types that they would serve. It needs no server and no
setting (MODULES_DIR counts).

order-intake.ts is the workflow order-intake; order-intake.activities.ts beside it are its activities;
greet.component.ts, and what lies below a folder named components, are components. Of a folder .ts, .mts,
.cts, .js, .mjs and .cjs count; declarations, tests (.test.ts, .spec.ts), node_modules and hidden folders
don't.

With --against PROJECT (an id, a name or a task queue) it also replays the project's open executions on the
workflows: which of them would break if they went on with the files. That takes DATABASE_URL and Temporal's
settings, and changes nothing.`,
		RunE: func(cmd *cobra.Command, args []string) error { return p.check(cmd.Context(), args, f) },
	}
	c.Flags().StringVar(&f.against, "against", "", "the project whose open executions to try: an id, a name or a task queue")
	c.Flags().BoolVar(&f.strict, "strict", false, "warnings count as errors")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	return c
}

// checkedFile is one file and what is to say of it.
type checkedFile struct {
	Path     string   `json:"path"`
	Kind     string   `json:"kind"`
	Name     string   `json:"name"`
	Types    []string `json:"types"`
	Errors   []remark `json:"errors"`
	Warnings []remark `json:"warnings"`

	Executions *triedExecutions `json:"executions,omitempty"`
}

// remark is an error or a warning with its place.
type remark struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
}

func (r remark) String() string {
	if r.Line == 0 {
		return r.File + ": " + r.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", r.File, r.Line, r.Column, r.Message)
}

// triedExecutions are a project's open executions that were replayed on a file.
type triedExecutions struct {
	Tried  int               `json:"tried"`
	More   bool              `json:"more"` // there are others
	Broken []brokenExecution `json:"broken"`
}

type brokenExecution struct {
	WorkflowID string `json:"workflow_id"`
	RunID      string `json:"run_id"`
	Event      int64  `json:"event,omitempty"`
	Reason     string `json:"reason"`
}

func (p process) check(ctx context.Context, paths []string, f checkFlags) error {
	want := only("MODULES_DIR")
	if f.against != "" {
		want = only("MODULES_DIR", "DATABASE_URL", temporalWanted)
	}
	s, err := p.readSettings(want)
	if err != nil {
		return err
	}
	files, err := folder.Read("check", paths)
	if err != nil {
		return exits(exitUsage, err)
	}
	x, done, err := s.examine(ctx, nil, files.Project)
	if err != nil {
		return err
	}
	defer done()
	list := checkedFiles(files, x.Report)
	if f.against != "" {
		if err := s.tryAgainst(ctx, f.against, x, list); err != nil {
			return err
		}
	}
	if f.json {
		err = p.printJSON(struct {
			Files []*checkedFile `json:"files"`
		}{list})
	} else {
		for _, c := range list {
			p.printChecked(c)
		}
	}
	for _, c := range list {
		if err == nil && c.bad(f.strict) {
			err = findings()
		}
	}
	return err
}

func (c *checkedFile) bad(strict bool) bool {
	return len(c.Errors) > 0 || strict && len(c.Warnings) > 0 || c.Executions != nil && len(c.Executions.Broken) > 0
}

func checkedFiles(files folder.Project, r runtime.Report) (list []*checkedFile) {
	for _, s := range r.Sources {
		c := &checkedFile{Path: s.ID, Kind: s.Kind, Name: s.Name, Types: append([]string{}, s.Types...), Errors: []remark{}, Warnings: []remark{}}
		at := func(m runtime.Remark) remark {
			file := s.ID
			if path, ok := files.Files[m.File]; ok && filepath.Dir(path) == filepath.Dir(s.ID) {
				file = path
			} else if m.File != "" && !ok {
				file = m.File // a package's
			}
			return remark{file, m.Line, m.Column, m.Message}
		}
		if e := s.Error; e != nil {
			for _, m := range append([]runtime.Remark{{Message: e.Message, File: e.File, Line: e.Line, Column: e.Column}}, e.More...) {
				c.Errors = append(c.Errors, at(m))
			}
		}
		for _, m := range s.Warnings {
			c.Warnings = append(c.Warnings, at(m))
		}
		list = append(list, c)
	}
	return list
}

// tryAgainst replays a project's open executions on the workflows.
func (s settings) tryAgainst(ctx context.Context, project string, x *runtime.Examined, list []*checkedFile) error {
	db, err := s.reachDatabase(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	id, err := ofProject(ctx, db, project)
	if err != nil {
		return err
	}
	found, err := rows.ReadProject(ctx, db.Pool, id)
	if err != nil {
		return err
	}
	temporal, err := s.reachTemporal(ctx)
	if err != nil {
		return err
	}
	defer temporal.Close()
	executions := replay.NewExecutions(temporal)
	serving := map[string]bool{}
	for _, id := range x.Serving() {
		serving[id] = true
	}
	for _, c := range list {
		if c.Kind != runtime.KindWorkflow || !serving[c.Path] {
			continue
		}
		tried, err := x.Against(ctx, executions, found.TaskQueue, c.Path)
		if err != nil {
			return exits(exitTemporal, err)
		}
		c.Executions = &triedExecutions{Tried: tried.Checked, More: tried.Truncated, Broken: []brokenExecution{}}
		for _, b := range tried.Broken {
			c.Executions.Broken = append(c.Executions.Broken, brokenExecution{b.WorkflowID, b.RunID, b.EventID, b.Reason})
		}
	}
	return nil
}

func (p process) printChecked(c *checkedFile) {
	for _, r := range c.Errors {
		fmt.Fprintf(p.stdout, "%s [error]\n", r)
	}
	for _, r := range c.Warnings {
		fmt.Fprintf(p.stdout, "%s [warning]\n", r)
	}
	if len(c.Types) > 0 {
		fmt.Fprintf(p.stdout, "%s: %s %s serves %s\n", c.Path, c.Kind, c.Name, strings.Join(c.Types, ", "))
	}
	if e := c.Executions; e != nil {
		more := ""
		if e.More {
			more = ", and there are more"
		}
		fmt.Fprintf(p.stdout, "%s: %d open executions tried, %d would break%s\n", c.Path, e.Tried, len(e.Broken), more)
		for _, b := range e.Broken {
			fmt.Fprintf(p.stdout, "%s: %s (run %s): %s [breaks]\n", c.Path, b.WorkflowID, b.RunID, replay.BrokenExecution{EventID: b.Event, Reason: cmp.Or(b.Reason, "unknown")}.Problem())
		}
	}
}
