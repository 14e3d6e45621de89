package runtime

import (
	"strings"
	"testing"

	failurepb "go.temporal.io/api/failure/v1"
)

// Whoever sees a failure in Temporal's UI sees which code it came from; the messages are the
// author's.
func TestFailuresOfActivitiesAndWorkflowsNameTheirCode(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.row("parent", "1.2", "", `import { executeChild, proxyActivities, ApplicationFailure } from '@temporalio/workflow';
const { refuse } = proxyActivities<any>({ startToCloseTimeout: '10s', retry: { maximumAttempts: 1 } });
export async function parent() {
  const seen: string[] = [];
  try { await refuse(); } catch (e: any) { seen.push(e.cause.message); }
  try { await executeChild('kid'); } catch (e: any) { seen.push(e.cause.message); }
  throw ApplicationFailure.nonRetryable(seen.join(', '));
}`)
	b.row("kid", "3.4", "", `import { ApplicationFailure } from '@temporalio/workflow';
export async function kid() { throw ApplicationFailure.nonRetryable('a child refuses'); }`)
	b.project.Components = []Component{{ID: "refuse", Name: "refuse", Language: "typescript", Code: `export async function refuse() { throw new Error('an activity refuses'); }`}}
	report := b.replica().look()
	hash := func(name string) string { return source(t, report, name).Hash[:12] }
	run := b.start("parent")
	if err := run.Get(t.Context(), nil); err == nil {
		t.Fatal("no failure")
	}
	check := func(what string, f *failurepb.Failure, message, code string) {
		t.Helper()
		lines := strings.Split(f.GetStackTrace(), "\n")
		if f.GetMessage() != message || lines[len(lines)-1] != "    in "+code || len(lines) < 2 {
			t.Errorf("%s: %q, stack\n%s\nwant %q, in %s", what, f.GetMessage(), f.GetStackTrace(), message, code)
		}
	}
	for _, e := range b.events(run) {
		if a := e.GetActivityTaskFailedEventAttributes(); a != nil {
			check("activity", a.GetFailure(), "an activity refuses", "refuse.ts ("+hash("refuse")+")")
		}
		if a := e.GetChildWorkflowExecutionFailedEventAttributes(); a != nil {
			check("child", a.GetFailure(), "a child refuses", "kid.ts 3.4 ("+hash("kid")+")")
		}
		if a := e.GetWorkflowExecutionFailedEventAttributes(); a != nil {
			check("workflow", a.GetFailure(), "an activity refuses, a child refuses", "parent.ts 1.2 ("+hash("parent")+")")
		}
	}
	if n := len(b.events(run)); n < 15 {
		t.Errorf("only %d events", n)
	}
}
