package workflow

import (
	"strings"
	"testing"
	"time"

	"workflow-worker/docker/stack/stacktest/race"
)

// What a loop starts and never awaits is counted, bounded, and named with the author's line.
func TestALoopWithoutAwaitIsToldWhatItStarted(t *testing.T) {
	t.Parallel()
	race.AtSpeed(t)
	p := unstarted(t)
	p.opts.maxStarted = 300 // a busy machine gets no further in the time
	p.deploy(`
const { echo } = proxyActivities<any>({ startToCloseTimeout: '1s' });
const many = (start: (i: number) => void) => { for (let i = 0; i < 100_000; i++) start(i); };
export async function timers() {
  for (let i = 0; i < 100_000; i++) sleep('1 year');
}
export async function activities() { many((i) => { try { echo(i).catch(() => {}); } catch {} }); }
export async function children() { many((i) => { startChild('none', { workflowId: 'c' + i, args: [] }).catch(() => {}); }); }
export async function conditions() { many(() => { condition(() => false); }); }
export async function cancelled() { many(() => { const s = new CancellationScope(); s.run(() => sleep(1)).catch(() => {}); s.cancel(); }); }
export async function patches() { many((i) => { wf.patched('p' + i); }); }
export async function memos() { many((i) => { wf.upsertMemo({ i }); }); }`)
	p.startWorker()
	for name, line := range map[string]string{
		"timers": "at timers (test.ts:", "activities": "at activities (test.ts:", "children": "at children (test.ts:",
		"conditions": "at conditions (test.ts:", "cancelled": "at cancelled (test.ts:", "patches": "at patches (test.ts:", "memos": "at memos (test.ts:",
	} {
		run, f := p.waitTaskFailure(name)
		text := f.GetMessage() + "\n" + f.GetStackTrace()
		if !strings.Contains(text, "more than 300 commands") || !strings.Contains(text, "without await") || !strings.Contains(text, line) ||
			!strings.Contains(text, "Promise.all") {
			t.Errorf("%s: %q", name, text)
		}
		p.end(run)
	}
}

func TestWhatIsBelowTheLimitIsStarted(t *testing.T) {
	t.Parallel()
	race.AtSpeed(t)
	p := patientProject(t, `
export async function run() {
  const scope = new CancellationScope();
  const all = scope.run(() => Promise.all(Array.from({ length: 2500 }, () => sleep('1 year'))));
  scope.cancel();
  await all.catch(() => {});
  let n = 0;
  for (let i = 0; i < 3; i++) n += (await Promise.all(Array.from({ length: 900 }, () => condition(() => true).then(() => 1)))).length;
  return n;
}`)
	if got := p.run("run"); got != "2700" {
		t.Errorf("got %s", got)
	}
}

// What was cut off by its time knows what it had started by then; for promises there is no limit
// but time and memory.
func TestWhatRanForTooLongIsToldWhatItStarted(t *testing.T) {
	t.Parallel()
	race.AtSpeed(t)
	p := unstarted(t)
	p.opts.TaskTimeout = 200 * time.Millisecond // ten times that on the clock is less than the task has
	p.deploy(`
export async function timers() { for (let i = 0; i < 600; i++) sleep('1 year'); for (;;); }
export async function promises() { for (;;) (async () => { await null; })(); }`)
	p.startWorker()
	for name, want := range map[string]string{"timers": " commands (timers, ", "promises": "steps of promises wait until the code returns"} {
		run, f := p.waitTaskFailure(name)
		text := f.GetMessage() + "\n" + f.GetStackTrace()
		if !strings.Contains(text, want) || !strings.Contains(text, "at "+name+" (test.ts:") {
			t.Errorf("%s: %q", name, text)
		}
		p.end(run)
	}
}
