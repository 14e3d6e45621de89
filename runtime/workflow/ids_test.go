package workflow

import (
	"slices"
	"strings"
	"testing"

	"workflow-worker/runtime/workflow/wire"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
)

func (p *project) anyTaskFailure(run client.WorkflowRun) (message string, cause enumspb.WorkflowTaskFailedCause) {
	p.t.Helper()
	p.until("its task failed", func() bool {
		for _, e := range p.history(run).Events {
			if a := e.GetWorkflowTaskFailedEventAttributes(); a != nil {
				message, cause = a.GetFailure().GetMessage(), a.GetCause()
			}
		}
		return message != ""
	})
	return message, cause
}

func TestAnActivityIDInUseIsNamedAndIsNoNondeterminism(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
const on = (o: any) => proxyActivities<any>({ startToCloseTimeout: '10s', heartbeatTimeout: '5s', activityId: 'twice', ...o });
export async function together() { await Promise.all([on({}).echo(1), on({}).double(2)]); }
export async function meanwhile() { on({}).hangWithHeartbeat().catch(() => undefined); await sleep(10); await on({}).double(2); }
export async function cancelled() {
  const scope = new CancellationScope();
  const first = scope.run(() => on({ cancellationType: 'ABANDON' }).hangWithHeartbeat()).catch(() => undefined);
  await sleep(10);
  scope.cancel();
  await first;
  await on({}).double(2);
}
export async function atTheEnd() { on({}).echo(1).catch(() => undefined); on({}).double(2).catch(() => undefined); return 'over'; }
export async function oneByOne() { return [await on({}).echo(1), await on({}).double(2)]; }
export async function takenBack() {
  const scope = new CancellationScope();
  const first = scope.run(() => on({}).echo(1)).catch(() => undefined);
  scope.cancel();
  await first;
  return on({}).double(2);
}
`)
	for _, name := range []string{"together", "meanwhile", "cancelled", "atTheEnd"} {
		run := p.startWith(quickTasks, name)
		got, cause := p.anyTaskFailure(run)
		if !strings.HasPrefix(got, `the activity double was given the id "twice", which an activity has that hasn't ended yet`) || !strings.HasSuffix(got, hintDuplicateID) {
			t.Errorf("%s: %s", name, got)
		}
		if cause != enumspb.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE {
			t.Errorf("%s: cause %v", name, cause)
		}
		p.end(run)
	}
	if slices.Contains(p.seen.failures(), wire.ReasonNondeterminism) || !slices.Contains(p.seen.failures(), wire.ReasonDuplicateID) {
		t.Errorf("reasons %v", p.seen.failures())
	}
	if got := p.run("oneByOne"); got != "[1,4]" {
		t.Error(got)
	}
	if got := p.run("takenBack"); got != "4" {
		t.Error(got)
	}
}

func TestTaskFailuresKeepClassAndCauses(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
class Inner extends TypeError { name = 'Inner'; }
class Outer extends Error { name = 'Outer'; }
const chain = () => new Outer('outer', { cause: new Inner('inner', { cause: ApplicationFailure.create({ message: 'root', type: 'Root', details: [7] }) }) });
export async function rejects() { Promise.reject(chain()); await sleep(1000); }
export async function throws() { throw chain(); }
export async function temporal() { Promise.reject(ApplicationFailure.create({ message: 'no', type: 'No' })); await sleep(1000); }
export async function text() { Promise.reject('just text'); await sleep(1000); }
export async function object() { Promise.reject({ code: 7 }); await sleep(1000); }
export async function nothing() { Promise.reject(undefined); await sleep(1000); }
export async function hostile() { Promise.reject({ toString() { throw new Error('never shown'); } }); await sleep(1000); }
`)
	for name, want := range map[string]struct {
		message, kind string
		causes        []string // message, and the stack's first line behind a slash
	}{
		"rejects":  {"Unhandled Promise rejection: Outer: outer", "Outer", []string{"outer/Outer: outer", "inner/Inner: inner", "root/"}},
		"throws":   {"Outer: outer", "Outer", []string{"inner/Inner: inner", "root/"}},
		"temporal": {"Unhandled Promise rejection: ApplicationFailure: no", "No", []string{"no/"}},
		"text":     {"Unhandled Promise rejection: just text", "", []string{"just text [A non-Error value was thrown"}},
		"object":   {"Unhandled Promise rejection: [object Object]", "", []string{`{"code":7} [A non-Error value was thrown`}},
		"nothing":  {"Unhandled Promise rejection: undefined", "", nil},
		"hostile":  {"Unhandled Promise rejection: what it was rejected with has no text", "", []string{"{} [A non-Error value was thrown"}},
	} {
		run, f := p.waitTaskFailure(name)
		if !strings.HasPrefix(f.GetMessage(), want.message) || f.GetApplicationFailureInfo().GetType() != want.kind {
			t.Errorf("%s: %q of type %q", name, f.GetMessage(), f.GetApplicationFailureInfo().GetType())
		}
		c := f.GetCause()
		for _, w := range want.causes {
			message, first, _ := strings.Cut(w, "/")
			if !strings.HasPrefix(c.GetMessage(), message) || !strings.HasPrefix(c.GetStackTrace(), first) {
				t.Errorf("%s: cause %q, stack %q; want %s", name, c.GetMessage(), c.GetStackTrace(), w)
			}
			c = c.GetCause()
		}
		if c != nil && want.causes != nil {
			t.Errorf("%s: one more cause: %v", name, c)
		}
		p.end(run)
	}
}
