package logkey

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// apart are the rooms that import nothing of ours: they spell the keys themselves.
var apart = []string{"cdc/", "metrics/", "migrations/", "activities/"}

// firstKey is the argument of a method of slog.Logger, or of trouble.Log, from which on keys and
// values take turns.
var firstKey = map[string]int{
	"With": 0, "Debug": 1, "Info": 1, "Warn": 1, "Error": 1,
	"DebugContext": 2, "InfoContext": 2, "WarnContext": 2, "ErrorContext": 2, "Log": 3, "LogAttrs": 3,
	"Fail": 4,
}

func TestEveryLineOfTheLogHasTheseKeysOnly(t *testing.T) {
	t.Parallel()
	known := constants(t, parse(t, filepath.Join(root, "runtime/logkey/logkey.go")))
	logged := map[string]bool{}
	for _, top := range []string{"activities", "cdc", "cmd/workflow-worker", "metrics", "migrations", "reconcile", "runtime"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata"):
				return fs.SkipDir
			case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			name, _ := filepath.Rel(root, path)
			spells := slices.ContainsFunc(apart, func(room string) bool { return strings.HasPrefix(name, room) })
			f := parse(t, path)
			own := constants(t, f)
			for _, key := range keysIn(f) {
				switch k := key.(type) {
				case *ast.SelectorExpr:
					if isNamed(k.X, "logkey") {
						logged[known[k.Sel.Name]] = true
					}
				case *ast.Ident: // a constant of the file's
					logged[own[k.Name]] = true
					if !spells || !isValue(known, own[k.Name]) {
						t.Errorf("%s logs under %s, %q, which isn't one of logkey's", name, k.Name, own[k.Name])
					}
				case *ast.BasicLit:
					text, err := strconv.Unquote(k.Value)
					logged[text] = true
					if err != nil || !spells || !isValue(known, text) {
						t.Errorf("%s logs under %s, which isn't one of logkey's", name, k.Value)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, key := range known {
		if !logged[key] {
			t.Errorf("nothing is logged under %s any more", name)
		}
	}
}

func parse(t *testing.T, path string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// constants are a file's texts by their names.
func constants(t *testing.T, f *ast.File) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			for i, x := range v.Values {
				if lit, ok := x.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					found[v.Names[i].Name], _ = strconv.Unquote(lit.Value)
				}
			}
		}
	}
	return found
}

// keysIn are the keys under which a file logs: of attributes, and of those without.
func keysIn(f *ast.File) (keys []ast.Expr) {
	ast.Inspect(f, func(n ast.Node) bool {
		if entry, ok := n.(*ast.KeyValueExpr); ok { // a table of keys for what others call otherwise
			if key, ok := entry.Value.(*ast.SelectorExpr); ok && isNamed(key.X, "logkey") {
				keys = append(keys, key)
			}
		}
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		of, ok := call.Fun.(*ast.SelectorExpr)
		switch {
		case !ok || isNamed(of.X, "http") || isNamed(of.X, "status"):
		case isNamed(of.X, "slog"):
			switch of.Sel.Name {
			case "String", "Int", "Int64", "Uint64", "Float64", "Bool", "Time", "Duration", "Any", "Group":
				keys = append(keys, call.Args[0])
			}
		default:
			first, logs := firstKey[of.Sel.Name]
			if !logs || len(call.Args) <= first {
				return true
			}
			args := call.Args[first:]
			if more, ok := args[0].(*ast.CallExpr); ok && call.Ellipsis.IsValid() && isNamed(more.Fun, "append") {
				args = more.Args[1:]
			} else if call.Ellipsis.IsValid() {
				return true
			}
			for i := 0; i < len(args); i++ {
				if _, attribute := args[i].(*ast.CallExpr); !attribute {
					keys = append(keys, args[i])
					i++
				}
			}
		}
		return true
	})
	return keys
}

func isNamed(x ast.Expr, name string) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name == name
}

func isValue(of map[string]string, text string) bool {
	for _, v := range of {
		if v == text {
			return true
		}
	}
	return false
}
