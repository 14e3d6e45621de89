package activity

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"workflow-worker/docker/stack/stacktest/race"
)

func TestPackagesKnowTimeZonesAndLanguages(t *testing.T) {
	t.Parallel()
	race.AtSpeed(t)
	text, err := os.ReadFile("testdata/schedules.ts")
	if err != nil {
		t.Fatal(err)
	}
	node, err := os.ReadFile("testdata/schedules.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := execute(t, withPackages(t, string(text), CodeOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	var have, want []any
	if err := json.Unmarshal([]byte(got), &have); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(node, &want); err != nil {
		t.Fatal(err)
	}
	if len(have) != len(want) {
		t.Fatalf("got %s", got)
	}
	for i := range want {
		inside, _ := want[i].([]any)
		other, _ := have[i].([]any)
		if len(other) != len(inside) {
			t.Errorf("%d: got %v", i, have[i])
			continue
		}
		for j := range inside {
			if !reflect.DeepEqual(other[j], inside[j]) {
				t.Errorf("%d, %d: got %v, in Node %v", i, j, other[j], inside[j])
			}
		}
	}
}
