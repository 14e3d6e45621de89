package workflow

import (
	"strings"
	"testing"
)

func TestStackTraceShowsTriggersThatWait(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
const go = new Trigger<void>();
export async function run() {
  setHandler(defineSignal('go'), () => { settled = true; go.resolve(); });
  setHandler(defineQuery('ready'), () => true);
  await Promise.all([one(), two(), three()]);
}
async function one() { await condition(() => false, '1s'); }
async function two() { await go; }
let settled = false;
async function three() { await condition(() => settled); }`)
	run := p.start("run")
	p.until("it waits", func() bool { _, err := p.tryQuery(run, "ready"); return err == nil })
	if got := p.query(run, "__stack_trace"); !strings.Contains(got, "at one (test.ts:13:") || !strings.Contains(got, "at test.ts:7:") ||
		!strings.Contains(got, "at three (test.ts:16:") {
		t.Errorf("stack %s", got)
	}
	p.signal(run, "go", nil)
	p.until("the trigger is settled", func() bool { return !strings.Contains(p.query(run, "__stack_trace"), "test.ts:7:") })
	p.result(run)
}

func TestQueryWithoutHandlerFailsInUpstreamsWords(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  setHandler(defineQuery('ready'), () => true);
  wf.setDefaultQueryHandler(() => 1);
  await sleep('1s');
}`)
	run := p.start("run")
	p.until("it answers", func() bool { _, err := p.tryQuery(run, "ready"); return err == nil })
	want := "Cannot use query name: '__temporal_unknown', with reserved prefix: '__temporal_'"
	if _, err := p.tryQuery(run, "__temporal_unknown"); err == nil || err.Error() != want {
		t.Errorf("error = %v", err)
	}
	p.result(run)
}

func TestRandomStreamsAndTheMainOneMix(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
export async function run() {
  const a = wf.getRandomStream('a'), x = a.random(), inside = a.with(() => Math.random());
  const bytes = wf.workflowRandom.fill(new Uint8Array(8));
  return [typeof x, typeof inside, x !== inside, typeof wf.workflowRandom.random(), bytes.some((b) => b > 0)];
}`)
	if got := p.run("run"); got != `["number","number",true,"number",true]` {
		t.Error(got)
	}
}
