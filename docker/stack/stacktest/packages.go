package stacktest

import (
	"os"
	"testing"

	"workflow-worker/docker/stack"
)

// Packages returns a folder of npm packages, as MODULES_DIR has them.
func Packages(t testing.TB) string {
	t.Helper()
	dir, err := stack.NodePackages(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
