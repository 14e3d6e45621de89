package runtime

import (
	"context"
	"errors"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/temporal"

	"workflow-worker/activities"
	"workflow-worker/runtime/compile"
)

// keepsNothing is a CodeStore for projects that nothing is pinned in.
type keepsNothing struct{ CodeStore }

func (keepsNothing) Put(context.Context, string, []StoredModule) error { return nil }

// Get knows of no settings: a row that was live before is compiled as it was first.
func (keepsNothing) Get(context.Context, string, string) (StoredModule, error) {
	return StoredModule{}, nil
}

// dispatch is a project without a worker: what its activity types mean.
func dispatch(t *testing.T, components ...Component) (*project, Report) {
	t.Helper()
	c := compile.New(compile.Config{})
	t.Cleanup(c.Close)
	r := newRunner(Config{Compiler: c, Store: keepsNothing{}}.withDefaults())
	p := Project{ID: "p", Components: components}
	l, report, err := r.prepare(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	pr := &project{old: newSuperseded(nil), r: r, id: p.ID, builtIn: activities.New(activities.Options{}), meter: noMeter{}}
	pr.live.Store(l)
	t.Cleanup(pr.discard)
	return pr, report
}

func call(t *testing.T, p *project, name string) (string, error) {
	t.Helper()
	f, _, err := p.resolve(t.Context(), name)
	if err != nil {
		return "", err
	}
	out, err := f(t.Context(), &commonpb.Payloads{})
	if err != nil {
		return "", err
	}
	return string(out.GetPayloads()[0].GetData()), nil
}

func TestACallToAComponentThatNeverCompiledFailsWithTheRowsText(t *testing.T) {
	t.Parallel()
	p, report := dispatch(t,
		Component{ID: "1", Name: "broken", Language: "typescript", Code: "export default () => 1;\nexport const x = ;"},
		Component{ID: "2", Name: "throws", Language: "javascript", Code: "throw new Error('at load');\nexport default () => 1"},
		Component{ID: "3", Name: "snake", Language: "python", Code: "def snake(): pass"},
		Component{ID: "4", Name: "inner", Language: "typescript", Code: "import x from '@/lib/x';\nexport default () => x"},
		Component{ID: "5", Name: "files", Language: "typescript", Code: "import fs from 'node:fs';\nexport default () => fs"},
		Component{ID: "6", Name: "waitFor", Language: "typescript", Code: "export default ("},
		Component{ID: "7", Name: "good", Language: "javascript", Code: "export function good() { return 'fine' }"},
	)
	problems := map[string]string{}
	for _, s := range report.Sources {
		problems[s.Name] = s.Problem()
	}
	for name, want := range map[string]string{
		"broken":  `component broken: broken.ts:2:18: Unexpected ";"`,
		"throws":  "component throws: throws.ts:1:7: Error: at load",
		"snake":   `component snake: a component in "python" can't be run: implementation_language must be typescript or javascript`,
		"inner":   "",
		"files":   "",
		"waitFor": "", // a built-in activity has the name too
	} {
		if want != "" && problems[name] != want {
			t.Errorf("%s: the report says %q, want %q", name, problems[name], want)
		}
		_, err := call(t, p, name)
		var app *temporal.ApplicationError
		if !errors.As(err, &app) || !app.NonRetryable() || app.Type() != "ModuleLoadError" || app.Message() != problems[name] || app.Message() == "" {
			t.Errorf("%s: got %v, want a permanent failure with %q", name, err, problems[name])
		}
	}
	if got, err := call(t, p, "good"); err != nil || got != `"fine"` {
		t.Errorf("the good one among them: %s, %v", got, err)
	}
}

func TestATypeThatNobodyElseServesIsTheComponentNamedDefault(t *testing.T) {
	t.Parallel()
	charge := Component{ID: "1", Name: "charge", Language: "typescript", Code: "export default async () => 'charged'; export const named = () => 'named';"}
	p, _ := dispatch(t, charge)
	if got, err := call(t, p, "chrage"); err == nil {
		t.Errorf("a misspelt name ran the only default export: %s", got)
	}
	for text, main := range map[string]string{
		"export default async () => 'dynamic'":                                           `"dynamic"`,
		"export const anything = async () => 'the only one'":                             `"the only one"`,
		"export const a = () => 1; const f = async () => 'said so'; export default f;":   `"said so"`,
		"export class Unused {}; export const waitFor = () => 'never: a built-in is it'": `"never: a built-in is it"`,
	} {
		p, _ := dispatch(t, charge, Component{ID: "2", Name: "default", Language: "typescript", Code: text})
		for name, want := range map[string]string{"charge": `"charged"`, "named": `"named"`, "chrage": main, "default": main} {
			if got, err := call(t, p, name); err != nil || got != want {
				t.Errorf("%s: got %s, %v; want %s", name, got, err, want)
			}
		}
	}
	p, _ = dispatch(t, charge, Component{ID: "2", Name: "default", Language: "typescript", Code: "export default ("})
	if got, err := call(t, p, "chrage"); err == nil {
		t.Errorf("a broken one ran: %s", got)
	}
	shared := Component{ID: "3", Name: "default", Language: "typescript", Code: "export default () => 'shared'"}
	if p, _ := dispatch(t, shared, Component{ID: "4", Name: "default", Language: "typescript", Code: "export default () => 2"}); p.live.Load().dynamic != nil {
		t.Error("of two named default one was taken")
	}
}

func TestNamesThatCallersMakeUpAreCountedAsTheRow(t *testing.T) {
	t.Parallel()
	p, _ := dispatch(t, Component{ID: "1", Name: "default", Language: "typescript", Code: "export default () => 1; export const other = () => 2"})
	for name, want := range map[string]string{"whatever": "default", "made up": "default", "default": "default", "other": "other", "waitFor": "waitFor"} {
		if _, counted, err := p.resolve(t.Context(), name); err != nil || counted != want {
			t.Errorf("%s is counted as %q, %v; want %q", name, counted, err, want)
		}
	}
}

func TestOnlyAnInstancesOwnFunctionsAreActivities(t *testing.T) {
	t.Parallel()
	p, report := dispatch(t, Component{ID: "1", Name: "greeter", Language: "typescript", Code: `
class Greeter { constructor(private name: string) {} greet = async () => 'hello ' + this.name; }
export { Greeter };
export const { greet } = new Greeter('you');`})
	if got, err := call(t, p, "greet"); err != nil || got != `"hello you"` {
		t.Errorf("got %s, %v; %s", got, err, report.Sources[0].Problem())
	}
}

func TestAnUnknownActivityIsSaidOnce(t *testing.T) {
	t.Parallel()
	p, _ := dispatch(t, Component{ID: "1", Name: "good", Language: "javascript", Code: "export function good() {}"})
	_, _, err := p.resolve(t.Context(), "nobodyKnows")
	var failure *temporal.ApplicationError
	if !errors.As(err, &failure) || failure.Type() != activities.NotFoundErrorType || failure.Unwrap() != nil {
		t.Errorf("%#v", err)
	}
}
