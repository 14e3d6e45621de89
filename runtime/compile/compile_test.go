package compile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dop251/goja"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		stack := childStack
		if slices.Contains(os.Args, smallStack) {
			stack = 1 << 20
		}
		memory := uint64(mostMemory)
		if slices.Contains(os.Args, smallMemory) {
			memory = 24 << 20
		}
		if err := serve(os.Stdin, os.Stdout, stack, memory); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// smallStack has a child die of texts that are harmless to any parser: what ends a real one, and
// what holds it for minutes, is as deep or as long as that, a hundred times.
const smallStack = "small-stack"

// smallMemory has a child end by what takes some megabytes anywhere: with each line it could be twice as
// much.
const smallMemory = "small-memory"

func compiler(t testing.TB, child bool) *Compiler {
	t.Helper()
	cfg := Config{}
	if child {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cfg.Command = []string{exe}
	}
	c := New(cfg)
	t.Cleanup(c.Close)
	return c
}

func workflow(text string) Source { return Source{Name: "order-intake.ts", Kind: Workflow, Text: text} }

func TestExportsAreFoundInTheText(t *testing.T) {
	c := compiler(t, false)
	p, err := c.Compile(t.Context(), workflow(`
		import { defineSignal, proxyActivities } from '@temporalio/workflow';
		import type * as acts from './activities';
		export const approve = defineSignal('approve');
		const { a } = proxyActivities<typeof acts>({ startToCloseTimeout: '1m' });
		export async function orderIntake(): Promise<number> { return 1 }
		export const arrow = async () => 2;
		export const made = ((f: any) => f)(async () => 3);
		export const limit = 4;
		export default orderIntake;
		export type T = string;
		export class C {}
	`))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Is{}
	for _, e := range p.Exports {
		got[e.Name] = e.Is
	}
	want := map[string]Is{"approve": Value, "orderIntake": Function, "arrow": Function, "made": Unknown, "limit": Value, "C": Value}
	for name, is := range want {
		if got[name] != is {
			t.Errorf("export %s is %q, want %q", name, got[name], is)
		}
	}
	if _, ok := got["default"]; !ok || len(got) != 7 {
		t.Errorf("exports = %v", got)
	}
}

func TestDefaultExportOfANamedFunctionIsAFunction(t *testing.T) {
	for text, want := range map[string]Is{
		`export default async function run() {}`:                           Function,
		`export default async () => 1`:                                     Function,
		`async function run() {}; export default run`:                      Function,
		`const run = async () => 1; export default run`:                    Function,
		`export default 3`:                                                 Value,
		`exports.run = function () {}; exports.x = 1`:                      Function,
		`import {sleep} from '@temporalio/workflow'; export default sleep`: Unknown,
	} {
		p, err := compiler(t, false).Compile(t.Context(), workflow(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if len(p.Exports) == 0 || p.Exports[0].Is != want {
			t.Errorf("%s: exports = %v, want %s", text, p.Exports, want)
		}
	}
}

func TestErrorsNameFileLineAndColumn(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"syntax", "export const x = 1;\nexport const y = ;\n", `order-intake.ts:2:18: Unexpected ";"`},
		{"the UI's own mistake", "const a = {\n  t: new Date().getTime(),,\n};", "order-intake.ts:2:27: "},
		{"unknown module", "\n  import fs from 'fs';\nexport const x = fs;", `order-intake.ts:2:`},
		{"a module of Node's", "import { sleep } from '@temporalio/workflow';\nimport { readFile } from 'node:fs/promises';\nexport const x = () => readFile('/');", `"node:fs/promises" is Node's: a workflow can't reach the machine`},
		{"a strict module of Node's", "import a from 'assert/strict';\nexport const x = () => a(1);", `can't import "assert/strict"`},
		{"a module as value", "import { a } from './activities';\nexport const f = () => a();", `"./activities" can only be imported for its types`},
		{"the UI's paths", "import { a } from '@/lib/a';\nexport const f = () => a();", "paths of the Workflow Builder"},
		{"top-level await", "await 1;\nexport const a = 1", "order-intake.ts:1:1: "},
		{"a dynamic import", "export const f = () => import('net')", `can't import "net"`},
		{"a template that never ends", "export const f = `", "order-intake.ts:1:"},
		{"a bad regular expression", "export const f = () => 1;\nconst r = /(/;", "order-intake.ts:2:"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := compiler(t, false).Compile(t.Context(), workflow(tc.text))
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error = %v, want an *Error", err)
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error = %q, want %q in it", err, tc.want)
			}
		})
	}
}

func TestTypeImportsOfActivitiesVanish(t *testing.T) {
	for _, text := range []string{
		`import type * as a from './activities'; export type X = typeof a`,
		`import * as a from './activities'; export const f = (x: typeof a) => x`,
		`import { type B } from './activities'; export const f = (x: B) => x`,
	} {
		if _, err := compiler(t, false).Compile(t.Context(), workflow(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestSiblingWorkflowsAreNamedWithoutAnImport(t *testing.T) {
	p, err := compiler(t, false).Compile(t.Context(), workflow(`
		import { executeChild, startChild } from '@temporalio/workflow';
		async function local() {}
		export async function parent(given: any) {
			await executeChild(shipOrder, { args: [1] });
			await startChild(local); await startChild(given); await startChild('byName');
			return shipOrder.name;
		}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Siblings) != 1 || p.Siblings[0] != "shipOrder" {
		t.Fatalf("siblings = %v", p.Siblings)
	}
	rt := goja.New()
	f, err := rt.RunProgram(linked(t, p))
	if err != nil {
		t.Fatal(err)
	}
	if err := rt.Set("f", f); err != nil {
		t.Fatal(err)
	}
	v, err := rt.RunString(`
		const m = {exports: {}}; let started;
		f(() => ({executeChild: async (w) => { started = w.name; throw 1 }, startChild: 1}), m, m.exports);
		m.exports.parent().catch(() => {}); started`)
	if err != nil || v.String() != "shipOrder" {
		t.Errorf("started %v, %v", v, err)
	}
}

func TestStacksShowTheAuthorsLines(t *testing.T) {
	for _, sibling := range []string{"", "void startChild(other);"} {
		p, err := compiler(t, false).Compile(t.Context(), workflow(
			"type T = {\n a: number\n};\ndeclare const startChild: any;\nexport function boom(): never {\n  throw new Error('x');\n}\nfunction never() {"+sibling+"}"))
		if err != nil {
			t.Fatal(err)
		}
		rt := goja.New()
		f, _ := rt.RunProgram(linked(t, p))
		_ = rt.Set("f", f)
		_, err = rt.RunString(`const m = {exports: {}}; f(null, m, m.exports); m.exports.boom()`)
		if err == nil || !strings.Contains(err.Error(), "order-intake.ts:6:") {
			t.Errorf("error = %v, want line 6", err)
		}
	}
}

func linked(t testing.TB, p *Program) *goja.Program {
	t.Helper()
	js, err := p.JS()
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func TestModulesAreStrict(t *testing.T) {
	p, err := compiler(t, false).Compile(t.Context(), workflow("export function f() { Object.freeze([1]).length = 0; return 'silently ignored' }"))
	if err != nil {
		t.Fatal(err)
	}
	rt := goja.New()
	f, _ := rt.RunProgram(linked(t, p))
	_ = rt.Set("f", f)
	if v, err := rt.RunString(`const m = {exports: {}}; f(null, m, m.exports); m.exports.f()`); err == nil || !strings.Contains(err.Error(), "TypeError") {
		t.Errorf("a write to a frozen array: %v, %v", v, err)
	}
}

func TestATextCannotNameASourceMap(t *testing.T) {
	p, err := compiler(t, false).Compile(t.Context(), workflow("export const a = 1;\n//# sourceMappingURL=/etc/passwd\n"))
	if err != nil || p == nil {
		t.Fatal(err)
	}
}

func TestTheSameTextIsTheSameProgram(t *testing.T) {
	c := compiler(t, false)
	a, _ := c.Compile(t.Context(), workflow("export const f = () => 1"))
	b, _ := c.Compile(t.Context(), workflow("export const f = () => 1"))
	if a == nil || a != b {
		t.Error("the second compilation made another program")
	}
	if (Source{Name: "a.ts", Kind: Workflow}).Hash() == (Source{Name: "a.ts", Kind: Activity}).Hash() {
		t.Error("kinds share hashes")
	}
	if (Source{Name: "a.ts", Text: "b"}).Hash() == (Source{Name: "a.tsb"}).Hash() {
		t.Error("name and text run together in the hash")
	}
}

var hostile = map[string]string{
	"nested braces":        strings.Repeat("{", 501),
	"nested parentheses":   "x = " + strings.Repeat("(", 501),
	"operators":            strings.Repeat("!", 501) + "1",
	"operators with space": "x = " + strings.Repeat("- ", 501) + "1",
	"typeof chain":         "x = " + strings.Repeat("typeof ", deepChain) + "1",
	"arrow chain":          "x = " + strings.Repeat("a=>", deepChain) + "1",
	"conditional chain":    "x = " + strings.Repeat("a?b:", deepChain) + "1",
	"assignment chain":     "x = " + strings.Repeat("a=", deepChain) + "1",
	"if chain":             strings.Repeat("if(a)", deepChain) + ";",
	"else chain":           strings.Repeat("if(a){}else ", deepChain) + ";",
	"members":              "x = a" + strings.Repeat(".b", deepChain),
	"hidden by a regexp":   `x = /"/; ` + strings.Repeat("[", deepChain) + ` "`,
	"templates":            strings.Repeat("`${", deepChain),
}

// deepChain is beyond the small stack, and no matter to any other.
const deepChain = 5000

func TestHostileTextsNeitherEndNorHoldTheProcess(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := New(Config{Command: []string{exe, smallStack}, Timeout: time.Minute})
	t.Cleanup(c.Close)
	for name, text := range hostile {
		_, err := c.Compile(t.Context(), workflow(text))
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: error = %.200v, want an *Error", name, err)
		}
		t.Logf("%s: %.200v", name, err)
		if _, err := c.Compile(t.Context(), workflow("export const after = "+`"`+name+`"`)); err != nil {
			t.Errorf("%s: the next text failed: %v", name, err)
		}
	}
}

// What a text becomes while it is compiled may be many times what it is. It costs the text, at once, and
// neither the machine's memory nor the next text.
func TestTextsThatGrowAreEnded(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := New(Config{Command: []string{exe, smallMemory}, Timeout: time.Minute})
	t.Cleanup(c.Close)
	doubling := "const enum T { a0 = 'xxxxxxxxxx'"
	for i := 1; i <= 22; i++ {
		doubling += fmt.Sprintf(", a%d = a%d + a%d", i, i-1, i-1)
	}
	long := "const enum T { a = '" + strings.Repeat("x", 1000) + "' }\nconst f = (a: any) => a;\n" + strings.Repeat("f(T.a);", 10_000)
	for name, text := range map[string]struct{ text, want string }{
		"doubling":  {doubling + " }\nexport const x = T.a22;", "compiling took more than"},
		"repeating": {long, "MB"}, // which of the two ends it is the machine's matter
	} {
		_, err := c.Compile(t.Context(), workflow(text.text))
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Message, text.want) {
			t.Errorf("%s: error = %.200v, want an *Error", name, err)
		}
		if _, err := c.Compile(t.Context(), workflow("export const after = "+`"`+name+`"`)); err != nil {
			t.Errorf("%s: the next text failed: %v", name, err)
		}
	}
	// Where memory is no matter, what a text becomes is bounded all the same: it is kept.
	_, err = compiler(t, false).Compile(t.Context(), workflow(long))
	if want := "the text becomes 9 MB of JavaScript; the limit is 8 MB"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error = %.200v, want %s", err, want)
	}
}

// Of the compilers one is left for texts that take no time, whatever others give them to do.
func TestTextsThatTakeLongLeaveACompilerForOthers(t *testing.T) {
	t.Parallel()
	exe, _ := os.Executable()
	c := New(Config{Command: []string{exe}, Children: 2})
	t.Cleanup(c.Close)
	p := c.tr.(*pool)
	slow, quick := subject{name: "slow.ts", projectID: "slow"}, subject{name: "quick.ts", projectID: "quick"}
	p.took(slow, 2*slowAfter)
	first, err := p.begin(t.Context(), slow)
	if err != nil {
		t.Fatal(err)
	}
	for name, about := range map[string]subject{"its next": slow, "an eval": {name: "a text", slow: true}} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if end, err := p.begin(ctx, about); err == nil {
			t.Errorf("%s has the last compiler", name)
			end()
		}
		cancel()
	}
	if _, err := c.Compile(t.Context(), Source{Name: quick.name, ProjectID: quick.projectID, Kind: Workflow, Text: "export const a = 1"}); err != nil {
		t.Errorf("a quick text: %v", err)
	}
	first()
	again, err := p.begin(t.Context(), slow)
	if err != nil {
		t.Fatal(err)
	}
	again()
	p.took(quick, slowAfter/2)
	if p.isSlow(quick) {
		t.Error("a quick one counts as slow")
	}
	p.slowest["slow"] = time.Now().Add(-2 * slowRemembered)
	if p.isSlow(slow) {
		t.Error("that isn't forgotten")
	}
}

func TestLimitsTellTheHonestWhere(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"braces":    {"\n" + strings.Repeat("{", 510), "order-intake.ts:2:501: brackets nest deeper than 500"},
		"operators": {strings.Repeat("!", 510), "order-intake.ts:1:501: more than 500 operators in a row"},
		"size":      {strings.Repeat("x", 1<<20+1), "the text is 1048577 bytes long; the limit is 1048576"},
	} {
		err := checkLimits(workflow(tc.text), 1<<20)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error = %v, want %q", name, err, tc.want)
		}
	}
	honest := strings.Repeat("f(/\\(/, '(', \"{\", `[${a}`, /* don't ( */ [1]); // it's (\n", 2000)
	if err := checkLimits(workflow(honest), 1<<20); err != nil {
		t.Errorf("honest code was refused: %v", err)
	}
}

func TestAChildSeesNothingOfOurs(t *testing.T) {
	t.Setenv("SECRET_OF_OURS", "1")
	exe, _ := os.Executable()
	p, err := start(t.Context(), []string{exe})
	if err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	if _, err := p.ask(request{Name: "order-intake.ts", Kind: Workflow, Text: "export const a = 1"}); err != nil {
		t.Fatal(err)
	}
	if len(p.cmd.Env) != 1 || strings.Contains(p.cmd.Env[0], "SECRET") {
		t.Errorf("the child's environment is %v", p.cmd.Env)
	}
}

func TestALineAboutATextNamesItsProject(t *testing.T) {
	var log bytes.Buffer
	c := New(Config{Command: []string{"false"}, Logger: slog.New(slog.NewTextHandler(&log, nil))}) // a child that ends
	defer c.Close()
	_, err := c.Compile(t.Context(), Source{Name: "order-intake.ts", Kind: Workflow, Text: "export const a = 1", ProjectID: "p1"})
	if err == nil || !strings.Contains(log.String(), "source=order-intake.ts") || !strings.Contains(log.String(), "project_id=p1") {
		t.Errorf("%v: %s", err, log.String())
	}
}

func TestAKilledChildIsReplaced(t *testing.T) {
	c := compiler(t, true)
	if _, err := c.Compile(t.Context(), workflow("export const a = 1")); err != nil {
		t.Fatal(err)
	}
	pl := c.tr.(*pool)
	child := pl.take()
	if err := child.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	pl.put(child)
	if _, err := c.Compile(t.Context(), workflow("export const a = 2")); err != nil {
		t.Errorf("after a kill from outside: %v", err)
	}
}

func TestOneIdleChildIsKept(t *testing.T) {
	c := compiler(t, true)
	pl := c.tr.(*pool)
	var children []*process
	for range 3 {
		child, err := start(t.Context(), pl.cfg.Command)
		if err != nil {
			t.Fatal(err)
		}
		children = append(children, child)
		pl.put(child)
	}
	pl.keepOne()
	if len(pl.idle) != 1 || pl.idle[0] != children[2] {
		t.Errorf("%d children are idle", len(pl.idle))
	}
	for _, child := range children[:2] {
		if child.cmd.ProcessState == nil {
			t.Error("a child beyond the first still runs")
		}
	}
}

func TestATextThatTakesLongEndsTheChildNotTheCaller(t *testing.T) {
	exe, _ := os.Executable()
	c := New(Config{Command: []string{exe}})
	defer c.Close()
	r, err := c.tr.(*pool).ask(t.Context(), subject{name: "a.ts"}, request{
		Name: "a.ts", Kind: Workflow, Text: "export const x = [" + strings.Repeat("1,", 400_000) + "]", Budget: time.Millisecond,
	})
	if !errors.Is(err, errTooLong) {
		t.Errorf("error = %v, answer %v", err, r.Err)
	}
	if _, err := c.Compile(t.Context(), workflow("export const a = 1")); err != nil {
		t.Errorf("the next text: %v", err)
	}
}

// A child that gets nothing of the processor, here one that is stopped, says nothing of the text.
func TestABusyMachineIsNoFaultOfTheText(t *testing.T) {
	exe, _ := os.Executable()
	c := New(Config{Command: []string{exe}, Timeout: 100 * time.Millisecond})
	defer c.Close()
	pl := c.tr.(*pool)
	child, err := start(pl.ctx, pl.cfg.Command)
	if err != nil {
		t.Fatal(err)
	}
	if err := child.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	pl.put(child)
	_, err = c.Compile(t.Context(), workflow("export const a = 1"))
	var bad *Error
	if !errors.Is(err, errBusy) || errors.As(err, &bad) {
		t.Errorf("error = %v", err)
	}
	if child.cmd.ProcessState == nil {
		t.Error("the stopped child is still there")
	}
}

func TestCloseFailsWhatComesAfter(t *testing.T) {
	exe, _ := os.Executable()
	c := New(Config{Command: []string{exe}})
	c.Close()
	if _, err := c.Compile(t.Context(), workflow("export const a = 1")); !errors.Is(err, errClosed) {
		t.Errorf("error = %v", err)
	}
}

func BenchmarkCompile(b *testing.B) {
	text := "import { sleep } from '@temporalio/workflow';\n" + strings.Repeat("export interface I { a: number; b?: string }\nconst o = { a: 1, b: [1, 2, 3].map((x: number) => x * 2) };\n", 1)
	for i := range 200 {
		text += "function f" + string(rune('a'+i%26)) + strings.Repeat("x", i/26) + "(a: number, b: string): string { if (a > 1) { return `${b}-${a}` } return b.padStart(3, '0') }\n"
	}
	text += "export async function run(n: number) { await sleep(n); return n }\n"
	for name, child := range map[string]bool{"inProcess": false, "child": true} {
		b.Run(name, func(b *testing.B) {
			c := compiler(b, child)
			b.SetBytes(int64(len(text)))
			for i := 0; b.Loop(); i++ {
				if _, err := c.Compile(b.Context(), workflow(text+strings.Repeat(" ", i%1000)+"//"+string(rune('a'+i%26)))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestErrorsNameTheColumnWhereItIs(t *testing.T) {
	t.Parallel()
	c := compiler(t, false)
	for text, want := range map[string]string{
		"const a = 1;\n   import x from 'fs';\nx;": "order-intake.ts:2:18: ", // of the name
		"  let":                      "order-intake.ts:1:", // of the statement: esbuild takes it as one
		"const a = 1;\nconst b = );": "order-intake.ts:2:11: ",
	} {
		if _, err := c.Compile(t.Context(), workflow(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// BenchmarkLink measures what becomes of a text that esbuild has read: it is done for each text of
// a fleet that starts.
func BenchmarkLink(b *testing.B) {
	for name, s := range map[string]Source{
		"workflow": workflow(`import { proxyActivities, sleep, defineQuery, setHandler, log } from '@temporalio/workflow';

const { echo } = proxyActivities<{ echo(input: { n: number }): Promise<number> }>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1s', maximumAttempts: 3 },
});

export interface Order {
  id: string;
  lines: { sku: string; quantity: number }[];
}

export const progress = defineQuery<string>('progress');

export async function versionOf(order?: Order): Promise<string> {
  let state = 'started';
  setHandler(progress, () => state);
  if (order && order.lines.length > 0) {
    state = 'counting';
    for (const line of order.lines) {
      const n = await echo({ n: line.quantity });
      if (n < 0) {
        log.warn('a negative quantity', { sku: line.sku });
        await sleep('1 second');
      }
    }
  }
  return state;
}
`),
		"activity": {Name: "echo.ts", Kind: Activity, Text: `export async function echo(input: { n: number; wait?: number }): Promise<number> {
  if (input.wait) {
    await new Promise((resolve) => setTimeout(resolve, input.wait));
  }
  return input.n;
}
`},
	} {
		b.Run(name, func(b *testing.B) {
			t, _, err := understand(s)
			if err != nil {
				b.Fatal(err)
			}
			b.Run("transform", func(b *testing.B) {
				for b.Loop() {
					_, _ = transform(s)
				}
			})
			b.Run("learn", func(b *testing.B) {
				for b.Loop() {
					if _, _, err := learn(s, t); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("link", func(b *testing.B) {
				for b.Loop() {
					if _, err := link(s, t, nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func TestProgramsAreForgottenAfterAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := New(Config{CacheFor: time.Minute})
		defer c.Close()
		first, second := workflow("export const a = 1"), workflow("export const b = 1")
		compiled := func(s Source) {
			if _, err := c.Compile(t.Context(), s); err != nil {
				t.Error(err)
			}
		}
		compiled(first)
		time.Sleep(40 * time.Second)
		compiled(second)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if c.cached(first.Hash()) != nil || c.cached(second.Hash()) == nil {
			t.Error("after 70 s and 30 s the first is still remembered, or the second isn't")
		}
		time.Sleep(40 * time.Second)
		synctest.Wait()
		if c.cached(second.Hash()) != nil {
			t.Error("the second is still remembered after 70 s")
		}
	})
}

// A thousand projects that start make no program of what a child has looked at.
func TestTheProgramOfWhatOnlyDeclaresIsMadeWhenItIsUsed(t *testing.T) {
	t.Parallel()
	for text, later := range map[string]bool{
		"export async function run() { return 1 }":                                       true,
		"export const n = [1].length; export async function run() { return n }":          false,
		"export async function run() { return '" + strings.Repeat("x", maxLater) + "' }": false,
	} {
		p, err := compiler(t, true).Compile(t.Context(), workflow(text))
		if err != nil {
			t.Fatal(err)
		}
		if p.made.Load() == later {
			t.Errorf("the program is there before it is asked for: %v, want %v", !later, later)
		}
		js := linked(t, p)
		if again := linked(t, p); again != js || !p.made.Load() {
			t.Error("the program is made again")
		}
	}
}
