package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/client"

	"workflow-worker/docker/devenv"
	"workflow-worker/docker/term"
)

// demo is one run.
type demo struct {
	db        *pgx.Conn
	temporal  client.Client
	addresses devenv.Addresses
}

// runTimeout bounds one workflow: these take milliseconds, or something is wrong.
const runTimeout = 30 * time.Second

type item struct {
	Name     string  `json:"name"`
	Quantity int     `json:"quantity"`
	Price    float64 `json:"price"`
}

type order struct {
	Customer string `json:"customer"`
	Items    []item `json:"items"`
}

var (
	ada   = order{"Ada", []item{{"notebook", 3, 4.50}, {"pen", 10, 1.20}}}
	grace = order{"Grace", []item{{"cable", 2, 7.25}}}
)

// tell does it all, in the order in which it is shown.
func (d *demo) tell(ctx context.Context) error {
	orderIntake, approval := workflows[0], workflows[1]

	chapter("Write a project as rows: three workflows, one custom component")
	if err := d.writeRows(ctx); err != nil {
		return err
	}

	chapter("Run them")
	if err := d.runWorkflow(ctx, "order-intake", ada); err != nil {
		return err
	}
	if err := d.runWorkflow(ctx, "order-batch", []order{ada, grace}); err != nil {
		return err
	}
	waiting, err := d.startApproval(ctx, "a new keyboard")
	if err != nil {
		return err
	}

	chapter("Change the code of two of them")
	if err := d.changeCode(ctx, orderIntake, approval); err != nil {
		return err
	}

	chapter("Run them again; nothing was restarted")
	if err := d.runWorkflow(ctx, "order-intake", ada); err != nil {
		return err
	}
	if err := d.runWorkflow(ctx, "order-batch", []order{ada, grace}); err != nil {
		return err
	}
	if err := d.approve(ctx, waiting, "from before: still needs one", "Ada"); err != nil {
		return err
	}
	fresh, err := d.startApproval(ctx, "a new chair")
	if err != nil {
		return err
	}
	if err := d.approve(ctx, fresh, "new: needs two", "Ada", "Grace"); err != nil {
		return err
	}

	chapter("What the rows say now")
	if err := d.showRows(ctx); err != nil {
		return err
	}
	d.showWhereToLook()
	return nil
}

// writeRows brings in the first version of each workflow. After an earlier demo
// that is a rollback.
func (d *demo) writeRows(ctx context.Context) error {
	if err := writeProject(ctx, d.db); err != nil {
		return err
	}
	versions := map[string]string{}
	for _, w := range workflows {
		if err := activate(ctx, d.db, w, w.versions[0]); err != nil {
			return err
		}
		versions[w.id] = w.versions[0].name
	}
	committed := time.Now()
	line("written", "projects, workflows, workflow_compiled_code, components", "")
	return d.waitLive(ctx, versions, committed)
}

func (d *demo) changeCode(ctx context.Context, changed ...workflow) error {
	versions := map[string]string{}
	for _, w := range changed {
		if err := activate(ctx, d.db, w, w.versions[1]); err != nil {
			return err
		}
		versions[w.id] = w.versions[1].name
		line(w.kebabName, w.versions[0].name+" → "+w.versions[1].name, "deactivated the one, inserted the other")
	}
	return d.waitLive(ctx, versions, time.Now())
}

func (d *demo) waitLive(ctx context.Context, versions map[string]string, committed time.Time) error {
	at, err := waitLive(ctx, d.db, versions)
	if err != nil {
		return err
	}
	if took := at.Sub(committed); took > 0 {
		line("live", "", fmt.Sprintf("%s after the last commit", milliseconds(took)))
	} else {
		line("live", "", "by the time the last commit returned")
	}
	return nil
}

func (d *demo) start(ctx context.Context, workflowType string, input any) (client.WorkflowRun, error) {
	run, err := d.temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                 fmt.Sprintf("demo-%s-%d", workflowType, time.Now().UnixMilli()),
		TaskQueue:          taskQueue,
		WorkflowRunTimeout: 10 * time.Minute, // whatever goes wrong, the demo leaves nothing running
	}, workflowType, input)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", workflowType, err)
	}
	return run, nil
}

func (d *demo) runWorkflow(ctx context.Context, workflowType string, input any) error {
	begun := time.Now()
	run, err := d.start(ctx, workflowType, input)
	if err != nil {
		return err
	}
	var result any
	if err := d.result(ctx, run, &result); err != nil {
		return err
	}
	text := fmt.Sprint(result)
	if list, ok := result.([]any); ok {
		texts := make([]string, len(list))
		for i, each := range list {
			texts[i] = fmt.Sprint(each)
		}
		text = "children: " + strings.Join(texts, "; ")
	}
	line(workflowType, text, milliseconds(time.Since(begun)))
	return nil
}

func (d *demo) result(ctx context.Context, run client.WorkflowRun, into any) error {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	if err := run.Get(ctx, into); err != nil {
		return fmt.Errorf("%s: %w: see the service's log in the terminal of `make dev`", run.GetID(), err)
	}
	return nil
}

// startApproval starts one and asks it where it stands.
func (d *demo) startApproval(ctx context.Context, subject string) (client.WorkflowRun, error) {
	run, err := d.start(ctx, "approval", subject)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	answer, err := d.temporal.QueryWorkflow(ctx, run.GetID(), run.GetRunID(), "status")
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", run.GetID(), err)
	}
	var status string
	if err := answer.Get(&status); err != nil {
		return nil, fmt.Errorf("query %s: %w", run.GetID(), err)
	}
	line("approval", subject+": "+status, "query; it waits for a signal")
	return run, nil
}

func (d *demo) approve(ctx context.Context, run client.WorkflowRun, note string, names ...string) error {
	for _, name := range names {
		if err := d.temporal.SignalWorkflow(ctx, run.GetID(), run.GetRunID(), "approve", name); err != nil {
			return fmt.Errorf("signal %s: %w", run.GetID(), err)
		}
	}
	var result string
	if err := d.result(ctx, run, &result); err != nil {
		return err
	}
	line("approval", result, note)
	return nil
}

// showRows shows both versions of each workflow, and the worker's own row.
func (d *demo) showRows(ctx context.Context) error {
	const query = `
SELECT w.kebab_name, string_agg(CASE WHEN c.is_active THEN c.version || ' active' ELSE c.version END, ', ' ORDER BY c.version)
FROM workflows w JOIN workflow_compiled_code c ON c.workflow_id = w.id
WHERE w.project_id = $1 GROUP BY w.kebab_name, w.id ORDER BY w.id`
	rows, err := d.db.Query(ctx, query, projectID)
	if err != nil {
		return err
	}
	var name, versions string
	_, err = pgx.ForEachRow(rows, []any{&name, &versions}, func() error {
		line(name, versions, "workflow_compiled_code")
		return nil
	})
	if err != nil {
		return err
	}
	w, err := readWorker(ctx, d.db)
	if err != nil {
		return err
	}
	fmt.Println()
	line("worker", w.Status+" on task queue "+w.TaskQueue+" since "+w.StartedAt.Local().Format("15:04:05"), "workflow_workers")
	for _, s := range append(w.Metadata.Workflows, w.Metadata.Components...) {
		version := s.Version
		if version == "" {
			version = "component"
		}
		line("", fmt.Sprintf("%-13s %-10s %s", s.Name, version, short(s.Hash)), "as "+strings.Join(s.Types, ", "))
	}
	return nil
}

func (d *demo) showWhereToLook() {
	fmt.Println()
	if ui := d.addresses.TemporalUI; ui != "" {
		fmt.Printf("  every step of every run: %s\n", term.Bold(ui+"/namespaces/"+url.PathEscape(d.addresses.TemporalNamespace)+"/workflows"))
	}
	fmt.Printf("  the rows: %s\n", term.Bold(`. .local/dev.env; psql "$DATABASE_URL" -c 'SELECT jsonb_pretty(metadata) FROM workflow_workers'`))
	fmt.Printf("  change one yourself and run the demo's workflow again: %s\n\n", term.Faint("docker/demo/code"))
}
