package activity

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"workflow-worker/docker/stack/stacktest"
)

// clientBody runs the body of a function on a server, in an activity of a workflow that can be
// signalled, queried and updated. other is the id of an execution on another project's task queue.
func clientBody(t *testing.T, body string) (result string, others client.WorkflowRun, cl client.Client, err error) {
	t.Helper()
	cl, err = client.Dial(client.Options{
		HostPort: stacktest.TemporalAddress(t), Logger: quiet{}, DataConverter: passPayloads{converter.GetDefaultDataConverter()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	queue := stacktest.TaskQueue(t)
	c := code(t, `import { activityInfo, getClient, Context } from '@temporalio/activity';
import * as errors from '@temporalio/client';
export async function main({ other }: any) {
  const me = activityInfo().workflowExecution!.workflowId, client = getClient() as any, own = client.workflow.getHandle(me);
  const error = (e: any) => [e.constructor.name, e.message, e.cause?.message].filter(Boolean);
  `+body+`
}`, CodeOptions{})
	w := worker.New(cl, queue, worker.Options{})
	w.RegisterActivityWithOptions(func(ctx context.Context, args *commonpb.Payloads) (*commonpb.Payloads, error) {
		return c.Execute(ctx, "main", args)
	}, activity.RegisterOptions{Name: "chargeCard"})
	other := "other-" + uuid.NewString()
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context) (string, error) {
		var heard []string
		_ = workflow.SetQueryHandler(ctx, "heard", func(more string) ([]string, error) { return append(heard, more), nil })
		_ = workflow.SetUpdateHandler(ctx, "add", func(_ workflow.Context, text string) (int, error) {
			if text == "bad" {
				return 0, temporal.NewApplicationError("refused", "Bad")
			}
			heard = append(heard, text)
			return len(heard), nil
		})
		workflow.Go(ctx, func(ctx workflow.Context) {
			for {
				var text string
				workflow.GetSignalChannel(ctx, "say").Receive(ctx, &text)
				heard = append(heard, text)
			}
		})
		ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}})
		var out *commonpb.Payloads
		if err := workflow.ExecuteActivity(ctx, "chargeCard", jsonArgs(`{"other":"`+other+`"}`)).Get(ctx, &out); err != nil {
			return "", err
		}
		return string(out.GetPayloads()[0].GetData()), nil
	}, workflow.RegisterOptions{Name: "order"})
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context, text string) (string, error) {
		switch text {
		case "fail":
			return "", temporal.NewApplicationError("on purpose", "Purpose")
		case "again":
			return "", workflow.NewContinueAsNewError(ctx, "echo", "afterwards")
		case "wait":
			workflow.GetSignalChannel(ctx, "say").Receive(ctx, &text)
			if err := ctx.Err(); err != nil {
				return "", err
			}
		}
		return "echo " + text, nil
	}, workflow.RegisterOptions{Name: "echo"})
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	others, err = cl.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: other, TaskQueue: queue + "-of-another", WorkflowRunTimeout: time.Minute}, "order")
	if err != nil {
		t.Fatal(err)
	}
	run, err := cl.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: queue, WorkflowRunTimeout: time.Minute}, "order")
	if err != nil {
		t.Fatal(err)
	}
	err = run.Get(ctx, &result)
	return result, others, cl, err
}

func TestOnAServerTheClientReachesItsOwnProjectsWorkflows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, want string }{
		"signal and query": {`await own.signal('say', 'hello'); return await own.query('heard', 'asked')`, `["hello","asked"]`},
		"update": {`const n = await own.executeUpdate('add', { args: ['x'] }); const h = await own.startUpdate('add', { args: ['y'], waitForStage: 'ACCEPTED' });
			const bad = await own.executeUpdate('add', { args: ['bad'] }).catch(error); return [n, await h.result(), bad]`, `[1,2,["WorkflowUpdateFailedError","Workflow Update failed","refused"]]`},
		"describe": {`const d = await own.describe(); return [d.type, d.status.name, d.workflowId === me, d.startTime instanceof Date, d.memo, Object.keys(d.searchAttributes)]`,
			`["order","RUNNING",true,true,{},["BuildIds"]]`},
		"start and result": {`const h = await client.workflow.start('echo', { workflowId: me + '-2', args: ['hi'], memo: { a: 1 } }); return [await h.result(), (await h.describe()).memo, typeof h.firstExecutionRunId]`,
			`["echo hi",{"a":1},"string"]`},
		"execute":                            {`return await client.workflow.execute('echo', { workflowId: me + '-2', args: ['again'] })`, `"echo afterwards"`},
		"failure":                            {`return await client.workflow.execute('echo', { workflowId: me + '-2', args: ['fail'] }).catch((e: any) => [...error(e), e.cause.type, e instanceof errors.WorkflowFailedError])`, `["WorkflowFailedError","Workflow execution failed","on purpose","Purpose",true]`},
		"cancel":                             {`const h = await client.workflow.start('echo', { workflowId: me + '-2', args: ['wait'] }); await h.cancel(); await h.signal('say', 'x'); return (await h.result().catch(error))[0]`, `"WorkflowFailedError"`},
		"terminate":                          {`const h = await client.workflow.start('echo', { workflowId: me + '-2', args: ['wait'] }); await h.terminate('enough'); return await h.result().catch(error)`, `["WorkflowFailedError","enough","enough"]`},
		"started already":                    {`return (await client.workflow.start('order', { workflowId: me }).catch(error))[0]`, `"WorkflowExecutionAlreadyStartedError"`},
		"use existing":                       {`const h = await client.workflow.start('echo', { workflowId: me, workflowIdConflictPolicy: 'USE_EXISTING' }); return h.firstExecutionRunId === activityInfo().workflowExecution!.runId`, `true`},
		"take over":                          {`const o = { workflowId: me + '-2', args: ['wait'], workflowIdConflictPolicy: 'TERMINATE_EXISTING' }; await client.workflow.start('echo', o); const h = await client.workflow.start('echo', o); await h.signal('say', 'x'); return await h.result()`, `"echo x"`},
		"signal with start":                  {`const o = { workflowId: me + '-2', args: ['wait'], signal: 'say', signalArgs: ['started'] }; const h = await client.workflow.signalWithStart('echo', o); return [await h.result(), typeof h.signaledRunId]`, `["echo started","string"]`},
		"signal with start of one that runs": {`await client.workflow.signalWithStart('order', { workflowId: me, signal: 'say', signalArgs: ['again'] }); return await own.query('heard', '')`, `["again",""]`},
		"nobody":                             {`return await client.workflow.getHandle('nobody').signal('say').catch((e: any) => [e.constructor.name, e.workflowId])`, `["WorkflowNotFoundError","nobody"]`},
		"unknown query":                      {`return (await own.query('nothing').catch(error))[0]`, `"QueryNotRegisteredError"`},
		"what isn't there":                   {`return [() => client.schedule.create, () => client.connection.close(), () => client.workflow.list(), () => new (errors as any).Client()].map((f) => { try { f(); return '' } catch (e: any) { return e.constructor.name } })`, `["TypeError","TypeError","TypeError","TypeError"]`},
		"of the context":                     {`return Context.current().client === client`, `true`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _, _, err := clientBody(t, c.body)
			if err != nil || got != c.want {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
		})
	}
}

func TestOnAServerTheClientReachesNoOtherProject(t *testing.T) {
	t.Parallel()
	got, others, cl, err := clientBody(t, `const h = client.workflow.getHandle(other), o = { workflowId: other };
  const tries: Record<string, () => Promise<unknown>> = {
    signal: () => h.signal('say', 'x'), query: () => h.query('heard', 'x'), update: () => h.executeUpdate('add', { args: ['x'] }), result: () => h.result(),
    cancel: () => h.cancel(), terminate: () => h.terminate(), describe: () => h.describe(), updateResult: () => h.getUpdateHandle('x').result(),
    existing: () => client.workflow.start('order', { ...o, workflowIdConflictPolicy: 'USE_EXISTING' }),
    takeOver: () => client.workflow.start('order', { ...o, workflowIdConflictPolicy: 'TERMINATE_EXISTING' }),
    reuse: () => client.workflow.start('order', { ...o, workflowIdReusePolicy: 'TERMINATE_IF_RUNNING' }),
    signalWithStart: () => client.workflow.signalWithStart('order', { ...o, signal: 'say' }),
    elsewhere: () => client.workflow.start('order', { workflowId: me + '-2', taskQueue: activityInfo().taskQueue + '-of-another' }),
  };
  const out: string[] = [];
  for (const [name, f] of Object.entries(tries)) out.push(name + ' ' + await f().then(() => 'DONE', (e) => e.code === 'PERMISSION_DENIED' && /own project/.test(e.message) ? 'refused' : String(e)));
  return out`)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(got, "refused") != 13 {
		t.Errorf("got %s", got)
	}
	d, err := cl.DescribeWorkflowExecution(t.Context(), others.GetID(), "")
	if err != nil {
		t.Fatal(err)
	}
	info := d.GetWorkflowExecutionInfo()
	if info.GetExecution().GetRunId() != others.GetRunID() || info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING || info.GetHistoryLength() != 2 {
		t.Errorf("the other project's execution was touched: %v", info)
	}
}

func TestWithoutAWorkerThereIsNoClient(t *testing.T) {
	t.Parallel()
	_, err := execute(t, code(t, `import { getClient } from '@temporalio/activity'; export async function main() { getClient() }`, CodeOptions{}))
	if err == nil || !strings.Contains(err.Error(), "getClient() needs a worker's connection") {
		t.Errorf("got %v", err)
	}
}
