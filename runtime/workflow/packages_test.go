package workflow

import (
	"encoding/json"
	"strings"
	"testing"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/sandbox"
)

// newProjectWithPackages is newProject for a text that imports npm packages.
func newProjectWithPackages(t *testing.T, text string) *project {
	t.Helper()
	p := unstarted(t)
	p.comp = compile.New(compile.Config{Modules: stacktest.Packages(t)})
	t.Cleanup(p.comp.Close)
	p.deploy(text)
	p.startWorker()
	return p
}

func TestPackagesInWorkflowsAreReplayed(t *testing.T) {
	t.Parallel()
	p := newProjectWithPackages(t, `
import _ from 'lodash';
import { z } from 'zod';
import { addDays, formatISO } from 'date-fns';
import { v4, v5, v7, validate } from 'uuid';
export async function run() {
  const ids = [v4()];
  await sleep(10);
  ids.push(v4(), v7());
  const parsed = z.object({ ids: z.array(z.uuid()) }).parse({ ids });
  await sleep(Math.ceil(parseInt(ids[1].slice(0, 2), 16) / 16)); // a replay that drew other numbers would set another timer
  return [parsed.ids.every(validate), _.uniq(ids).length, v5('a', v5.URL), formatISO(addDays(new Date(0), 1), { representation: 'date' }), uuid4().length,
    typeof (globalThis as any).crypto];
}`)
	want(t, p.run("run"), `[true,3,"e1407479-3136-56c0-9908-bb02fb0339e2","1970-01-02",36,"undefined"]`)
	p.replayAll()
}

func TestPackagesAreEachExecutionsOwn(t *testing.T) {
	t.Parallel()
	p := newProjectWithPackages(t, `
import _ from 'lodash';
export async function run() {
  const before = [(_ as any).leak, _.VERSION === 'mine'];
  (_ as any).leak = 1; _.VERSION = 'mine'; _.mixin({ shout: (s: string) => s.toUpperCase() });
  return [...before, (_ as any).shout('a')];
}`)
	for range 3 {
		want(t, p.run("run"), `[null,false,"A"]`)
	}
}

func TestFailuresShowTheFramesOfPackages(t *testing.T) {
	t.Parallel()
	p := newProjectWithPackages(t, `
import { z } from 'zod';
function check(x: unknown) {
  return z.string().parse(x);
}
export async function run() {
  try { check(1); } catch (e: any) { return [e.name, e.stack]; }
}`)
	var got [2]string
	if err := json.Unmarshal([]byte(p.run("run")), &got); err != nil {
		t.Fatal(err)
	}
	stack := sandbox.CleanStack(got[1])
	for _, part := range []string{"zod/v4/core/parse.js:", "check (test.ts:"} {
		if !strings.Contains(stack, part) {
			t.Errorf("no %q in %s", part, stack)
		}
	}
	if strings.Contains(stack, "packages/bundle") || strings.Contains(stack, "<") || got[0] != "ZodError" {
		t.Errorf("%s with frames of ours: %s", got[0], stack)
	}
}

func TestAPackageThatNeedsTheMachineNamesItInAWorkflow(t *testing.T) {
	t.Parallel()
	c := compile.New(compile.Config{Modules: stacktest.Packages(t)})
	t.Cleanup(c.Close)
	p, err := c.Compile(t.Context(), compile.Source{Name: "order.ts", Kind: compile.Workflow, Text: "import x from 'axios/unsafe/adapters/http.js';\nexport async function run() { return typeof x; }"})
	if err != nil {
		t.Fatal(err)
	}
	code := NewCode(p, CodeOptions{})
	t.Cleanup(code.Close)
	_, err = code.Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the npm package ") || !strings.Contains(err.Error(), "use the package in an activity") || !strings.Contains(err.Error(), "order.ts:1:") {
		t.Errorf("got %v", err)
	}
}
