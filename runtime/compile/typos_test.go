package compile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// told is what a text's names tell: "refused 1:10 …" and "warning 2:3 …", in order.
func told(t *testing.T, k Kind, text string) []string {
	t.Helper()
	p, err := compiler(t, false).Compile(t.Context(), Source{Name: "row.ts", Kind: k, Text: text})
	var out []string
	add := func(what string, notes []Note) {
		for _, n := range notes {
			if n.File != "row.ts" {
				t.Errorf("file %q", n.File)
			}
			out = append(out, fmt.Sprintf("%s %d:%d %s", what, n.Line, n.Column, n.Message))
		}
	}
	var bad *Error
	switch {
	case errors.As(err, &bad):
		add("error", append([]Note{bad.note()}, bad.More...))
		add("warning", bad.Warnings)
	case err != nil:
		t.Fatal(err)
	default:
		add("refused", p.Refused)
		add("warning", p.Warnings)
	}
	return out
}

func TestNamesThatStandForNothing(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		about string
		kind  Kind
		text  string
		want  []string // the beginnings
	}{
		// What a module doesn't have is refused where it is imported.
		{"a typo", Workflow, "import { sleeep } from '@temporalio/workflow';\nexport async function x() { await sleeep(10); }",
			[]string{`refused 1:10 "@temporalio/workflow" has no "sleeep": did you mean "sleep"?`}},
		{"several, over lines, with comments and other names", Workflow, `import {
  sleep, // not , sleeep
  proxyActivites as acts,
  /* , */ conditon,
} from "@temporalio/workflow";
import { AplicationFailure } from '@temporalio/common';
export async function x() { await sleep(1); acts(); conditon(() => true); throw new AplicationFailure('x'); }`,
			[]string{`refused 3:3 "@temporalio/workflow" has no "proxyActivites": did you mean "proxyActivities"?`, `refused 4:11 "@temporalio/workflow" has no "conditon": did you mean "condition"?`,
				`refused 6:10 "@temporalio/common" has no "AplicationFailure": did you mean "ApplicationFailure"?`}},
		{"letters swapped, case", Workflow, "import { slepe, Sleep } from '@temporalio/workflow';\nexport const x = async () => [slepe, Sleep]",
			[]string{`refused 1:10 "@temporalio/workflow" has no "slepe": did you mean "sleep"?`, `refused 1:17 "@temporalio/workflow" has no "Sleep": did you mean "sleep"?`}},
		{"far from everything", Workflow, "import { quuxification } from '@temporalio/workflow';\nexport const x = async () => quuxification;", []string{`refused 1:10 "@temporalio/workflow" has no "quuxification"`}},
		{"after text of two bytes a letter", Workflow, "/* é */ import { sleeep } from '@temporalio/workflow'; export const x = async () => sleeep(1)", []string{`refused 1:18 `}},
		{"an activity's", Activity, "import { heartbeet, sleep } from '@temporalio/activity';\nimport { Clinet } from '@temporalio/client';\nexport const a = () => { heartbeet(); sleep(1); new Clinet(); }",
			[]string{`refused 1:10 "@temporalio/activity" has no "heartbeet": did you mean "heartbeat"?`, `refused 2:10 "@temporalio/client" has no "Clinet": did you mean "Client"?`}},
		{"of a module of the other kind", Activity, "import { sleep, condition } from '@temporalio/activity';\nexport const a = () => [sleep, condition]", []string{`refused 1:17 "@temporalio/activity" has no "condition"`}},
		{"of Node's modules", Activity, "import { createHsah } from 'crypto';\nimport { joinn } from 'node:path';\nimport fs, { inspct } from 'util';\nexport const a = () => [createHsah, joinn, inspct, fs]",
			[]string{`refused 1:10 "crypto" has no "createHsah": did you mean "createHash"?`, `refused 2:10 "node:path" has no "joinn": did you mean "join"?`, `refused 3:14 "util" has no "inspct": did you mean "inspect"?`}},
		{"a default export that isn't", Workflow, "import nexus from 'nexus-rpc';\nexport const x = async () => nexus.operation()", []string{`refused 1:8 "nexus-rpc" has no default export`}},
		{"exported again", Workflow, "export { sleeep } from '@temporalio/workflow';\nexport async function x() {}", []string{`refused 1:10 "@temporalio/workflow" has no "sleeep"`}},
		{"in a deep module", Workflow, "import { encod } from '@temporalio/common/lib/encoding';\nexport const x = async () => encod('')", []string{`refused 1:10 "@temporalio/common/lib/encoding" has no "encod": did you mean "encode"?`}},
		{"a type used as a value", Workflow, "import { ActivityOptions } from '@temporalio/common';\nexport const x = async () => new ActivityOptions()", []string{`refused 1:10 "ActivityOptions" is a type of "@temporalio/common"`}},
		{"a namespace's", Workflow, "import * as wf from '@temporalio/workflow';\nexport async function x() {\n  await wf.sleeep(1);\n  new wf.Triger();\n}",
			[]string{`refused 3:9 "@temporalio/workflow" has no "sleeep": did you mean "sleep"?`, `refused 4:7 "@temporalio/workflow" has no "Triger": did you mean "Trigger"?`}},
		{"a namespace's member's member, tag, superclass", Workflow, "import * as wf from '@temporalio/workflow';\nexport async function x() { wf.CancelationScope.nonCancellable(async () => {}); wf.logg`a`; class A extends wf.TemporalFailur {} }",
			[]string{"refused 2:29 ", "refused 2:81 ", "refused 2:109"}},
		{"require", Activity, "const { heartbeat, heartbeet } = require('@temporalio/activity');\nconst p = require('path');\nexport const a = () => p.joinn(heartbeat, heartbeet)",
			[]string{`refused 3:24 "path" has no "joinn"`, `warning 1:20 "@temporalio/activity" has no "heartbeet": did you mean "heartbeat"?`}},

		// What can't be told, and what is fine.
		{"types", Workflow, `import type { Nonsense } from '@temporalio/workflow';
import { type AlsoNonsense, ActivityOptions, sleep, WorkflowInfo as Info } from '@temporalio/workflow';
import { RetryPolicy, Duration } from '@temporalio/common';
export type { Duration } from '@temporalio/common';
export { RetryPolicy, ActivityOptions };
export { WorkflowInfo } from '@temporalio/workflow';
const o: ActivityOptions & Nonsense = { startToCloseTimeout: 1 } as AlsoNonsense;
class C implements Info {}
export async function x(r?: RetryPolicy): Promise<typeof sleep | Info> { await sleep(1); return o satisfies ActivityOptions; }`, nil},
		{"a member that is looked for", Workflow, "import * as wf from '@temporalio/workflow';\nexport async function x() { wf.newer?.(1); if (wf.newest) wf.newest(); return typeof wf.other === 'function' ? wf.other() : wf.last ?? 1 }", nil},
		{"a member that is only read", Workflow, "import * as wf from '@temporalio/workflow';\nexport async function x() { const s = wf.sleeep; return s; }", []string{`warning 2:39 "@temporalio/workflow" has no "sleeep"`}},
		{"another thing of the namespace's name", Workflow, "import * as wf from '@temporalio/workflow';\nexport async function x(wf2: any) { { const wf: any = wf2; wf.sleeep(); } return ((wf: any) => wf.sleeep())(1) && wf.sleep(1) }", nil},
		{"what every object has", Activity, "import * as p from 'path';\nexport const a = () => p.hasOwnProperty('join')", nil},
		{"a member that in finds", Workflow, "import * as wf from '@temporalio/workflow';\nexport async function x() { if ('newer' in wf) (wf as any).newer() }", nil},
		{"a name of another module", Workflow, "import { TypedSearchAttributes, ok } from '@temporalio/workflow';\nimport { inspect } from 'assert';\nexport const x = async () => [TypedSearchAttributes, ok, inspect]",
			[]string{`refused 1:10 "@temporalio/workflow" has no "TypedSearchAttributes": import it from "@temporalio/common"`, `refused 1:33 "@temporalio/workflow" has no "ok"`, `refused 2:10 "assert" has no "inspect"`}},
		{"a type that is exported under another name", Workflow, "import { LoggerSinks, proxySinks } from '@temporalio/workflow';\nexport const x = async () => proxySinks<LoggerSinks>()", nil},
		{"what only code that never runs uses", Workflow, `import { sleep, log as l /* , */, // two
  condition } from '@temporalio/workflow';
import all, * as wf from "@temporalio/workflow"; import again = require('@temporalio/common')
export async function x() {
  if (false) await sleep(1);
  try {} catch (e) { l.info('', { e }); }
  return 1;
  condition(() => all && wf && again);
}`, nil},
		{"types used as values", Workflow, "import type { Info } from '@temporalio/workflow'; import { type Trigger, type sleep as pause } from '@temporalio/workflow';\nexport const x = async () => [Info, Trigger, pause]",
			[]string{"warning 2:31 Info ", "warning 2:37 Trigger ", "warning 2:46 pause "}},
		{"enums that are only declared", Workflow, "declare const enum L { A = 4 }\nexport async function x() { await startChild(other); return L.A }\ndeclare const startChild: any;", []string{"warning 2:35 startChild "}},
		{"names inside of texts", Workflow, "export async function x() { return `import { sleeep } from '@temporalio/workflow'` }", nil},

		{"a misspelt type, a name that nobody uses", Workflow, "import { ActivityOption, sleep, sleeep, type Nonsense } from '@temporalio/workflow';\nexport async function x(o: ActivityOption) { await sleep(1); }",
			[]string{`warning 1:10 "@temporalio/workflow" has no "ActivityOption": did you mean "ActivityOptions"?`, `warning 1:33 "@temporalio/workflow" has no "sleeep": did you mean "sleep"?`}},
		{"an import that isn't one", Workflow, "// import { sleeep } from '@temporalio/workflow';\n/*\nimport { sleeep } from '@temporalio/workflow';\n*/\nexport const x = async () => `\nimport { sleeep } from '@temporalio/workflow';\n`;", nil},

		// What nothing defines is a warning.
		{"without an import", Workflow, "export async function x() {\n  await sleep(10);\n  return fetch('http://x');\n}",
			[]string{`warning 2:9 sleep is not defined: the line fails with a ReferenceError when it runs; import { sleep } from "@temporalio/workflow"`,
				`warning 3:10 fetch is not defined: the line fails with a ReferenceError when it runs; workflows don't have it, call an activity`}},
		{"a typo of a variable", Workflow, "export async function x(orders: string[]) { const total = ordes.length; return totl; }",
			[]string{"warning 1:59 ordes is not defined: the line fails with a ReferenceError when it runs; did you mean orders?", "warning 1:80 totl is not defined: the line fails with a ReferenceError when it runs; did you mean total?"}},
		{"out of its block", Workflow, "export async function x() { if (1) { const y = 1; } for (const i of [1]) {} try {} catch (e) {} return [y, i, e]; }", []string{"warning 1:105 y ", "warning 1:108 i ", "warning 1:112 e "}},
		{"assigned, in a template, a default, a key, a class", Workflow, "export async function x(a = d1) { un = 1; `${t1}`; ({ [k1]: 1, short }); class A extends S1 { [m1]() {} f = f1 } return a; }",
			[]string{"warning 1:29 d1", "warning 1:35 un", "warning 1:46 t1", "warning 1:56 k1", "warning 1:64 short", "warning 1:90 S1", "warning 1:96 m1", "warning 1:109 f1"}},
		{"declared only", Workflow, "declare const VERSION: string;\nexport async function x() { return VERSION; }", []string{"warning 2:36 VERSION "}},
		{"what no engine here has", Activity, "export const a = () => [WebAssembly.Module, new WebAssembly.Module()]", []string{"warning 1:25 WebAssembly is not defined: the line fails with a ReferenceError when it runs; use JavaScript"}},
		{"in a component", Activity, "export const a = () => [fetch, process, Buffer, setTimeout, sleeping, window]", []string{"warning 1:61 sleeping", "warning 1:71 window"}},
		{"looked for", Workflow, "export async function x() { if (typeof fetch === 'function') fetch(); if ('other' in globalThis) other(); return globalThis.third ? third : typeof fourth }", nil},
		{"made a global", Workflow, "globalThis.first = 1; Object.assign(globalThis, { second: 2 }); Object.defineProperty(globalThis, 'third', {});\nexport async function x() { return [first, second, third] }", nil},
		{"other rows' workflows", Workflow, "import * as wf from '@temporalio/workflow';\nimport { startChild } from '@temporalio/workflow';\nexport async function x() { await wf.executeChild(otherRow, { args: [] }); return startChild(third) }", nil},
		{"all that binds", Workflow, `
import { sleep as pause } from '@temporalio/workflow';
enum E { A, B } namespace N { export const k = 1; export function f() { return k; } }
function hoisted() { return later; } let later = 1;
export default async function self2({ a, b: [c, ...d], ...e }: any = {}, ...rest: any[]): Promise<any> {
  outer: for (let i = 0, j = 1; i < j; i++) { if (i) continue outer; else break outer; }
  for (const k in e) k; for await (const z of rest) z; for (var v of rest) v; v;
  switch (a) { case 1: let s = 1; default: s; }
  try { throw c } catch ({ message }) { message } finally { d }
  class K { #p = 1; static s = K; static { var q = 1; q; } get p() { return this.#p } has(o: any) { return #p in o } m = () => arguments2; }
  const arguments2 = arguments, f = function g(): any { return g }, [x1 = 1, , y1] = rest, { t: { u } = {} as any } = e;
  ({ a, b: later } = e); [later] = rest; label: { break label; }
  const gen = function* () { yield* [new.target] };
  return [E.A, N.f(), hoisted, self2, K, f, x1, y1, u, gen, pause, undefined, NaN, console, async () => { await 1 }, (p: any) => p];
}`, nil},
		{"what CommonJS has", Activity, "const path = require('path');\nmodule.exports.a = () => path.join('a'); exports.b = () => module", nil},

		// All of it at once.
		{"everything", Workflow, "import { sleeep } from '@temporalio/workflow';\nimport fs from 'node:fs';\nimport x from './other';\nexport async function row() { await sleeep(1); fs.x; x; new Float16Array(1); undefinedHere(); return x === NaN }",
			[]string{`error 1:10 "@temporalio/workflow" has no "sleeep"`, `error 2:`, `error 3:`, `error 4:61 Float16Array`, `warning 4:78 undefinedHere`, "warning 4:104 Comparison with NaN"}},
		{"esbuild's errors", Workflow, "export async function x() { const a = 1; const a = 2; }\nlet b = 1; let b = 2;\nexport const y = import.meta.url;", []string{"error 1:48 ", "error 2:16 ", "error 3:18"}},
	} {
		got := told(t, tc.kind, tc.text)
		ok := len(got) == len(tc.want)
		for i := range min(len(got), len(tc.want)) {
			ok = ok && strings.HasPrefix(got[i], tc.want[i])
		}
		if !ok {
			t.Errorf("%s:\n  %s\nwant\n  %s", tc.about, strings.Join(got, "\n  "), strings.Join(tc.want, "\n  "))
		}
	}
}

func TestTheNearestName(t *testing.T) {
	t.Parallel()
	for _, tc := range [][2]string{{"sleeep", "sleep"}, {"slepe", "sleep"}, {"SLEEP", "sleep"}, {"proxyActivity", "proxyActivities"}, {"x", ""}, {"nothing", ""}, {"conditon", "condition"}, {"", ""}} {
		if got := nearest(tc[0], []string{"sleep", "condition", "proxyActivities", "_slee"}); got != tc[1] {
			t.Errorf("%s: %q, want %q", tc[0], got, tc[1])
		}
	}
}

func TestEverythingThatIsProvidedMayBeImported(t *testing.T) {
	t.Parallel()
	for _, k := range []Kind{Workflow, Activity} {
		for module, names := range k.provides().Modules {
			var text strings.Builder
			for i, n := range names {
				fmt.Fprintf(&text, "import { %s as x%d } from '%s';\n", n, i, module)
			}
			text.WriteString("export async function run() { return [")
			for i := range names {
				fmt.Fprintf(&text, "x%d, ", i)
			}
			text.WriteString("] }")
			if got := told(t, k, text.String()); len(got) > 0 {
				t.Errorf("%s: %s", module, got)
			}
		}
		if text := "export const run = async () => [" + strings.Join(k.provides().Globals, ", ") + "]"; len(told(t, k, text)) > 0 {
			t.Errorf("%s globals: %s", k, told(t, k, text))
		}
		if slices.Contains(k.provides().Globals, "") {
			t.Error("an empty name")
		}
	}
}

func TestALotThatIsWrongIsToldInPart(t *testing.T) {
	t.Parallel()
	var imports, calls strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&imports, "import { nothing%d } from '@temporalio/workflow';\n", i)
		fmt.Fprintf(&calls, "nothing%d(undefined%d); const known%d = 1;\n", i, i, i)
	}
	began := time.Now()
	got := told(t, Workflow, imports.String()+"export async function x() {\n"+calls.String()+"}")
	if len(got) != maxNotes || !strings.HasPrefix(got[0], `refused 1:10 "@temporalio/workflow" has no "nothing0"`) {
		t.Errorf("%d notes, the first %q", len(got), got[0])
	}
	t.Log(time.Since(began))
}
