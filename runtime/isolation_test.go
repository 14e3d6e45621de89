package runtime

import "testing"

// What a project says of isolation counts for the code that it serves and for what it serves next.
func TestIsolationFollowsTheProject(t *testing.T) {
	t.Parallel()
	r := &Runner{projects: map[string]*project{}}
	p := &project{old: newSuperseded(nil), r: r, id: "p"}
	p.live.Store(&live{})
	r.projects["p"] = p
	for _, isolated := range []bool{true, false} {
		if p.isolate(isolated); r.isolated("p") != isolated || r.isolated("other") {
			t.Errorf("isolation %v isn't what new code gets", isolated)
		}
	}
	r.cfg.IsolateProjects = true
	if !r.isolated("p") || !r.isolated("other") {
		t.Error("the setting isn't for all")
	}
}
