package build

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/runtime/activity"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/sandbox"
	"workflow-worker/runtime/workflow"
)

func program(t testing.TB, text string) *compile.Program {
	t.Helper()
	c := compile.New(compile.Config{})
	t.Cleanup(c.Close)
	p, err := c.Compile(t.Context(), Text{Name: "order-intake", Code: text}.source(""))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOrdinaryModulesAreLookedOverWithoutTheSDK(t *testing.T) {
	for _, text := range []string{
		`import { proxyActivities, defineSignal } from '@temporalio/workflow';
		 const { a, b } = proxyActivities<any>({ startToCloseTimeout: '1m' });
		 export const s = defineSignal('s');
		 export async function run() { return a() }`,
		`import { ApplicationFailure } from '@temporalio/common';
		 const known = [ApplicationFailure.create({ message: 'x' })].map((e) => e.message + '!');
		 export async function run() {}`,
	} {
		if !evaluatesWithStandIns(t.Context(), program(t, text), workflow.CodeOptions{}) {
			t.Errorf("needs the SDK: %s", text)
		}
	}
}

func TestExportedFunctionsAreThoseOfTheRealEvaluation(t *testing.T) {
	for text, want := range map[string]string{
		`import { defineSignal } from '@temporalio/workflow';
		 const wrap = (f: any) => async () => f;
		 export const made = wrap(1); export const s = defineSignal('s'); export const n = [1].length; export async function run() {}`: "made run",
		`import * as wf from '@temporalio/workflow'; export const t = wf.defineQuery('t'); export function run() {}`: "run",
		`import { ApplicationFailure } from '@temporalio/workflow';
		 export class E extends ApplicationFailure {}; export default async () => 1`: "default",
	} {
		found, err := contents(t.Context(), program(t, text), text, workflow.CodeOptions{})
		got := found.Functions
		slices.Sort(got)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s\nexports %v, %v; want %s", text, got, err, want)
		}
	}
}

func TestModulesSayWhichFunctionsMayAskForNewerCode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`export async function run() {}`: "",
		`import { setWorkflowOptions } from '@temporalio/workflow';
		 export async function run() {}; export async function stays() {}; export async function asked() {}; export async function plain() {}
		 setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, run);
		 setWorkflowOptions({ versioningBehavior: 'PINNED' }, stays);
		 setWorkflowOptions(() => ({ versioningBehavior: 'PINNED' }), asked);`: "asked run",
		`import * as wf from '@temporalio/workflow';
		 export default async function f() { return 1; }
		 wf.defineWorkflowOptions(f, { workflowDefinitionOptions: { versioningBehavior: 'AUTO_UPGRADE' } });`: "default",
	} {
		found, err := contents(t.Context(), program(t, text), text, workflow.CodeOptions{})
		slices.Sort(found.Upgrading)
		if err != nil || strings.Join(found.Upgrading, " ") != want {
			t.Errorf("%s\nupgrading %v, %v; want %s", text, found.Upgrading, err, want)
		}
	}
}

func TestATopLevelThatThrowsIsAnErrorWithItsPlace(t *testing.T) {
	_, err := contents(t.Context(), program(t, "const table: any = undefined;\nexport const size = table.length;\nexport async function run() {}"), "", workflow.CodeOptions{})
	var thrown *sandbox.Thrown
	if !errors.As(err, &thrown) || thrown.Line != 2 || thrown.File != "order-intake.ts" || !strings.Contains(thrown.Message, "TypeError") {
		t.Errorf("error = %v, %+v", err, thrown)
	}
	_, err = contents(t.Context(), program(t, "for (;;) {}\nexport async function run() {}"), "", workflow.CodeOptions{})
	if err == nil || !strings.Contains(err.Error(), "longer than 1s") {
		t.Errorf("an endless top level: %v", err)
	}
}

func BenchmarkLookOver(b *testing.B) {
	p := program(b, `import { proxyActivities } from '@temporalio/workflow'; const { a } = proxyActivities<any>({ startToCloseTimeout: '1m' }); export async function run() { return a() }`)
	for b.Loop() {
		if !evaluatesWithStandIns(b.Context(), p, workflow.CodeOptions{}) {
			b.Fatal("not evaluated")
		}
	}
}

func TestPackagesAreEvaluatedWhenARowIsLoaded(t *testing.T) {
	t.Parallel()
	c := compile.New(compile.Config{Modules: stacktest.Packages(t)})
	t.Cleanup(c.Close)
	look := func(text string) error {
		p, err := c.Compile(t.Context(), compile.Source{Name: "order.ts", Kind: compile.Workflow, Text: text})
		if err != nil {
			t.Fatal(err)
		}
		_, err = contents(t.Context(), p, text, workflow.CodeOptions{})
		return err
	}
	for text, want := range map[string]string{
		"import { z } from 'zod'; import _ from 'lodash';\nconst S = z.object({ a: z.string() });\nexport async function order() { return [S, _.VERSION]; }": "",
		"import { z } from 'zod';\nconst S = (z as any).strin();\nexport async function order() { return S; }":                                               "order.ts:2:",
		"import x from 'axios/unsafe/adapters/http.js';\nexport async function order() { return x; }":                                                        "the npm package ",
	} {
		if err := look(text); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	p, err := c.Compile(t.Context(), compile.Source{Name: "order.ts", Kind: compile.Workflow, Text: "import { z } from 'zod';\nexport const s = z.string(); export async function order() {}"})
	if err != nil {
		t.Fatal(err)
	}
	if !evaluatesWithStandIns(t.Context(), p, workflow.CodeOptions{}) {
		t.Error("a good text with packages takes the long way")
	}
}

// What only declares isn't evaluated: the tests above show what a fault of a top level is.
func TestModulesThatOnlyDeclareAreNotEvaluated(t *testing.T) {
	t.Parallel()
	quiet := []string{
		`import { proxyActivities, defineSignal, sleep } from '@temporalio/workflow';
		 import type { Order } from './types';
		 const { a, b } = proxyActivities<any>({ startToCloseTimeout: '1m', retry: { maximumAttempts: 3, nonRetryableErrorTypes: ['A', 'B'] } });
		 export const s = defineSignal<[string]>('s');
		 const limit = -1, none = null, text = ` + "`x`" + `, list = [1, , 2], table = { limit, 'b': () => none, c() { return text } };
		 class Kept { #n = 1; get n() { return this.#n } }
		 export interface I { a: string }
		 export async function run(order: Order) { await sleep(limit); return [a(order), b, list, table, new Kept()]; }
		 export default run;`,
		`export const run = async () => 1;`,
		// esbuild gives these other names.
		`function Object() {} export async function run() { return Object }`,
		`const __export = () => { throw 1 }; export async function run() { return __export }`,
	}
	others := []string{
		`const x: any = undefined; export const y = x.z; export async function run() {}`,
		`export const n = [1].length; export async function run() {}`,
		`let n = 0; n++; export async function run() { return n }`,
		`const early = late; const late = 1; export async function run() { return early }`,
		`class A extends (undefined as any) {} export async function run() { return A }`,
		`class A { static n = (() => { throw 1 })() } export async function run() { return A }`,
		`enum E { A, B } export async function run() { return E.A }`,
		`const { a = (() => { throw 1 })() } = {} as any; export async function run() { return a }`,
		`const list = [...(1 as any)]; export async function run() { return list }`,
		"const text = `${Symbol() as any}`; export async function run() { return text }",
		`import * as wf from '@temporalio/workflow'; export const t = new (wf as any).Never(); export function run() {}`,
	}
	for i, text := range append(quiet, others...) {
		entered := 0
		o := workflow.CodeOptions{Entered: func(*compile.Program, string, string) func() {
			entered++
			return func() {}
		}}
		p := program(t, text)
		if p.Quiet != (i < len(quiet)) {
			t.Errorf("only declares: %v: %s", p.Quiet, text)
			continue
		}
		if _, err := contents(t.Context(), p, text, o); p.Quiet && (err != nil || entered > 0) {
			t.Errorf("evaluated %d times, error %v: %s", entered, err, text)
		}
		if p.Quiet && !evaluatesWithStandIns(t.Context(), p, o) {
			t.Errorf("fails when it is evaluated: %s", text)
		}
	}
}

func TestActivitiesThatOnlyDeclareAreNotEvaluated(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`import { Context, log } from '@temporalio/activity'; const { heartbeat } = { heartbeat: 1 } as any; export async function a() { Context.current(); log.info(heartbeat) }`: false,
		`import { Context, log } from '@temporalio/activity'; const at = 'x'; export async function a() { Context.current(); log.info(at) }; export const b = () => 1;`:            true,
		`import { Context } from '@temporalio/activity'; const c = Context.current(); export async function a() { return c }`:                                                      false,
		`import { readFileSync } from 'node:fs'; export async function a() { return readFileSync }`:                                                                                false,
	} {
		c := compile.New(compile.Config{})
		t.Cleanup(c.Close)
		p, err := c.Compile(t.Context(), Text{Kind: KindComponent, Name: "a", Code: text}.source(""))
		if err != nil {
			if want {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		if p.Quiet != want {
			t.Errorf("only declares: %v, want %v: %s", p.Quiet, want, text)
			continue
		}
		if !want {
			continue
		}
		entered := 0
		b := New(Options{Compiler: c, Activities: func(string) activity.CodeOptions {
			return activity.CodeOptions{Entered: func(*compile.Program, string, string) func() {
				entered++
				return func() {}
			}}
		}})
		m, err := b.Component(t.Context(), "p", "typescript", Text{Kind: KindComponent, Name: "a", Code: text}, "")
		if err != nil || entered > 0 || len(m.ActivityFunctions) == 0 {
			t.Errorf("evaluated %d times, %+v, %v: %s", entered, m, err, text)
		}
		code := activity.NewCode(p, activity.CodeOptions{})
		t.Cleanup(code.Close)
		evaluated, err := code.Check(t.Context())
		if told, complete := p.Functions(); err != nil || !complete || !slices.Equal(told, evaluated) {
			t.Errorf("%s: the text tells of %v, and %v is there, %v", text, told, evaluated, err)
		}
	}
}
