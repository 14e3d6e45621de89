package folder_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"workflow-worker/runtime/folder"
)

func write(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("export {}"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Kubernetes mounts a ConfigMap as links, and a project's folder may be one itself.
func TestLinksToFilesAreFilesAndLinksToFoldersLeadNowhereButAtTheTop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "real", "..data", "order.ts"))
	write(t, filepath.Join(dir, "real", "plain.ts"))
	for name, target := range map[string]string{
		filepath.Join("real", "order.ts"): filepath.Join("..data", "order.ts"),
		filepath.Join("real", "round"):    ".",
		"link":                            "real",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	p, err := folder.Read("p", []string{filepath.Join(dir, "link")})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, w := range p.Workflows {
		names = append(names, w.KebabName)
	}
	if !slices.Equal(names, []string{"order", "plain"}) {
		t.Errorf("found %v", names)
	}
	if err := os.Symlink("gone.ts", filepath.Join(dir, "real", "dangling.ts")); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.Read("p", []string{filepath.Join(dir, "link")}); err == nil {
		t.Error("a link to nothing is passed over")
	}
}
