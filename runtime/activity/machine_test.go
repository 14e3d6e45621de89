package activity

import (
	"strconv"
	"testing"
	"time"
)

// onMachine gives a code its machine at once.
func onMachine(t testing.TB, c *Code) {
	t.Helper()
	m, err := c.newMachine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.machines = append(c.machines, m)
}

// nosy reports what it finds of earlier executions, and leaves behind what it can.
const nosy = `
import { Context, activityInfo, asyncLocalStorage } from '@temporalio/activity';
import * as common from '@temporalio/common';
const scope: any = [].constructor.constructor('return this')();
const storage = new scope.AsyncLocalStorage();
let calls = 0;
export async function main(i: number) {
  const places: any = {
    common, storage: new scope.AsyncLocalStorage(), info: activityInfo(), context: Context.current(), asyncLocalStorage, meter: Context.current().metricMeter,
    failure: common.ApplicationFailure, failures: Object.getOwnPropertyNames, list: [], text: Object(''), url: URL, signal: Context.current().cancellationSignal,
    json: scope.JSON, maths: scope.Math, converter: (common as any).defaultPayloadConverter, promise: Promise.resolve(), async: async () => {},
  };
  const found: string[] = calls++ ? ['module'] : [];
  if (storage.getStore()) found.push('storage');
  if (scope.kept !== undefined) found.push('global');
  scope.kept = i;
  for (const name of Object.keys(places)) {
    for (let at = places[name], up = 0; at && up < 5; at = Reflect['getProto' + 'typeOf'](at), up++) {
      const { kept } = Object.getOwnPropertyDescriptors(at);
      if (kept && kept.value !== i) found.push(name + up + kept.value);
      try { at.kept = i; } catch {}
      try { Object.defineProperty(at, 'kept', { value: i }); } catch {}
      try { at.constructor.kept = i; } catch {}
      try { Reflect['setProto' + 'typeOf'](at, { kept: i }); } catch {}
    }
  }
  storage.enterWith(i);
  setInterval(() => { calls++; }, 1);
  if (i % 5 === 1) throw new Error('x');
  if (i % 5 === 2) await new Promise((r) => setTimeout(r, 1));
  return found;
}`

func TestExecutionsThatShareARuntimeSeeNothingOfEachOther(t *testing.T) {
	t.Parallel()
	c := code(t, nosy, CodeOptions{})
	if c.apart {
		t.Fatal("the code gives itself away")
	}
	onMachine(t, c)
	for i := 1; i <= 100; i++ {
		got, err := execute(t, c, strconv.Itoa(i))
		if i%5 == 1 {
			wantApplication(t, err, "Error", false)
		} else if err != nil || got != "[]" {
			t.Fatalf("execution %d: %s, %v", i, got, err)
		}
	}
	if len(c.machines) != 1 || c.machines[0].uses != 100 {
		t.Errorf("they didn't share one: %d machines, apart %v", len(c.machines), c.apart)
	}
}

func TestRuntimesThatWereCutOffAreNotUsedAgain(t *testing.T) {
	t.Parallel()
	c := code(t, `export async function main(how: string) {
  if (how === 'loop') for (;;);
  if (how === 'deep') { const f = async (): Promise<any> => f(); await f(); }
  return [1, 2].map((x) => x + 1);
}`, CodeOptions{SliceBudget: 200 * time.Millisecond})
	for range 2 {
		onMachine(t, c)
		for _, how := range []string{"", "loop", "", "deep", ""} {
			if how == "deep" {
				onMachine(t, c)
			}
			got, err := execute(t, c, `"`+how+`"`)
			if (err == nil) != (how == "") || err == nil && got != "[2,3]" {
				t.Errorf("%q: %s, %v", how, got, err)
			}
			if how != "" && len(c.machines)+c.lent > 0 {
				t.Errorf("%q: the machine is kept", how)
			}
		}
	}
}

func TestCodeThatChangesBuiltinsHasItsOwn(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"openly":     `(Array.prototype as any).last = function () { return this[this.length - 1]; };`,
		"in secret":  `const list: any = []; list['const' + 'ructor']['proto' + 'type'].last = function () { return this[this.length - 1]; };`,
		"on a class": `(Object as any).last = 1; (Array.prototype as any).last = function () { return this[this.length - 1]; };`,
	} {
		c := code(t, text+`
export const main = () => ([1, 2, 3] as any).last();`, CodeOptions{MachineAfter: 1})
		if !c.apart {
			onMachine(t, c)
		}
		for range 5 {
			if got, err := execute(t, c); err != nil || got != "3" {
				t.Errorf("%s: %s, %v", name, got, err)
			}
		}
		if !c.apart || len(c.machines) > 0 {
			t.Errorf("%s: there are %d machines", name, len(c.machines))
		}
	}
}

// Frozen builtins must not be in the way of what code does with its own objects.
func TestFrozenBuiltinsLetObjectsHaveTheirNames(t *testing.T) {
	t.Parallel()
	c := code(t, `
class Failure extends Error {
  constructor(message: string, public code: number) { super(message); this.name = 'Failure'; this.message = 'changed'; this.stack = 'none'; }
  toString() { return 'mine'; }
}
export async function main() {
  const o: any = {}; o.toString = () => 'o'; o.valueOf = () => 4; o.hasOwnProperty = 1; o.constructor = 2;
  const a: any = []; a.map = 1; a.toString = () => 'joined';
  const f: any = () => 1; f.call = 3; f.toString = () => 'f';
  const e = new Failure('x', 7);
  const p: any = Promise.resolve(1); p.extra = 1;
  const m: any = new Map(); m.get = () => 'got'; m.extra = 2;
  const d: any = new Date(0); d.toString = () => 'date';
  const scope: any = globalThis; scope.x1 = 1;
  return [String(o), o + 1, o.hasOwnProperty, o.constructor, a.map, String(a), f.call, String(f), String(e), e.name, e.message, e.code, e.stack, p.extra, m.get(1), m.extra, String(d), scope.x1].join();
}`, CodeOptions{})
	onMachine(t, c)
	want := `"o,5,1,2,1,joined,3,f,mine,Failure,changed,7,none,1,got,2,date,1"`
	for range 3 {
		if got, err := execute(t, c); err != nil || got != want {
			t.Errorf("got  %s, %v\nwant %s", got, err, want)
		}
	}
	if len(c.machines) != 1 {
		t.Errorf("there are %d machines", len(c.machines))
	}
}

// Of what frozen builtins refuse, the next attempt knows nothing.
func TestCodeThatFrozenBuiltinsAreInTheWayOfHasItsOwnAfterwards(t *testing.T) {
	t.Parallel()
	c := code(t, `export async function main(deep: boolean) {
  const [m] = [Math] as any[];
  if (deep) m.extra = 'mine';
  return m.extra ?? '1,2';
}`, CodeOptions{})
	onMachine(t, c)
	for _, step := range []struct{ arg, want string }{{"false", `"1,2"`}, {"true", ""}, {"true", `"mine"`}, {"true", `"mine"`}} {
		if got, err := execute(t, c, step.arg); got != step.want || (err == nil) != (step.want != "") {
			t.Errorf("%s: %s, %v", step.arg, got, err)
		}
	}
}

func TestCodeThatIsCalledOftenGetsAMachine(t *testing.T) {
	t.Parallel()
	c := code(t, `export const main = () => 1`, CodeOptions{MachineAfter: 3, Machines: 2})
	for i := range 100 {
		if _, err := execute(t, c); err != nil {
			t.Fatal(err)
		}
		c.mu.Lock()
		machines := len(c.machines) + c.building
		c.mu.Unlock()
		if (machines > 0) != (i >= 3) || machines > 2 {
			t.Fatalf("after %d calls there are %d machines", i+1, machines)
		}
	}
	c.Close()
	if c.kept() > 0 {
		t.Error("closed code keeps runtimes")
	}
}
