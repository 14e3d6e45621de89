package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"workflow-worker/reconcile/rows"
)

func (p process) statusCommand() *cobra.Command {
	var asJSON, replicas bool
	c := &cobra.Command{
		Use: "status [PROJECT]", Short: "Tell how the projects are: versions live, replicas, errors, stuck executions", Args: cobra.MaximumNArgs(1),
		Long: "Tells how all projects are, or the one of an id, a name or a task queue, from the view project_status. It\nneeds DATABASE_URL only. Exit code 6: a project isn't as its rows want it.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if replicas && len(args) > 0 {
				return exits(exitUsage, errors.New("--replicas is of all projects, not of one"))
			}
			if replicas {
				return p.statusOfReplicas(cmd.Context(), asJSON)
			}
			return p.status(cmd.Context(), strings.Join(args, ""), asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	c.Flags().BoolVar(&replicas, "replicas", false, "of the replicas instead: their projects, and since when they are silent")
	return c
}

// replicaStatus is how a replica is, as programs read it.
type replicaStatus struct {
	Name          string    `json:"name"`
	Status        string    `json:"status"` // its row's, or "silent"
	Running       int       `json:"projects_running"`
	Wanted        int       `json:"projects_wanted"`
	Capacity      float64   `json:"capacity"`
	LastHeartbeat time.Time `json:"last_heartbeat"`
}

// statusOfReplicas tells which replicas there are, or were not long ago.
func (p process) statusOfReplicas(ctx context.Context, asJSON bool) error {
	s, err := p.readSettings(only("DATABASE_URL"))
	if err != nil {
		return err
	}
	db, err := s.reachDatabase(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	list, err := rows.ReadReplicas(ctx, db, "")
	if err != nil {
		return err
	}
	states := make([]replicaStatus, len(list)) // not nil: JSON has it as a list
	for i, r := range list {
		states[i] = replicaStatus{Name: r.Name, Status: r.Status, Running: r.Running, Wanted: r.Wanted, Capacity: r.Capacity, LastHeartbeat: time.Now().Add(-r.Silent)}
		if r.Status != rows.ReplicaStopped && !r.Alive {
			states[i].Status = "silent" // what its row says is no longer known to be so
		}
	}
	switch {
	case asJSON:
		return p.printJSON(states)
	case len(states) == 0:
		_, err := fmt.Fprintln(p.stdout, "there are no replicas")
		return err
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "REPLICA\tSTATUS\tPROJECTS\tSHOULD HAVE\tCAPACITY\tLAST HEARTBEAT")
	for _, r := range states {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%g\t%s\n", r.Name, r.Status, r.Running, r.Wanted, r.Capacity, ago(&r.LastHeartbeat))
	}
	return w.Flush()
}

func (p process) status(ctx context.Context, project string, asJSON bool) error {
	s, err := p.readSettings(only("DATABASE_URL"))
	if err != nil {
		return err
	}
	db, err := s.reachDatabase(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	list, err := rows.ReadProjectStatus(ctx, db, project)
	switch {
	case err != nil:
		return err
	case project != "" && len(list) == 0:
		return exits(exitUsage, fmt.Errorf("project %q: %w", project, rows.ErrNoProject))
	}
	if asJSON {
		if list == nil {
			list = []rows.ProjectStatus{}
		}
		err = p.printJSON(list)
	} else {
		err = p.printStatus(list, project != "")
	}
	for _, x := range list {
		if err == nil && !x.Well() {
			err = findings()
		}
	}
	return err
}

// The colours that a terminal gets.
const (
	red, yellow, green, plain = "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[0m"
)

// isTerminal tells whether somebody looks at what is written, in colours.
func (p process) isTerminal() bool {
	f, ok := p.stdout.(*os.File)
	if !ok || p.environment["NO_COLOR"] != "" || p.environment["TERM"] == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (p process) printStatus(list []rows.ProjectStatus, details bool) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(p.stdout, "there are no projects")
		return err
	}
	paint := func(colour, text string) string {
		if !p.isTerminal() {
			return text
		}
		return colour + text + plain
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', tabwriter.StripEscape)
	fmt.Fprintln(w, "PROJECT\tSTATUS\tREPLICAS\tWORKFLOWS\tERRORS\tWARNINGS\tSTUCK\tLAST RELOAD")
	for _, x := range list {
		colour := green
		switch {
		case !x.Well():
			colour = red
		case x.Warnings > 0 || !x.ShouldRun:
			colour = yellow
		}
		// Escape codes take no room on the screen.
		status := x.Status
		if p.isTerminal() {
			status = "\xff" + colour + "\xff" + x.Status + "\xff" + plain + "\xff"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", cmp.Or(x.Name, x.ProjectID), status, x.ReplicasRunning, len(x.Live), x.Errors, x.Warnings, x.FailingExecutions, ago(x.LastReloadAt))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, x := range list {
		if x.Error != "" {
			fmt.Fprintf(p.stdout, "\n%s: %s\n", cmp.Or(x.Name, x.ProjectID), paint(red, x.Error))
		}
		if !details {
			continue
		}
		fmt.Fprintf(p.stdout, "\nid          %s\ntask queue  %s\nshould run  %t\n", x.ProjectID, x.TaskQueue, x.ShouldRun)
		if x.LastReloadCause != "" {
			fmt.Fprintf(p.stdout, "last reload %s\n", x.LastReloadCause)
		}
		for _, l := range x.Live {
			fmt.Fprintf(p.stdout, "live        %s %s, since %s\n", l.Workflow, l.Version, ago(l.Since))
		}
	}
	return nil
}

// ago is a time as a person takes it in.
func ago(t *time.Time) string {
	if t == nil {
		return "-"
	}
	d := time.Since(*t)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", int(d.Hours()))
	}
	return fmt.Sprintf("%dd ago", int(d.Hours()/24))
}
