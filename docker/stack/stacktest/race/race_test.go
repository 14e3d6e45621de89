package race_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest/race"
)

// A test that skips itself under the race detector and that the Makefile doesn't name never runs.
func TestTheMakefileRunsWhatSkipsItself(t *testing.T) {
	t.Parallel()
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	names, packages := variable(t, root, "AT_SPEED"), variable(t, root, "AT_SPEED_PKGS")
	listed := regexp.MustCompile(strings.Join(names, "|"))
	found := 0
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !skipsItself(f) {
				continue
			}
			found++
			if !listed.MatchString(f.Name.Name) || !slices.Contains(packages, "./"+filepath.ToSlash(dir)) {
				t.Errorf("%s of %s runs never: AT_SPEED or AT_SPEED_PKGS lacks it", f.Name.Name, dir)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == 0 {
		t.Error("no test skips itself")
	}
}

// The service that tests run beside them shares with them what was compiled only if both leave the same
// modules to themselves.
func TestTheMakefileLeavesOutTheSameModules(t *testing.T) {
	t.Parallel()
	if !race.Enabled {
		t.Skip("there are no flags without the race detector")
	}
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^RACE := -race \$\(foreach module,([^,]*),-gcflags='\$\(module\)/\.\.\.=-race=false'\)$`).FindSubmatch(text)
	if m == nil {
		t.Fatal("the Makefile says RACE in other words")
	}
	want := []string{"-race"}
	for _, module := range strings.Fields(string(m[1])) {
		want = append(want, "-gcflags="+module+"/...=-race=false")
	}
	if got := race.BuildFlags(); !slices.Equal(got, want) {
		t.Errorf("the flags are %q, the Makefile's %q", got, want)
	}
}

func skipsItself(f *ast.FuncDecl) (found bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "AtSpeed" {
			found = true
		}
		return !found
	})
	return found
}

// variable reads the words of one of the Makefile's variables.
func variable(t *testing.T, root, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^` + name + ` := ((?:.*\\\n)*.*)$`).FindSubmatch(text)
	if m == nil {
		t.Fatalf("the Makefile has no %s", name)
	}
	return strings.Fields(strings.ReplaceAll(string(m[1]), "\\\n", " "))
}
