package workflow

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
)

// A query that came with a task, whose handler does what only the execution may, costs the execution
// nothing: the task's successor would follow in the same place, on what is to be dropped.
func TestAQueryInATaskThatChangesTheExecutionDoesNotEndIt(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	var calls atomic.Int64
	release := make(chan struct{})
	p.opts.LocalActivity = func(ctx context.Context, _ LocalActivity, _ *commonpb.Payloads) (*commonpb.Payloads, error) {
		calls.Add(1)
		select {
		case <-release:
		case <-ctx.Done():
		}
		return converter.GetDefaultDataConverter().ToPayloads("done")
	}
	p.deploy(`
const { hold } = wf.proxyLocalActivities<any>({ startToCloseTimeout: '1m' });
export async function run() {
  setHandler(defineQuery('changes'), () => { void sleep(1000); return 1; });
  return hold();
}`)
	p.startWorker()
	run := p.startWith(client.StartWorkflowOptions{WorkflowTaskTimeout: 2 * time.Second}, "run")
	p.until("the local activity runs", func() bool { return calls.Load() > 0 })
	if got, err := p.tryQuery(run, "changes"); err == nil {
		t.Errorf("the query gives %s", got)
	}
	close(release)
	if got := p.result(run); got != `"done"` {
		t.Errorf("result %s", got)
	}
	p.noFailedTasks(run)
}
