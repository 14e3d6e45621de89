package runtime

import (
	"fmt"
	"testing"

	"workflow-worker/runtime/sandbox"
)

func TestWhatATopLevelThrewIsReportedWithItsPlace(t *testing.T) {
	t.Parallel()
	thrown := &sandbox.Thrown{Message: "TypeError: no", File: "order-intake.ts", Line: 2, Column: 7}
	e := sourceError(fmt.Errorf("evaluate it: %w", thrown), "7")
	if e.Message != thrown.Message || e.File != thrown.File || e.Line != 2 || e.Column != 7 || e.Version != "7" {
		t.Errorf("%+v", e)
	}
	if e := sourceError(nil, "7"); e != nil {
		t.Errorf("nothing wrong is %+v", e)
	}
}
