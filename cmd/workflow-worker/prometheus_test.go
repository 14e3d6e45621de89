package main

import (
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
	"strings"
	"testing"
	"time"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
)

func promtool(t *testing.T, stdin string, args ...string) {
	t.Helper()
	tool, err := stack.PrometheusTool(t.Context(), os.Stderr, "promtool")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tool, args...)
	cmd.Dir = filepath.Join(root, "docker", "prometheus")
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestTheAlertsFireWhenTheyShould(t *testing.T) {
	t.Parallel()
	promtool(t, "", "check", "rules", "rules.yaml")
	promtool(t, "", "test", "rules", "rules_test.yaml")
}

// Prometheus itself reads what a running service tells, and the rules on it: a metric that a rule
// names and that nobody makes would never alert.
func TestPrometheusScrapesTheServiceAndKnowsTheRulesMetrics(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db)
	p := newBuilder(t, db).project()
	p.workflow("one", `export async function one() { return 1 }`)
	p.running(nil)
	run[int](p, "one")
	_, text, err := s.get("/metrics")
	if err != nil {
		t.Fatal(err)
	}
	promtool(t, ours(text), "check", "metrics")

	rules, err := filepath.Abs(filepath.Join(root, "docker", "prometheus", "rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	prometheus, err := stack.StartPrometheus(t.Context(), stack.PrometheusOptions{Targets: []string{s.address}, Rules: []string{rules}, Dir: t.TempDir(), Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		prometheus.Kill()
		<-prometheus.Done()
	})
	answers := func(query string) (n int, err error) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+prometheus.Address()+"/api/v1/query?query="+url.QueryEscape(query), http.NoBody)
		if err != nil {
			return 0, err
		}
		answer, err := http.DefaultClient.Do(q)
		if err != nil {
			return 0, err
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		var told struct {
			Data struct{ Result []json.RawMessage }
		}
		if err == nil {
			err = json.Unmarshal(body, &told)
		}
		return len(told.Data.Result), err
	}
	for _, query := range []string{
		`up{job="workflow-worker"} == 1`, "workflow_worker_build_info", "workflow_worker_dependency_up == 1", `workflow_worker_stream_mode{mode="streaming"} == 1`,
		"workflow_worker_reload_duration_seconds_bucket", `workflow_worker_projects{status="failed"}`, "workflow_worker_workflow_task_failures_total",
		"workflow_worker_executions_failing", "workflow_worker_compile_errors", `workflow_worker_gate_refusals_total{of="edit"}`,
		"workflow_worker_reconcile_failures_total", "workflow_worker:memory:ratio > 0", "workflow_worker_code_store_bytes", `workflow_worker_workflows{versions="more"}`,
		"workflow_worker_stream_lag_seconds_bucket", "workflow_worker:workflow_task_failures:rate5m",
	} {
		eventually(t, query, func() error {
			n, err := answers(query)
			if err == nil && n == 0 {
				err = errors.New("nothing")
			}
			return err
		})
	}
	if n, err := answers(`ALERTS{alertstate="firing"}`); err != nil || n != 0 {
		t.Errorf("%d alerts fire on a service that is well, %v", n, err)
	}
	// What a rule is about while it is wrong.
	b := newBuilder(t, db)
	b.exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'on purpose'; END $$`)
	b.exec(`CREATE TRIGGER refuse BEFORE UPDATE ON workflow_workers FOR EACH ROW EXECUTE FUNCTION refuse()`)
	eventually(t, "heartbeats are missed", func() error {
		n, err := answers(`workflow_worker_trouble{id="service.heartbeats_cant_be_written"} == 1`)
		if err == nil && n == 0 {
			err = errors.New("not yet")
		}
		return err
	})
	eventually(t, "health names it, too", s.health(http.StatusServiceUnavailable, `"service.heartbeats_cant_be_written"`))
}

// ours leaves out what libraries make: promtool minds Go's own names.
func ours(metrics string) string {
	var out strings.Builder
	for line := range strings.Lines(metrics) {
		if name := strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "); strings.HasPrefix(name, "workflow_worker_") {
			fmt.Fprint(&out, line)
		}
	}
	return out.String()
}
