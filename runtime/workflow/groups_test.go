package workflow

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// What code puts into event groups is told to the server, which this one doesn't keep.
func TestCommandsNameTheirEventGroups(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	var (
		mu   sync.Mutex // guards seen
		seen = map[string]string{}
	)
	p.answered = func(r *workflowservice.RespondWorkflowTaskCompletedRequest) {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range r.GetCommands() {
			var groups []string
			for _, g := range c.GetEventGroupMarkers() {
				if label := g.GetLabel(); label != nil {
					groups = append(groups, label.GetId()+"="+string(label.GetLabel().GetData()))
				} else {
					groups = append(groups, "update "+g.GetInboundUpdate().GetInboundUpdateId())
				}
			}
			slices.Sort(groups)
			name := c.GetCommandType().String()
			if attributes := c.GetRecordMarkerCommandAttributes(); attributes != nil {
				name = attributes.GetMarkerName()
			}
			seen[name] = strings.Join(groups, ", ")
		}
	}
	p.deploy(`
const again = defineUpdate('again');
export async function child() { await condition(() => false); }
export async function grouped() {
  const order = wf.createEventGroup('the order', { id: 'order' });
  const customer = wf.createEventGroup('the customer', { id: 'customer' });
  let over = false;
  setHandler(again, async () => { await sleep(1); over = true; });
  await wf.executeChild('quick', { eventGroups: [order] });
  await proxyActivities({ startToCloseTimeout: '1m', eventGroups: [order] }).echo('x');
  await order.withScope(async () => {
    await wf.proxyLocalActivities({ startToCloseTimeout: '1m', eventGroups: [customer] }).echo('y');
    patched('grouped');
    upsertMemo({ a: 1 });
    upsertSearchAttributes({ WfKeyword: ['k'] });
    const handle = await startChild(child, { parentClosePolicy: ParentClosePolicy.TERMINATE });
    await handle.signal('s');
    await getExternalWorkflowHandle(handle.workflowId).cancel();
  });
  await condition(() => over && allHandlersFinished());
}
export async function quick() {}
`)
	p.searchAttributes()
	p.startWorker()
	run := p.start("grouped")
	handle, err := p.c.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
		WorkflowID: run.GetID(), UpdateName: "again", UpdateID: "u-1", WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := handle.Get(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	p.result(run)
	mu.Lock()
	defer mu.Unlock()
	const order, customer = `order="the order"`, `customer="the customer"`
	for name, want := range map[string]string{
		"StartChildWorkflowExecution": order, "ScheduleActivityTask": order, "LocalActivity": customer + ", " + order, "Version": "",
		"ModifyWorkflowProperties": order, "UpsertWorkflowSearchAttributes": order, "SignalExternalWorkflowExecution": order,
		"RequestCancelExternalWorkflowExecution": order, "StartTimer": "update u-1", "CompleteWorkflowExecution": "",
	} {
		got, there := seen[name]
		if !there || got != want {
			t.Errorf("%s: %q, wanted %q; there are %s", name, got, want, fmt.Sprint(seen))
		}
	}
}
