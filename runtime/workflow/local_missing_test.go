package workflow

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"workflow-worker/runtime/workflow/wire"
)

func TestALocalActivityThatNobodyHasFailsTheTaskAtOnce(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	p.opts.MissingActivity = func(name, code string) error {
		if name == "echo" {
			return nil
		}
		if code == "" {
			return errors.New("of no code")
		}
		return errors.New("there are: echo")
	}
	p.deploy(`
const local = wf.proxyLocalActivities<any>({ startToCloseTimeout: '10s' });
export async function fails() { return local.nobodys(); }
export async function catches() { try { return await local.nobodys(); } catch { await sleep(1); return 'went on'; } }
export async function later() { await local.echo(1); const p = local.nobodys(); p.catch(() => undefined); return 'over'; }
`)
	p.startWorker()
	for _, name := range []string{"fails", "catches", "later"} {
		run, f := p.waitTaskFailure(name)
		if !strings.HasPrefix(f.GetMessage(), "ReferenceError: Local activity of type 'nobodys' not registered on worker: there are: echo") ||
			!strings.Contains(f.GetStackTrace(), "at "+name) {
			t.Errorf("%s: %s\n%s", name, f.GetMessage(), f.GetStackTrace())
		}
		p.end(run)
	}
	if !slices.Contains(p.seen.failures(), wire.ReasonException) {
		t.Errorf("reasons %v", p.seen.failures())
	}
}
