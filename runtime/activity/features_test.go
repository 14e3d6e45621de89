package activity

import (
	"testing"

	"workflow-worker/runtime/features"
)

func TestTheFeaturesOfTheLanguageWork(t *testing.T) {
	t.Parallel()
	text, err := features.Module("activity")
	if err != nil {
		t.Fatal(err)
	}
	got, err := execute(t, code(t, text+"export const main = run;", CodeOptions{}))
	if err != nil || got != "[]" {
		t.Errorf("%v\n%s", err, got)
	}
}
