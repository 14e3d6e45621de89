package workflow

import (
	"strings"
	"testing"
)

// deepArray nests further than anything makes a text of it, and no deeper than any engine takes.
const deepArray = `
function deep(): any { let a: any = []; for (let i = 0; i < 20_000; i++) a = [a]; return a; }
`

// What the author gives for a text and can't be made one is an error of the author's, with its place.
func TestWhatCannotBeMadeATextIsTheAuthorsError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, field, place string }{
		"an activity's task queue":   {`const { echo } = proxyActivities<any>({ startToCloseTimeout: '1m', taskQueue: deep() }); await echo(1);`, "scheduleActivity: taskQueue ", "test.ts:9:"},
		"an activity's id":           {`const { echo } = proxyActivities<any>({ startToCloseTimeout: '1m', activityId: deep() }); await echo(1);`, "scheduleActivity: activityId ", "test.ts:9:"},
		"types of a retry policy":    {`const { echo } = proxyActivities<any>({ startToCloseTimeout: '1m', retry: { nonRetryableErrorTypes: deep() } }); await echo(1);`, "scheduleActivity: retryPolicy.nonRetryableErrorTypes ", "test.ts:9:"},
		"a child's id":               {`await executeChild('x', { workflowId: deep() } as any);`, "startChildWorkflowExecution: workflowId ", "test.ts:9:"},
		"a child's schedule":         {`await executeChild('x', { cronSchedule: deep() } as any);`, "startChildWorkflowExecution: cronSchedule ", "test.ts:9:"},
		"another execution's id":     {`await getExternalWorkflowHandle(deep() as any).signal('x');`, "signalExternalWorkflowExecution: workflowExecution.workflowId ", "test.ts:9:"},
		"the next run's task queue":  {`await makeContinueAsNewFunc({ taskQueue: deep() } as any)();`, "continueAsNewWorkflowExecution: taskQueue ", ""},
		"a child's memo":             {`await executeChild('x', { memo: { a: deep() } } as any);`, "", "test.ts:9:"},
		"a child's search attribute": {`await executeChild('x', { searchAttributes: { a: deep() } } as any);`, "", "test.ts:9:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t, deepArray+"export async function run(): Promise<any> {\n"+c.body+"\n}")
			run, f := p.waitTaskFailure("run")
			if text := f.GetMessage(); !strings.Contains(text, c.field) || !strings.Contains(text, "RangeError") || strings.Contains(text, "mistake of the service") {
				t.Errorf("message %q", text)
			}
			if !strings.Contains(f.GetStackTrace(), c.place) {
				t.Errorf("stack %q", f.GetStackTrace())
			}
			if reasons := p.seen.failures(); len(reasons) == 0 || reasons[0] != "exception" {
				t.Errorf("reasons %v", reasons)
			}
			p.end(run)
		})
	}
}
