package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/cmd/dev/devenv"
	"workflow-worker/cmd/dev/term"
	"workflow-worker/docker/stack"
)

// demo is one run.
type demo struct {
	story
	db        *pgx.Conn
	addresses devenv.Addresses
	taskQueue string
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
	d.chapter("Write a project as rows", ": three workflows, one custom component")
	before, err := d.writeRows(ctx)
	if err != nil {
		return err
	}

	d.chapter("Run its workflows", "")
	if err := d.runOrders(ctx, ": a built-in activity, then the component", ": two child workflows"); err != nil {
		return err
	}
	waiting, err := d.startApproval(ctx, "a new keyboard", "a query; it waits for a signal")
	if err != nil {
		return err
	}

	d.chapter("Change the code of two of them", ": the old version's row deactivated, a new row inserted")
	if err := d.changeCode(ctx); err != nil {
		return err
	}

	d.chapter("Run them again", "")
	if err := d.runOrders(ctx, "", ""); err != nil {
		return err
	}
	if err := d.approve(ctx, waiting, "begun before the change, so one is enough", "Ada"); err != nil {
		return err
	}
	fresh, err := d.startApproval(ctx, "a new chair", "begun after it")
	if err != nil {
		return err
	}
	if err := d.approve(ctx, fresh, "", "Ada", "Grace"); err != nil {
		return err
	}

	if err := d.showRows(ctx, before); err != nil {
		return err
	}
	d.showWhereToLook()
	return nil
}

// writeRows brings in the first version of each workflow; after an earlier demo
// that is a rollback. It returns the worker that runs them.
func (d *demo) writeRows(ctx context.Context) (*worker, error) {
	if err := writeProject(ctx, d.db, d.taskQueue); err != nil {
		return nil, err
	}
	versions := map[string]string{}
	for _, w := range workflows {
		if err := activate(ctx, d.db, w, w.versions[0]); err != nil {
			return nil, err
		}
		versions[w.id] = w.versions[0].name
	}
	committed := time.Now()
	d.line("written", "projects, workflows, workflow_compiled_code, components", "")
	if err := d.waitLive(ctx, versions, committed); err != nil {
		return nil, err
	}
	return readWorker(ctx, d.db)
}

func (d *demo) changeCode(ctx context.Context) error {
	versions := map[string]string{}
	for _, w := range workflows {
		if len(w.versions) == 1 {
			continue
		}
		before, after := w.versions[0], w.versions[1]
		if err := activate(ctx, d.db, w, after); err != nil {
			return err
		}
		versions[w.id] = after.name
		d.line(w.kebabName, before.name+" → "+after.name, after.change)
	}
	return d.waitLive(ctx, versions, time.Now())
}

func (d *demo) waitLive(ctx context.Context, versions map[string]string, committed time.Time) error {
	at, err := waitLive(ctx, d.db, versions)
	if err != nil {
		return err
	}
	when := "by the time the last commit returned"
	if took := at.Sub(committed); took > 0 {
		when = milliseconds(took) + " after the last commit"
	}
	d.line("live", when, "")
	return nil
}

// runOrders runs what needs nobody's signal.
func (d *demo) runOrders(ctx context.Context, intakeNote, batchNote string) error {
	if err := d.runWorkflow(ctx, "order-intake", ada, intakeNote); err != nil {
		return err
	}
	return d.runWorkflow(ctx, "order-batch", []order{ada, grace}, batchNote)
}

// start inserts a row, which is all that it takes.
func (d *demo) start(ctx context.Context, workflowType string, input any) (id string, err error) {
	const insert = `
INSERT INTO workflow_executions (workflow_id, status, input, options)
SELECT id, 'pending', $3, '{"workflowRunTimeout": "10m"}' FROM workflows WHERE project_id = $1 AND kebab_name = $2
RETURNING id::text` // whatever goes wrong, the demo leaves nothing running
	text, err := json.Marshal(input)
	if err == nil {
		err = d.db.QueryRow(ctx, insert, projectID, workflowType, string(text)).Scan(&id)
	}
	if err != nil {
		return "", fmt.Errorf("start %s: %w", workflowType, err)
	}
	return id, nil
}

func (d *demo) runWorkflow(ctx context.Context, workflowType string, input any, note string) error {
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
		text = strings.Join(texts, "; ")
	}
	d.line(workflowType, text, milliseconds(time.Since(begun))+note)
	return nil
}

// result waits until the execution's row is over.
func (d *demo) result(ctx context.Context, id string, into any) error {
	const query = `SELECT status, coalesce(output::text, 'null'), coalesce(error_message, '') FROM workflow_executions WHERE id = $1`
	output, err := d.follow(ctx, query, id)
	if err != nil {
		return fmt.Errorf("execution %s: %w: see the service's log in the terminal of `make dev`", id, err)
	}
	return json.Unmarshal([]byte(output), into)
}

// ask inserts a request about an execution and waits for the answer.
func (d *demo) ask(ctx context.Context, execution, action, name string, args any) (answer string, err error) {
	const insert = `INSERT INTO workflow_execution_requests (execution_id, action, name, args) VALUES ($1, $2, $3, $4) RETURNING id::text`
	const query = `SELECT status, coalesce(result::text, 'null'), coalesce(error, '') FROM workflow_execution_requests WHERE id = $1`
	var id string
	text, err := json.Marshal(args)
	if err == nil {
		err = d.db.QueryRow(ctx, insert, execution, action, name, string(text)).Scan(&id)
	}
	if err == nil {
		answer, err = d.follow(ctx, query, id)
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", action, name, err)
	}
	return answer, nil
}

// follow reads a row until it is completed or failed: its status, its result and why it failed.
func (d *demo) follow(ctx context.Context, query, id string) (result string, err error) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	err = stack.WaitFor(ctx, 5*time.Millisecond, func() (bool, error) {
		var status, reason string
		err := d.db.QueryRow(ctx, query, id).Scan(&status, &result, &reason)
		if err == nil && (status == "failed" || status == "cancelled") {
			err = fmt.Errorf("%s: %s", status, reason)
		}
		return status == "completed", err
	})
	return result, err
}

// startApproval starts one and asks it where it stands.
func (d *demo) startApproval(ctx context.Context, subject, note string) (id string, err error) {
	if id, err = d.start(ctx, "approval", subject); err != nil {
		return "", err
	}
	answer, err := d.ask(ctx, id, "query", "status", []string{})
	if err != nil {
		return "", err
	}
	var status string
	if err := json.Unmarshal([]byte(answer), &status); err != nil {
		return "", fmt.Errorf("query of approval: %w", err)
	}
	d.line("approval", subject+": "+status, note)
	return id, nil
}

func (d *demo) approve(ctx context.Context, id, note string, names ...string) error {
	for _, name := range names {
		if _, err := d.ask(ctx, id, "signal", "approve", []string{name}); err != nil {
			return err
		}
	}
	var result string
	if err := d.result(ctx, id, &result); err != nil {
		return err
	}
	d.line("approval", result, note)
	return nil
}

// showRows shows both versions of each workflow, and the worker's own row.
func (d *demo) showRows(ctx context.Context, before *worker) error {
	d.chapter("What the rows say now", "")
	const query = `
SELECT w.kebab_name, string_agg(c.version || CASE WHEN c.is_active THEN ' active' ELSE '' END, ', ' ORDER BY c.version)
FROM workflows w JOIN workflow_compiled_code c ON c.workflow_id = w.id
WHERE w.project_id = $1 GROUP BY w.kebab_name, w.id ORDER BY w.id`
	rows, err := d.db.Query(ctx, query, projectID)
	if err != nil {
		return fmt.Errorf("read workflow_compiled_code: %w", err)
	}
	var name, versions string
	_, err = pgx.ForEachRow(rows, []any{&name, &versions}, func() error {
		d.line(name, versions, "workflow_compiled_code")
		return nil
	})
	if err != nil {
		return fmt.Errorf("read workflow_compiled_code: %w", err)
	}
	w, err := readWorker(ctx, d.db)
	if err != nil {
		return err
	}
	since := w.StartedAt.Local().Format("15:04:05")
	if w.ID == before.ID && w.StartedAt.Equal(before.StartedAt) {
		since += ", not restarted"
	}
	d.line("worker", w.Status+" since "+since, "workflow_workers")
	for _, s := range append(w.Metadata.Workflows, w.Metadata.Components...) {
		version := s.Version
		if version == "" {
			version = "component"
		}
		d.line("", fmt.Sprintf("%-13s %-10s %s", s.Name, version, short(s.Hash)), "runs "+strings.Join(s.Types, ", "))
	}
	return nil
}

func (d *demo) showWhereToLook() {
	fmt.Fprintln(d.out)
	if ui := d.addresses.TemporalUI; ui != "" {
		fmt.Fprintf(d.out, "  Each run, step by step:  %s\n", term.Bold(ui+"/namespaces/"+url.PathEscape(d.addresses.TemporalNamespace)+"/workflows"))
	}
	fmt.Fprintf(d.out, "  What the worker reports: %s\n", term.Bold(`. .local/dev.env; psql -At "$DATABASE_URL" -c 'SELECT jsonb_pretty(metadata) FROM workflow_workers'`))
	fmt.Fprintf(d.out, "  The code that ran:       %s\n\n", term.Bold("cmd/demo/code")+": change it, then `make demo` again")
}
