package runtime

import (
	"strconv"
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

// However many projects come and go, those that are gone are forgotten after a while; what runs has its
// share as long as it does.
func TestSharesOfProjectsThatAreGoneAreForgotten(t *testing.T) {
	t.Parallel()
	var s shares
	runs := func(id string) bool { return id == "runs" }
	lasts := s.of("runs", runs)
	s.of("stopped", runs)
	for i := range 10_000 {
		for _, x := range s.byProject {
			x.asked = x.asked.Add(-2 * shareKept)
		}
		s.of(strconv.Itoa(i), runs)
		if len(s.byProject) > 2*fewShares {
			t.Fatalf("%d are remembered", len(s.byProject))
		}
	}
	if s.of("runs", runs) != lasts {
		t.Error("what runs has another share than before")
	}
	if s.byProject["stopped"] != nil {
		t.Error("what is gone is remembered")
	}
	s = shares{}
	stopped := s.of("stopped", runs)
	for i := range 1000 {
		s.of(strconv.Itoa(i), runs)
	}
	if s.of("stopped", runs) != stopped {
		t.Error("a stop gives another share at once")
	}
}
