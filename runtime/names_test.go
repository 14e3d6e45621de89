package runtime

import (
	"context"
	"strings"
	"testing"

	"workflow-worker/runtime/compile"
)

// prepared gives what a project serves, and the report, without a worker.
func prepared(t *testing.T, current *live, p Project) (*live, map[string]SourceReport) {
	t.Helper()
	c := compile.New(compile.Config{})
	t.Cleanup(c.Close)
	r := newRunner(Config{Compiler: c, Store: keepsNothing{}}.withDefaults())
	p.ID = "p"
	l, report, err := r.prepare(t.Context(), p, current)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup((&project{old: newSuperseded(nil), r: r, id: "p", meter: noMeter{}}).close(l))
	byID := map[string]SourceReport{}
	for _, s := range report.Sources {
		byID[s.ID] = s
	}
	return l, byID
}

func (p *project) close(l *live) func() {
	return func() {
		p.live.Store(l)
		p.discard()
	}
}

func TestARowOfSeveralWorkflowsServesEachUnderItsOwnName(t *testing.T) {
	t.Parallel()
	rows := []Workflow{
		{ID: "1", KebabName: "accounting", Code: "export async function openBook() {}\nexport async function closeBook() {}"},
		{ID: "2", KebabName: "other", Code: "export default async function other() {}\nexport async function accounting() {}"},
	}
	p := served(t, rows...)
	for _, name := range []string{"openBook", "closeBook"} {
		if code, export, err := p.Current(name); err != nil || export != name || code.Name() != "accounting.ts" {
			t.Errorf("%s: %v, %q, %v", name, code, export, err)
		}
	}
	// The row's name stays its own: another row's function doesn't step in.
	_, _, err := p.Current("accounting")
	if err == nil || !strings.Contains(err.Error(), "openBook") || !strings.Contains(err.Error(), "closeBook") {
		t.Errorf("a start by the unclear name: %v", err)
	}
	_, report := prepared(t, nil, Project{Workflows: rows})
	s := report["1"]
	if s.Error != nil || s.Hash == "" || strings.Join(s.Types, " ") != "closeBook openBook" {
		t.Errorf("%+v", s)
	}
	if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0].Message, "export one of closeBook, openBook as default, or name it accounting") {
		t.Errorf("warnings %+v", s.Warnings)
	}
	if w := report["2"].Warnings; len(w) != 1 || !strings.Contains(w[0].Message, `"accounting" doesn't start this row's function`) {
		t.Errorf("the other row's warnings: %+v", w)
	}
}

func TestARowNamedDefaultServesTheTypesThatNoOtherRowDoes(t *testing.T) {
	t.Parallel()
	any := Workflow{ID: "1", KebabName: "default", Code: "export default async function (...args: unknown[]) { return args; }"}
	other := Workflow{ID: "2", KebabName: "other", Code: "export default async function () {}\nexport async function helper() {}"}
	broken := Workflow{ID: "3", KebabName: "broken", Code: "export default async function ( {"}
	for _, tc := range []struct {
		rows             []Workflow
		asked, row, says string
	}{
		{[]Workflow{other, any, broken}, "never-heard-of", "default", ""},
		{[]Workflow{other, any, broken}, "other", "other", ""},
		{[]Workflow{other, any, broken}, "helper", "other", ""},
		{[]Workflow{other, any, broken}, "default", "default", ""},
		// Its own name is its own, or executions would be pinned to the wrong code while somebody
		// mends it.
		{[]Workflow{other, any, broken}, "broken", "", "broken.ts:1:"},
		// A default export alone isn't meant for everything: it is the row's own function.
		{[]Workflow{other}, "never-heard-of", "", `no workflow of this project is named "never-heard-of"; there are: helper, other`},
		{[]Workflow{any, {ID: "4", KebabName: "default", Code: any.Code + "//"}}, "never-heard-of", "", "there are: default"},
	} {
		p := served(t, tc.rows...)
		code, _, err := p.Current(tc.asked)
		switch {
		case tc.says != "":
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s: %v", tc.asked, err)
			}
		case err != nil || code.Name() != tc.row+".ts":
			t.Errorf("%s: %v, %v", tc.asked, code, err)
		}
	}
}

// served is a project of these rows without a worker.
func served(t *testing.T, rows ...Workflow) *project {
	t.Helper()
	c := compile.New(compile.Config{})
	t.Cleanup(c.Close)
	r := newRunner(Config{Compiler: c, Store: keepsNothing{}}.withDefaults())
	l, _, err := r.prepare(t.Context(), Project{ID: "p", Workflows: rows}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &project{old: newSuperseded(nil), r: r, id: "p", meter: noMeter{}}
	p.live.Store(l)
	t.Cleanup(p.discard)
	return p
}

func TestARowNamedDefaultOfSeveralWorkflowsIsNobodysStandIn(t *testing.T) {
	t.Parallel()
	p := served(t, Workflow{ID: "1", KebabName: "default", Code: "export async function a() {}\nexport async function b() {}"})
	for _, name := range []string{"never-heard-of", "default"} {
		if _, export, err := p.Current(name); err == nil || !strings.Contains(err.Error(), "a, b") {
			t.Errorf("%s: %q, %v", name, export, err)
		}
	}
	m := p.live.Load().modules[0]
	for name, want := range map[string]string{"a": "a", "default": "", "other": ""} {
		if got, err := m.Serves(name); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestAComponentOfSeveralFunctionsServesEachUnderItsOwnName(t *testing.T) {
	t.Parallel()
	p, report := dispatch(t, Component{ID: "1", Name: "money", Code: "export const take = () => 'taken';\nexport const give = () => 'given';"})
	for name, want := range map[string]string{"take": `"taken"`, "give": `"given"`} {
		if got, err := call(t, p, name); err != nil || got != want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	if _, err := call(t, p, "money"); err == nil || !strings.Contains(err.Error(), "export one of give, take as default, or name it money") {
		t.Errorf("a call by the unclear name: %v", err)
	}
	if s := report.Sources[0]; s.Error != nil || len(s.Warnings) != 1 {
		t.Errorf("%+v", s)
	}
}

func TestAFunctionThatAnotherRowKeepsFromItsNameIsAWarning(t *testing.T) {
	t.Parallel()
	_, report := prepared(t, nil, Project{Workflows: []Workflow{
		{ID: "1", KebabName: "first", Code: "export async function first() {}\nexport async function shared() {}"},
		{ID: "2", KebabName: "second", Code: "export async function second() {}\nexport async function shared() {}"},
		{ID: "3", KebabName: "first", Code: "export default async function () {}"},
		{ID: "4", KebabName: "shared", Code: "export default async function ("},
	}})
	for id, want := range map[string][]string{
		"1": {`"shared" doesn't start this row's function: another row has that name, which can't be started: workflow shared: `},
		"2": {`"shared" doesn't start this row's function: another`},
		"3": {`"first" doesn't start this row's function, but first of workflow row first (id 1)`},
		"4": nil,
	} {
		got := report[id].Warnings
		if len(got) != len(want) {
			t.Errorf("row %s: %+v", id, got)
			continue
		}
		for i := range want {
			if !strings.HasPrefix(got[i].Message, want[i]) {
				t.Errorf("row %s: %q, want %q", id, got[i].Message, want[i])
			}
		}
	}
}

func TestTheLanguageOfAComponent(t *testing.T) {
	t.Parallel()
	const text = "export default (n: number): string => 'fine';"
	for language, runs := range map[string]bool{
		"": true, " ": true, "typescript": true, "TypeScript": true, " TYPESCRIPT\n": true, "ts": true, "TS": true, "javascript": true, "JavaScript ": true, "js": true,
		"python": false, "go": false, "java": false, "type script": false, "typescript;": false,
	} {
		p, report := dispatch(t, Component{ID: "1", Name: "c", Language: language, Code: text})
		got, err := call(t, p, "c")
		if runs && (err != nil || got != `"fine"`) || !runs && (err == nil || !strings.Contains(report.Sources[0].Error.Message, "must be typescript or javascript")) {
			t.Errorf("%q: %s, %v", language, got, err)
		}
	}
}

func TestTwoComponentsOfOneNameAreAnErrorOfBoth(t *testing.T) {
	t.Parallel()
	says := func(id, name, text string, shared bool) Component {
		return Component{ID: id, Name: name, Shared: shared, Code: "export default () => '" + text + "';"}
	}
	a, b := says("a", "score", "a", false), says("b", "score", "b", false)
	other := says("c", "other", "c", false)
	run := func(l *live, name string) string {
		p := &project{old: newSuperseded(nil), r: &Runner{cfg: Config{}.withDefaults()}, id: "p", meter: noMeter{}}
		p.live.Store(l)
		f, ok := l.activities[name]
		if problem, broken := l.broken[name]; broken {
			return problem
		}
		if !ok {
			return "nobody"
		}
		return run1(t, f)
	}
	clash := func(report map[string]SourceReport, id, names string) {
		t.Helper()
		if e := report[id].Error; e == nil || !strings.Contains(e.Message, names) {
			t.Errorf("row %s: %+v", id, e)
		}
	}

	// Neither was live: neither is, and a call says why.
	l, report := prepared(t, nil, Project{Components: []Component{a, b, other}})
	clash(report, "a", `another component is named "score" too (id b)`)
	clash(report, "b", `another component is named "score" too (id a)`)
	if got := run(l, "score"); !strings.Contains(got, "named \"score\" too") {
		t.Errorf("a call: %s", got)
	}
	if report["c"].Error != nil || run(l, "other") != `"c"` {
		t.Errorf("a bystander: %+v", report["c"])
	}

	// The one that was live stays so, whichever it is, and edits of either wait.
	for _, was := range []Component{a, b} {
		first, _ := prepared(t, nil, Project{Components: []Component{was}})
		l, report = prepared(t, first, Project{Components: []Component{a, b}})
		clash(report, "a", "score")
		clash(report, "b", "score")
		if got := run(l, "score"); got != `"`+was.ID+`"` || report[was.ID].Hash == "" {
			t.Errorf("%s was live: now %s", was.ID, got)
		}
		edited := was
		edited.Code = "export default () => 'edited';"
		both := []Component{edited, b}
		if was.ID == "b" {
			both = []Component{a, edited}
		}
		l, _ = prepared(t, l, Project{Components: both})
		if got := run(l, "score"); got != `"`+was.ID+`"` {
			t.Errorf("an edit of %s went live: %s", was.ID, got)
		}
		// Until the other one is gone.
		l, report = prepared(t, l, Project{Components: []Component{edited}})
		if got := run(l, "score"); got != `"edited"` || report[was.ID].Error != nil {
			t.Errorf("%s alone: %s, %+v", was.ID, got, report[was.ID].Error)
		}
		// Also where another process made it live.
		was.LiveHash = first.modules[0].Text.Hash
		before := []Component{was, b}
		if was.ID == "b" {
			before = []Component{a, was}
		}
		l, report = prepared(t, nil, Project{Components: before})
		clash(report, was.ID, "score")
		if got := run(l, "score"); got != `"`+was.ID+`"` {
			t.Errorf("%s was live before this process: %s", was.ID, got)
		}
		edited.LastGood = &StoredCode{Hash: was.LiveHash, Code: was.Code}
		before = []Component{edited, b}
		if was.ID == "b" {
			before = []Component{a, edited}
		}
		if l, _ = prepared(t, nil, Project{Components: before}); run(l, "score") != `"`+was.ID+`"` {
			t.Errorf("%s was live and was edited meanwhile: %s", was.ID, run(l, "score"))
		}
	}

	// Shared ones count, and what is wrong with a text is said beside it.
	broken := Component{ID: "s", Name: "score", Shared: true, Code: "export default ("}
	_, report = prepared(t, nil, Project{Components: []Component{a, broken}})
	clash(report, "a", `a shared component is named "score" too (id s)`)
	if e := report["s"].Error; e.Line != 1 || len(e.More) != 1 || !strings.Contains(e.More[0].Message, "(id a)") {
		t.Errorf("%+v", e)
	}
	// Names differ by a letter's case: activity types do.
	_, report = prepared(t, nil, Project{Components: []Component{a, says("b", "Score", "b", false)}})
	if report["a"].Error != nil || report["b"].Error != nil {
		t.Errorf("two names: %+v %+v", report["a"].Error, report["b"].Error)
	}
}

func run1(t *testing.T, a activityTarget) string {
	t.Helper()
	out, err := a.execute(context.WithoutCancel(t.Context()), nil)
	if err != nil {
		return err.Error()
	}
	return string(out.GetPayloads()[0].GetData())
}
