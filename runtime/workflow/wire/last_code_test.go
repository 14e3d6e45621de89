package wire

import (
	"testing"
	"time"
)

func TestLabels(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	for _, want := range []LastCode{{Hash: "abc"}, {Hash: "abc", Since: since}, {Hash: "abc", AutoUpgrade: true}, {Hash: "abc", Since: since, AutoUpgrade: true}} {
		// What people call a version is theirs to choose.
		for _, name := range []string{"a.ts", "a.ts 1.0", "a.ts code=def since=x auto-upgrade", ""} {
			if got := ReadLabel("p1@host" + want.label(name)); got != want {
				t.Errorf("%+v came back as %+v", want, got)
			}
		}
	}
	for _, identity := range []string{"", "p1@host", "p1@host code="} {
		if got := ReadLabel(identity); got != (LastCode{}) {
			t.Errorf("%q says %+v", identity, got)
		}
	}
}
