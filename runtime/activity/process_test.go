package activity

import (
	"strings"
	"testing"
)

// What Node 20 gives for it stands below.
const ticking = `
export async function main() {
  const out = []; const p = (x) => () => { out.push(x); };
  Promise.resolve().then(p('p1')).then(p('p1b'));
  process.nextTick(p('t1'));
  queueMicrotask(p('m1'));
  process.nextTick(() => { out.push('t2'); process.nextTick(p('t2a')); Promise.resolve().then(p('t2p')); });
  Promise.resolve().then(() => { out.push('p2'); process.nextTick(p('p2t')); process.nextTick(p('p2u')); Promise.resolve().then(p('p2p')).then(p('p2q')).then(() => { out.push('p2r'); process.nextTick(p('p2rt')); }); });
  process.nextTick((a, b) => out.push('args' + a + b), 1, 2);
  setTimeout(() => { Promise.resolve().then(p('tp')); process.nextTick(p('tt')); out.push('timer'); }, 1);
  (async () => { out.push('a0'); await null; out.push('a1'); process.nextTick(p('a1t')); await null; out.push('a2'); })();
  Promise.resolve({ then(r) { out.push('th'); r(); } }).then(p('thd'));
  out.push('sync');
  await new Promise((r) => setTimeout(r, 20));
  process.nextTick(p('z1')); Promise.resolve().then(p('z2')); await null; out.push('z3'); await 0; out.push('z4'); await new Promise((r) => setTimeout(r, 5));
  return out.join();
}`

const ticked = "a0,sync,t1,t2,args12,t2a,p1,m1,p2,a1,th,t2p,p1b,p2p,a2,thd,p2q,p2r,p2t,p2u,a1t,p2rt,timer,tt,tp,z2,z3,z4,z1"

func TestTicksRunBeforePromisesAsInNode(t *testing.T) {
	t.Parallel()
	c := code(t, ticking, CodeOptions{})
	for _, shared := range []bool{false, true} {
		if shared {
			onMachine(t, c)
		}
		if got, err := execute(t, c); err != nil || got != `"`+ticked+`"` {
			t.Errorf("shared %v: %v\n got %s\nwant %s", shared, err, got, ticked)
		}
	}
}

func TestATickThatThrowsStopsNoOther(t *testing.T) {
	t.Parallel()
	c := code(t, `export async function main() {
  const out: string[] = [];
  process.nextTick(() => { throw new Error('in a tick'); });
  process.nextTick(() => { out.push('next'); });
  await null;
  try { process.nextTick(1 as any); } catch (e: any) { out.push(e.code); }
  return out.join();
}`, CodeOptions{})
	if got, err := execute(t, c); err != nil || got != `"next,ERR_INVALID_ARG_TYPE"` {
		t.Errorf("%v, %s", err, got)
	}
}

func TestTheProcessCantBeEnded(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"exit(1)", "abort()", "kill(1)", "reallyExit()"} {
		c := code(t, "export function main() { process.on('exit', () => {}).once('x', () => {}); (process as any)."+call+" }", CodeOptions{})
		name, _, _ := strings.Cut(call, "(")
		if _, err := execute(t, c); err == nil || !strings.Contains(err.Error(), "process."+name+"() is not available: a component shares the service's process") {
			t.Errorf("%s: %v", call, err)
		}
	}
}
