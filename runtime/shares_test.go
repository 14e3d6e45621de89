package runtime

import (
	"testing"
	"time"
)

func TestAProjectIsAloneWhereNoOtherRunsCode(t *testing.T) {
	t.Parallel()
	var s shares
	want := func(what, projectID string, alone bool) {
		t.Helper()
		if s.alone(projectID) != alone {
			t.Errorf("%s: %s is alone: %t", what, projectID, !alone)
		}
	}
	want("at the beginning", "a", true)
	s.enters("a")
	s.enters("a")
	want("it runs code itself", "a", true)
	want("another runs code", "b", false)
	s.enters("b")
	want("both do", "a", false)
	want("both do", "b", false)
	s.enters("c")
	want("of three", "a", false)
	for i := range s.latest {
		s.latest[i].at = s.latest[i].at.Add(-2 * beside)
	}
	s.enters("a")
	want("the others have ended", "a", true)
	want("one runs on", "c", false)
	if time.Since(s.latest[0].at) > beside {
		t.Error("a was entered long ago")
	}
}
