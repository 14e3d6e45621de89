package workflow

import (
	"testing"

	"workflow-worker/docker/stack/stacktest/race"
	language "workflow-worker/runtime/language/features"
)

func TestTheFeaturesOfTheLanguageWork(t *testing.T) {
	t.Parallel()
	race.AtSpeed(t)
	text, err := language.Module("workflow")
	if err != nil {
		t.Fatal(err)
	}
	p := patientProject(t, text)
	if got := p.run("run"); got != "[]" {
		t.Error(got)
	}
	p.replayAll()
}
