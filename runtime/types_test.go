package runtime

import (
	"strings"
	"testing"

	"workflow-worker/runtime/compile"
)

func TestWhichFunctionARowsNameStarts(t *testing.T) {
	for _, tc := range []struct {
		kebab     string
		functions []string
		want      string
		unclear   string
	}{
		{"order-intake", []string{"other", "default", "orderIntake"}, "default", ""},
		{"order-intake", []string{"other", "orderIntake"}, "orderIntake", ""},
		{"order-intake", []string{"other", "OrderIntake"}, "OrderIntake", ""},
		{"order-intake", []string{"other", "order_intake"}, "order_intake", ""},
		{"order-intake", []string{"other", "orderIntakeWorkflow"}, "orderIntakeWorkflow", ""},
		{"order-intake", []string{"other", "order_intake_workflow"}, "order_intake_workflow", ""},
		{"order-intake", []string{"orderIntakeWorkflow", "orderIntake"}, "orderIntake", ""},
		{"order-intake", []string{"whatever"}, "whatever", ""},
		{"step-2-b", []string{"x", "step2B"}, "step2B", ""},
		{"order-intake", []string{"a", "b"}, "", "export one of a, b as default, or name it orderIntake"},
		{"---", []string{"a", "b"}, "", "export one of a, b as default; each"},
	} {
		got, unclear, err := exportOf(tc.kebab, tc.functions)
		if got != tc.want || err != nil || (unclear == "") != (tc.unclear == "") || !strings.Contains(unclear, tc.unclear) {
			t.Errorf("exportOf(%q, %v) = %q, %q, %v", tc.kebab, tc.functions, got, unclear, err)
		}
	}
	if _, _, err := exportOf("order-intake", nil); err == nil || !strings.Contains(err.Error(), "no function is exported") {
		t.Errorf("a row without any: %v", err)
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
	r := &Runner{cfg: Config{Compiler: c, Store: keepsNothing{}}.withDefaults()}
	l, _, err := r.prepare(t.Context(), Project{ID: "p", Workflows: rows}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &project{r: r, id: "p", meter: noMeter{}}
	p.live.Store(l)
	t.Cleanup(p.discard)
	return p
}
