package buildid

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestTheBuildIsIdentifiedAsTheLinkerDoes(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "tool", "buildid", self).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSpace(string(out))
	if got, err := of(self); err != nil || len(got) < 10 || !strings.HasSuffix(want, "/"+got) {
		t.Errorf("%q, %v; the tool says %q", got, err, want)
	}
	if got, err := of("/bin/sh"); err == nil {
		t.Errorf("a program that isn't Go's has the build id %q", got)
	}
	if _, err := of("/does/not/exist"); err == nil {
		t.Error("no program has a build id")
	}
}
