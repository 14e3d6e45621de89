package runtime

import (
	"strings"
	"testing"
)

func TestWhichFunctionARowsNameStarts(t *testing.T) {
	for _, tc := range []struct {
		kebab     string
		functions []string
		want      string
		err       string
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
		{"order-intake", nil, "", "no function is exported"},
		{"---", []string{"a", "b"}, "", "unclear"},
	} {
		got, err := workflowExport(tc.kebab, tc.functions)
		if got != tc.want || (err == nil) != (tc.err == "") || (err != nil && !strings.Contains(err.Error(), tc.err)) {
			t.Errorf("workflowExport(%q, %v) = %q, %v", tc.kebab, tc.functions, got, err)
		}
	}
}
