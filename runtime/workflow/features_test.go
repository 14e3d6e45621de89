package workflow

import (
	"testing"

	language "workflow-worker/runtime/language/features"
)

func TestTheFeaturesOfTheLanguageWork(t *testing.T) {
	t.Parallel()
	text, err := language.Module("workflow")
	if err != nil {
		t.Fatal(err)
	}
	p := newProject(t, text)
	if got := p.run("run"); got != "[]" {
		t.Error(got)
	}
	p.replayAll()
}
