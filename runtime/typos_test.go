package runtime

import (
	"strings"
	"testing"

	"workflow-worker/runtime/build"
	"workflow-worker/runtime/compile"
)

func TestNewCodeWithATypoDoesNotGoLive(t *testing.T) {
	t.Parallel()
	const good = "import { sleep } from '@temporalio/workflow';\nexport async function order() { await sleep(1); }"
	const typo = "import { sleeep, sleep } from '@temporalio/workflow';\nexport async function order() { await sleep(1); if (1) await sleeep(1); undefinedHere(); }"
	l, report := prepared(t, nil, Project{Workflows: []Workflow{{ID: "1", KebabName: "order", Code: typo}}})
	s := report["1"]
	if s.Hash != "" || s.Error == nil || s.Error.Line != 1 || s.Error.Column != 10 || s.Error.File != "order.ts" || !strings.Contains(s.Error.Message, `did you mean "sleep"`) {
		t.Errorf("%+v", s.Error)
	}
	if len(s.Warnings) != 1 || s.Warnings[0].Line != 2 || s.Warnings[0].Column != 73 {
		t.Errorf("warnings %+v", s.Warnings)
	}
	if _, ok := l.target("order"); ok {
		t.Error("it is live")
	}
	// The last good text stays.
	l, _ = prepared(t, nil, Project{Workflows: []Workflow{{ID: "1", KebabName: "order", Code: good}}})
	hash := l.modules[0].Text.Hash
	l, report = prepared(t, l, Project{Workflows: []Workflow{{ID: "1", KebabName: "order", Code: typo}}})
	if s := report["1"]; s.Hash != hash || s.Error == nil {
		t.Errorf("%+v", s)
	}
	if _, ok := l.target("order"); !ok {
		t.Error("the good text isn't live any more")
	}
	// What was live before the service knew of such things stays so too, and is warned of.
	c := compile.New(compile.Config{})
	t.Cleanup(c.Close)
	p, err := c.Compile(t.Context(), compile.Source{Name: "order.ts", Kind: compile.Workflow, Text: typo})
	if err != nil {
		t.Fatal(err)
	}
	l, report = prepared(t, nil, Project{Workflows: []Workflow{{ID: "1", KebabName: "order", Code: typo, LiveHash: p.Hash}}})
	if s := report["1"]; s.Error != nil || s.Hash != p.Hash || len(s.Warnings) != 2 || !strings.Contains(s.Warnings[0].Message, `"sleeep"`) {
		t.Errorf("%+v", s)
	}
	if _, ok := l.target("order"); !ok {
		t.Error("what was live isn't")
	}
	// As is stored code, whatever it says.
	m, err := newRunner(Config{Compiler: c, Store: keepsNothing{}}.withDefaults()).builder.Workflow(t.Context(), "p", build.Text{Hash: p.Hash, Name: "order", Code: typo}, "")
	if err != nil || len(m.Functions) != 1 {
		t.Errorf("stored code: %v", err)
	}
}

func TestATypoAtTheTopLevelIsSaidAsSuch(t *testing.T) {
	t.Parallel()
	_, report := prepared(t, nil, Project{
		Workflows:  []Workflow{{ID: "1", KebabName: "order", Code: "import { defineSignall } from '@temporalio/workflow';\nconst versioningBehavior = defineSignall('x')();\nexport async function order() {}"}},
		Components: []Component{{ID: "2", Name: "score", Code: "import { randomUuid } from 'crypto';\nconst id = randomUuid();\nexport default () => id"}},
	})
	for id, want := range map[string]string{"1": `has no "defineSignall": did you mean "defineSignal"?`, "2": `has no "randomUuid": did you mean "randomUUID"?`} {
		if e := report[id].Error; e == nil || e.Line != 1 || e.Column != 10 || !strings.Contains(e.Message, want) {
			t.Errorf("%s: %+v", id, e)
		}
	}
}

func TestATypoInActivitiesCodeStopsOnlyThese(t *testing.T) {
	t.Parallel()
	w := Workflow{ID: "1", KebabName: "order", Code: "export async function order() {}", ActivitiesCode: "import { heartbeet } from '@temporalio/activity';\nexport const beat = () => heartbeet()\nexport const b = () => nowhere"}
	l, report := prepared(t, nil, Project{Workflows: []Workflow{w}})
	s := report["1"]
	if s.Hash == "" || s.Error == nil || s.Error.File != "order.activities.ts" || s.Error.Line != 1 || len(s.Warnings) != 1 || s.Warnings[0].File != "order.activities.ts" {
		t.Errorf("%+v", s)
	}
	if len(l.placeholders) != 0 {
		t.Errorf("they are served: %v", l.placeholders)
	}
	w.LiveHash = s.Hash
	if l, report = prepared(t, nil, Project{Workflows: []Workflow{w}}); report["1"].Error != nil || len(l.placeholders) != 2 {
		t.Errorf("what was live: %+v", report["1"])
	}
}
