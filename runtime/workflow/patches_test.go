package workflow

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"workflow-worker/docker/stack/stacktest/race"
)

func TestBothNamesOfAPatchFindItsExecutions(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() { const out = [patched('my-change'), patched('other-1')]; await sleep(1); deprecatePatch('old'); return out.length; }`)
	run := p.start("run")
	if got := p.result(run); got != "2" {
		t.Fatal(got)
	}
	for _, name := range []string{"my-change", "my-change-1", "other-1", "other-1-1", "old", "old-1"} {
		p.until("visibility finds it by "+name, func() bool {
			resp, err := p.c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
				Namespace: "default", Query: fmt.Sprintf("TemporalChangeVersion = '%s' AND WorkflowId = '%s'", name, run.GetID()),
			})
			return err == nil && len(resp.GetExecutions()) == 1
		})
	}
}

// A run with many patches must find all of them again, by a replay and after a restart.
func TestManyPatches(t *testing.T) {
	race.AtSpeed(t)
	if testing.Short() {
		t.Skip("takes long")
	}
	t.Parallel()
	p := patientProject(t, `
export async function run(n: number, restarts: boolean) {
  const { echo } = proxyActivities<any>({ startToCloseTimeout: '10s' });
  let fresh = 0;
  for (let i = 0; i < n; i++) { if (patched('change-' + i)) fresh++; if (i % 100 === 50) fresh += await echo(0); }
  if (restarts) { let go = false; setHandler(defineSignal('go'), () => { go = true; }); await condition(() => go); }
  for (let i = 0; i < n; i++) if (patched('change-' + i)) fresh++;
  if (patched('late')) fresh++;
  return fresh + await echo(1);
}`)
	if got := p.run("run", 600, false); got != "1202" {
		t.Error(got)
	}
	run := p.start("run", 300, true)
	p.until("it waits", func() bool { return strings.Count(p.events(run), "ActivityTaskCompleted") == 3 })
	p.restartWorker()
	p.signal(run, "go", nil)
	if got := p.result(run); got != "602" {
		t.Error(got)
	}
	h := p.history(run)
	markers := 0
	for _, e := range h.Events {
		if e.GetMarkerRecordedEventAttributes().GetMarkerName() == "Version" {
			markers++
		}
	}
	if markers != 301 {
		t.Errorf("%d markers, want one for each patch", markers)
	}
}

// BenchmarkPatches is a run with so many patches, per patch: it must not grow with their number.
func BenchmarkPatches(b *testing.B) {
	for _, n := range []int{200, 1600} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := newProject(b, `export async function run(n: number) { for (let i = 0; i < n; i++) patched('change-' + i); return 0; }`)
			_ = p.run("run", 1)
			began := processCPU(b)
			for b.Loop() {
				run, err := p.c.ExecuteWorkflow(context.Background(), client.StartWorkflowOptions{TaskQueue: p.queue}, "run", n)
				if err != nil {
					b.Fatal(err)
				}
				if err := run.Get(context.Background(), nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((processCPU(b)-began).Microseconds())/float64(b.N)/float64(n), "cpu-µs/patch")
		})
	}
}
