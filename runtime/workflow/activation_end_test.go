package workflow

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"workflow-worker/runtime/workflow/wire"
)

// Cases of cmd/conformance/cases/activation-end.yaml compare the rest with the official worker.
func TestAnUpdateOfTheLastTaskIsAnsweredOrRejected(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	p.deploy(`
export async function ends() {
  setHandler(defineUpdate<string>('slow'), async () => { for (let i = 0; i < 5; i++) await condition(() => true); return 'answered'; });
  setHandler(defineUpdate<string>('fails'), async () => { for (let i = 0; i < 5; i++) await condition(() => true); throw new ApplicationFailure('late'); });
  setHandler(defineUpdate<string>('refuses'), async () => 'never', { validator: () => { throw new Error('refused'); } });
  return 'over';
}
export async function throws() {
  setHandler(defineUpdate<string>('slow'), async () => { for (let i = 0; i < 5; i++) await condition(() => true); return 'answered'; });
  throw ApplicationFailure.nonRetryable('main');
}
export async function goesOn(again = true) {
  setHandler(defineUpdate<string>('slow'), async () => { for (let i = 0; i < 5; i++) await condition(() => true); return 'answered'; });
  if (again) await continueAsNew(false);
  await sleep(1);
}
`)
	type asked struct{ workflow, update, want string }
	answers := map[asked]chan string{}
	for _, a := range []asked{
		{"ends", "slow", "answered"}, {"ends", "fails", "late"}, {"ends", "refuses", "refused"}, {"ends", "nobody", "No registered handler for update: nobody"},
		{"throws", "slow", "answered"}, {"goesOn", "slow", "answered"},
	} {
		run := p.start(a.workflow)
		answer := make(chan string, 1)
		answers[a] = answer
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			h, err := p.c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
				WorkflowID: run.GetID(), RunID: run.GetRunID(), UpdateName: a.update, WaitForStage: client.WorkflowUpdateStageCompleted,
			})
			var text string
			if err == nil {
				err = h.Get(ctx, &text)
			}
			if err != nil {
				text = err.Error()
			}
			answer <- text
		}()
	}
	time.Sleep(time.Second) // the server keeps updates that nobody can see in wait; those that come later are answered all the same, if not by the last task
	p.startWorker()
	for a, answer := range answers {
		if got := <-answer; !strings.Contains(got, a.want) {
			t.Errorf("%s of %s: %s, want %s", a.update, a.workflow, got, a.want)
		}
	}
}

// There is no activation behind the last one: what was scheduled in it and taken back is as if it
// had never been.
func TestWhatALateCancellationBringsIsNeverSeen(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  const inner = new CancellationScope();
  let over = false;
  inner.run(() => proxyActivities<any>({ startToCloseTimeout: '10s' }).echo(1)).catch(() => { upsertMemo({ seen: true }); });
  (async () => { await condition(() => over); for (let i = 0; i < 4; i++) await condition(() => true); inner.cancel(); })();
  over = true;
  return 'over';
}`)
	run := p.start("run")
	if got := p.result(run); got != `"over"` {
		t.Error(got)
	}
	if got := p.events(run); strings.Contains(got, "ActivityTaskScheduled") || strings.Contains(got, "PropertiesModified") {
		t.Error(got)
	}
}

func TestNewExecutionsKeepToOurRules(t *testing.T) {
	t.Parallel()
	p := newProject(t, `export async function run() {}`)
	run := p.start("run")
	_ = p.result(run)
	for _, e := range p.history(run).Events {
		if wire.PinOf(e).Hash != "" {
			if data := string(e.GetMarkerRecordedEventAttributes().GetDetails()["data"].GetPayloads()[0].GetData()); !strings.Contains(data, `"rules":[1,2,3,4,5,6,7,8,9,10]`) {
				t.Error(data)
			}
			return
		}
	}
	t.Error("there is no pin")
}
