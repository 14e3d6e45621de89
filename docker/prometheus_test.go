package docker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/client"
	"go.yaml.in/yaml/v3"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/program"
	"workflow-worker/docker/stack/stacktest"
)

// promtool runs Prometheus' own checker in the folder of its files.
func promtool(t testing.TB, stdin io.Reader, args ...string) {
	t.Helper()
	path, err := stack.PrometheusProgram(t.Context(), os.Stderr, "promtool")
	if err != nil {
		t.Skipf("no promtool to be had: %v", err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir, cmd.Stdin = "prometheus", stdin
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestAlertsFireWhenTheyShould(t *testing.T) {
	t.Parallel()
	promtool(t, nil, "check", "config", "prometheus.yaml")
	promtool(t, nil, "test", "rules", "rules_test.yaml")
}

type rulesFile struct {
	Groups []struct {
		Rules []struct {
			Alert               string
			Labels, Annotations map[string]string
		}
	}
}

func TestEachAlertIsTestedAndLinked(t *testing.T) {
	t.Parallel()
	var rules rulesFile
	var tests struct {
		Tests []struct {
			Alerts []struct {
				Name  string           `yaml:"alertname"`
				Fires []map[string]any `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	for file, into := range map[string]any{"rules.yaml": &rules, "rules_test.yaml": &tests} {
		text, err := os.ReadFile(filepath.Join("prometheus", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, into); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, x := range tests.Tests {
		for _, a := range x.Alerts {
			(map[bool]map[string]bool{true: fires, false: silent})[len(a.Fires) > 0][a.Name] = true
		}
	}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" {
				continue
			}
			if !fires[r.Alert] || !silent[r.Alert] {
				t.Errorf("%s isn't tested as it fires (%v) and as it doesn't (%v)", r.Alert, fires[r.Alert], silent[r.Alert])
			}
			if want := "docker/RUNBOOK.md#" + strings.ToLower(r.Alert); r.Annotations["runbook_url"] != want {
				t.Errorf("%s: its runbook is %q, want %q", r.Alert, r.Annotations["runbook_url"], want)
			}
			if !slices.Contains([]string{"page", "ticket", "author"}, r.Labels["severity"]) {
				t.Errorf("%s: its severity is %q", r.Alert, r.Labels["severity"])
			}
		}
	}
}

// What is measured is on a panel, or in a rule: what nobody looks at tells nothing.
func TestEachMetricIsLookedAt(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../metrics/README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("grafana/dashboards/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var looks strings.Builder
	for _, file := range append(files, "prometheus/rules.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		looks.Write(text)
	}
	names := regexp.MustCompile("`…([a-z_]+)`").FindAllSubmatch(page, -1)
	if len(names) < 30 {
		t.Fatalf("%d metrics on the page", len(names))
	}
	for _, name := range names {
		if !regexp.MustCompile(`workflow_worker_` + string(name[1]) + `(_bucket|_sum|_count)?\b`).MatchString(looks.String()) {
			t.Errorf("%s is on no panel and in no rule", name[1])
		}
	}
}

// A real Prometheus scrapes a service that works: what it gets passes Prometheus' own checks, each
// rule can be evaluated, and no panel of a dashboard is empty.
func TestPrometheusSeesAServiceAtWork(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the service")
	}
	t.Parallel()
	service := atWork(t)
	_, metrics, err := service.Get(t.Context(), "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	promtool(t, bytes.NewReader(metrics), "check", "metrics")

	server := prometheus(t, service.Address())
	stacktest.Eventually(t, "Prometheus evaluates each rule", server.rulesAreHealthy)
	files, err := filepath.Glob("grafana/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("dashboards: %v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var dashboard struct {
			UID    string
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		if err := json.Unmarshal(text, &dashboard); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(dashboard.Panels) == 0 {
			t.Errorf("%s has no panels", file)
		}
		for _, p := range dashboard.Panels {
			for _, target := range p.Targets {
				stacktest.Eventually(t, dashboard.UID+", "+p.Title+": a value of "+target.Expr, func() error { return server.shows(target.Expr) })
			}
		}
	}
}

// atWork is a service with a project whose workflow is executed over and over, and edited.
func atWork(t *testing.T) *program.Service {
	t.Helper()
	database, queue := stacktest.MigratedDatabase(t), stacktest.TaskQueue(t)
	service, err := program.Start(t.Context(), program.Options{File: stacktest.ServiceProgram(t), Log: t.Output(),
		Environment: []string{"DATABASE_URL=" + database, "TEMPORAL_ADDRESS=" + stacktest.TemporalAddress(t)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := service.End(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if err := service.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rows.Exec(t.Context(), `
WITH p AS (INSERT INTO projects (name, task_queue_name) VALUES ('at work', $1) RETURNING id),
     a AS (INSERT INTO components (project_id, name, implementation_language, implementation_code)
           SELECT id, 'greet', 'typescript', 'import { Context } from "@temporalio/activity";
             export const greet = (name: string) => { if (Context.current().info.attempt === 1) throw new Error("again"); return name }' FROM p),
     w AS (INSERT INTO workflows (project_id, kebab_name) SELECT id, 'hello' FROM p RETURNING id)
INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code)
SELECT id, '1.0.0', $2 FROM w`, queue, `
import { proxyActivities, sleep } from '@temporalio/workflow';
const { greet } = proxyActivities<any>({ startToCloseTimeout: '1m', retry: { initialInterval: 10 } });
export async function hello(name: string) { await sleep(1); return greet(name) }`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	worked := make(chan struct{})
	temporal := stacktest.TemporalClient(t)
	go func() {
		defer close(worked)
		for n := 0; ctx.Err() == nil; n++ {
			run, err := temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: queue, WorkflowExecutionTimeout: time.Minute}, "hello", "Ann")
			if err == nil {
				err = run.Get(ctx, nil)
			}
			if err == nil {
				_, err = rows.Exec(ctx, `UPDATE workflow_compiled_code SET workflow_code = workflow_code || $1`, fmt.Sprintf("\n// %d", n))
			}
			if err != nil && ctx.Err() == nil {
				t.Errorf("at work: %v", err)
				return
			}
			time.Sleep(200 * time.Millisecond) // a rate, not a synchronisation
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-worked
		_ = rows.Close(context.WithoutCancel(ctx))
	})
	return service
}

type prometheusServer struct{ *stack.Prometheus }

// prometheus starts one that scrapes an address every second, as prometheus.yaml says otherwise.
func prometheus(t *testing.T, address string) prometheusServer {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"prometheus.yaml", "rules.yaml"} {
		text, err := os.ReadFile(filepath.Join("prometheus", name))
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.ReplaceAll(text, []byte("workflow-worker:3011"), []byte(address))
		text = bytes.ReplaceAll(text, []byte("interval: 15s"), []byte("interval: 1s"))
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	server, err := stack.StartPrometheus(t.Context(), filepath.Join(dir, "prometheus.yaml"), t.Output())
	if err != nil {
		t.Skipf("no Prometheus to be had: %v", err)
	}
	t.Cleanup(func() {
		if err := server.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return prometheusServer{server}
}

// ask reads an answer's data.
func (p prometheusServer) ask(path string, data any) error {
	answer, err := http.Get(p.URL + path)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var body struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil {
		return err
	}
	if body.Status != "success" {
		return errors.New(body.Error)
	}
	return json.Unmarshal(body.Data, data)
}

func (p prometheusServer) rulesAreHealthy() error {
	var rules struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	if err := p.ask("/api/v1/rules", &rules); err != nil {
		return err
	}
	if len(rules.Groups) == 0 {
		return errors.New("there are none")
	}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if r.Health != "ok" {
				return fmt.Errorf("%s is %s: %s", r.Name, r.Health, r.LastError)
			}
		}
	}
	return nil
}

// shows fails for a query of a dashboard without a number.
func (p prometheusServer) shows(expr string) error {
	expr = strings.NewReplacer("$job", "workflow-worker", `project_id="$project"`, `project_id!=""`, "$__rate_interval", "15s").Replace(expr)
	var found struct {
		Result []struct{ Value [2]any }
	}
	if err := p.ask("/api/v1/query?query="+url.QueryEscape(expr), &found); err != nil {
		return err
	}
	for _, r := range found.Result {
		if r.Value[1] != "NaN" {
			return nil
		}
	}
	return fmt.Errorf("%d series without a number", len(found.Result))
}
