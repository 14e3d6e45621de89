package build

import (
	"strings"
	"testing"
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
