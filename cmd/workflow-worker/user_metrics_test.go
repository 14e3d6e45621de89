package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"

	"workflow-worker/docker/stack/stacktest"
)

// userLines are the lines of /metrics that users' code made.
func (s *service) userLines() string {
	s.t.Helper()
	_, body, err := s.get("/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	var lines []string
	for line := range strings.SplitSeq(body, "\n") {
		if strings.Contains(line, "user_") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func TestWhatCodeMeasuresReachesPrometheusAndGoesWithTheProject(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "USER_METRICS_MAX_SERIES=40", "WORKFLOW_CACHE_SIZE=1") // so that they replay
	b := newBuilder(t, db)
	p, other := b.project(), b.project()
	for _, p := range []*project{p, other} {
		p.component("charge", `
import { Context, metricMeter } from '@temporalio/activity';
const calls = metricMeter;
export async function charge(amount: number): Promise<string> {
  const meter = Context.current().metricMeter.withTags({ provider: 'bank' });
  meter.createCounter('charges', 'charges', 'Cards that were charged').add(1);
  meter.createHistogram('amount', 'float', 'EUR').record(amount, { provider: 'other' });
  calls.createGauge('last').set(7.9);
  (meter as any).createUpDownCounter('open').add(-3);
  meter.createCounter('workflow_worker_projects').add(1);
  meter.createCounter('odd name!').add(1, { 'bad-label': 'a"b', project_id: 'another' });
  try { meter.createCounter('charges').add(-1); } catch (e: any) { return e.message; }
  return 'no error';
}`)
		p.workflow("order", `
import { metricMeter, proxyActivities, sleep } from '@temporalio/workflow';
const { charge } = proxyActivities<any>({ startToCloseTimeout: '10s' });
export async function order(): Promise<string> {
  metricMeter.createCounter('orders').add(1, { step: 'first' });
  const out = await charge(12.5);
  metricMeter.createCounter('orders').add(1, { step: 'second' });
  await sleep(10);
  return out;
}
export async function greedy() {
  for (let i = 0; i < 100; i++) metricMeter.createCounter('greedy').add(1, { i });
}`)
		p.running(nil)
	}
	runs := []client.WorkflowRun{p.start("order"), p.start("order")}
	for _, started := range runs {
		if got := result[string](p, started); got != "MetricCounter value must be non-negative (got -1)" {
			t.Error(got)
		}
	}
	run[string](other, "order")
	labels := func(more string) string {
		return fmt.Sprintf(`{activityType="charge",namespace="default",%staskQueue=%q}`, fmt.Sprintf(`project_id=%q,`, p.id)+more, p.taskQueue)
	}
	lines := s.userLines()
	for _, want := range []string{
		`# HELP user_charges_total Cards that were charged (charges)`, `# TYPE user_charges_total counter`,
		`user_charges_total` + labels(`provider="bank",`) + ` 2`,
		`user_last` + labels("") + ` 7`, `user_open` + labels(`provider="bank",`) + ` -6`,
		`user_amount_histogram_sum` + labels(`provider="other",`) + ` 25`, `user_amount_histogram_count` + labels(`provider="other",`) + ` 2`,
		`user_workflow_worker_projects_total` + labels(`provider="bank",`) + ` 2`,
		fmt.Sprintf(`user_odd_name__total{activityType="charge",bad_label="a\"b",namespace="default",project_id=%q,provider="bank",tag_project_id="another",taskQueue=%q} 2`, p.id, p.taskQueue),
		fmt.Sprintf(`user_orders_total{namespace="default",project_id=%q,step="first",taskQueue=%q,workflowType="order"} 2`, p.id, p.taskQueue),
		fmt.Sprintf(`user_orders_total{namespace="default",project_id=%q,step="second",taskQueue=%q,workflowType="order"} 2`, p.id, p.taskQueue),
		fmt.Sprintf(`user_orders_total{namespace="default",project_id=%q,step="second",taskQueue=%q,workflowType="order"} 1`, other.id, other.taskQueue),
	} {
		if !strings.Contains(lines+"\n", want+"\n") {
			t.Errorf("no %s in\n%s", want, lines)
		}
	}

	run[any](p, "greedy")
	own := 0
	for line := range strings.SplitSeq(s.userLines(), "\n") {
		if strings.Contains(line, fmt.Sprintf("project_id=%q", p.id)) {
			own++
		}
	}
	if own != 40 {
		t.Errorf("the project has %d series", own)
	}
	if n := strings.Count(s.output(), "as many series of its own metrics as it may"); n != 1 {
		t.Errorf("%d warnings", n)
	}

	p.request("stop")
	eventually(t, "its series go", func() error {
		if lines := s.userLines(); strings.Contains(lines, p.id) {
			return errors.New(lines)
		}
		return nil
	})
	if lines := s.userLines(); !strings.Contains(lines, other.id) {
		t.Error("the other project's are gone too")
	}
}
