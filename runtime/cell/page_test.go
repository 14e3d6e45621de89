package cell

import (
	"slices"
	"strings"
	"testing"

	"workflow-worker/runtime"
)

func TestThePageSaysWhoseCodeIsUnderWay(t *testing.T) {
	t.Parallel()
	theirs, file, err := newPage()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.close()
	defer file.Close()
	own, err := openPage(file)
	if err != nil {
		t.Fatal(err)
	}
	defer own.close()
	one := runtime.Entry{ProjectID: "p", Hash: "h", File: "flow.ts", WorkflowID: "id", RunID: "run"}
	long := runtime.Entry{ProjectID: "q", File: "f.ts", RunID: "other", WorkflowID: strings.Repeat("x", 2*slotSize)}
	left, leftLong := own.enter(one), own.enter(long)
	got := theirs.entries()
	cut := slices.IndexFunc(got, func(e runtime.Entry) bool {
		return e.ProjectID == long.ProjectID && e.RunID == long.RunID && len(e.WorkflowID) > 100 && strings.HasPrefix(long.WorkflowID, e.WorkflowID)
	})
	if len(got) != 2 || !slices.Contains(got, one) || cut < 0 {
		t.Errorf("the page says %+v", got)
	}
	left()
	leftLong()
	if got := theirs.entries(); len(got) != 0 {
		t.Errorf("afterwards it says %+v", got)
	}
	for range slots + 1 { // one more than there is room for
		own.enter(one)
	}
	if got := theirs.entries(); len(got) != slots {
		t.Errorf("%d entries are noted", len(got))
	}
}
