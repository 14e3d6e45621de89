package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"workflow-worker/cdc"
	"workflow-worker/cmd/workflow-worker/doctor"
	"workflow-worker/metrics"
	duties "workflow-worker/reconcile/trouble"
)

// Whoever meets an id, in a check, in an alert, in /health or in the log, finds it on one page with
// what to do.
func TestTheRunbookExplainsAllThatAnOperatorSees(t *testing.T) {
	t.Parallel()
	headings := map[string]string{}
	for _, part := range strings.Split(page(t, "docker/RUNBOOK.md"), "\n### ")[1:] {
		id, text, _ := strings.Cut(part, "\n")
		text, _, _ = strings.Cut(text, "\n## ")
		headings[id] = strings.TrimSpace(text)
	}
	wanted := slices.Concat(doctor.IDs(), metrics.HealthIDs(), duties.IDs(), alerts(t), logged(t))
	for _, reason := range cdc.Reasons() {
		wanted = append(wanted, "stream."+reason)
	}
	for _, id := range wanted {
		if text, ok := headings[id]; !ok || len(text) < 10 {
			t.Errorf("%s isn't explained", id)
		}
	}
	for id := range headings {
		if !slices.Contains(wanted, id) {
			t.Errorf("%s is explained, and nothing says it", id)
		}
	}
	for _, id := range duties.IDs() {
		if what := strings.ReplaceAll(strings.TrimPrefix(id, "service."), "_", " "); id != "project.failed" && metrics.TroubleID(what) != id {
			t.Errorf("the log says %s, and /health %s", id, metrics.TroubleID(what))
		}
	}
}

// alerts are the names of the rules' alerts; docker's tests see to their tests and links.
func alerts(t *testing.T) (names []string) {
	for _, m := range regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(page(t, "docker/prometheus/rules.yaml"), -1) {
		names = append(names, m[1])
	}
	return names
}

// logged are the ids in the sources' lines of the log; a line at the level of errors must have one.
func logged(t *testing.T) (ids []string) {
	files := token.NewFileSet()
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
			f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				method, ok := call.Fun.(*ast.SelectorExpr)
				if !ok || method.Sel.Name != "Error" && method.Sel.Name != "ErrorContext" || len(call.Args) < 2 || !isLogger(method.X) {
					return true
				}
				id := idIn(call)
				if id == "" {
					t.Errorf("%s: an error in the log without an id", files.Position(call.Pos()))
				} else if id != "idServer" {
					ids = append(ids, id)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

// isLogger tells a logger of ours from what hands on the SDK's lines, and from other things with a
// method of that name.
func isLogger(x ast.Expr) bool {
	switch v := x.(type) {
	case *ast.Ident:
		return v.Name == "log" || v.Name == "logger"
	case *ast.SelectorExpr:
		owner, _ := v.X.(*ast.Ident)
		return v.Sel.Name == "log" || v.Sel.Name == "Log" || v.Sel.Name == "Logger" && (owner == nil || owner.Name != "l")
	case *ast.CallExpr:
		return true
	}
	return false
}

// idIn finds the value behind the key "id", or logkey.ID, also within slog.String.
func idIn(call *ast.CallExpr) (id string) {
	isKey := func(e ast.Expr) bool {
		switch k := e.(type) {
		case *ast.SelectorExpr:
			return k.Sel.Name == "ID"
		case *ast.BasicLit:
			return k.Value == `"id"`
		}
		return false
	}
	value := func(e ast.Expr) string {
		switch v := e.(type) {
		case *ast.Ident:
			return v.Name
		case *ast.BasicLit:
			text, _ := strconv.Unquote(v.Value) // the parser has read it
			return text
		}
		return ""
	}
	for i, a := range call.Args[:len(call.Args)-1] {
		if isKey(a) {
			return value(call.Args[i+1])
		}
	}
	for _, a := range call.Args {
		if inner, ok := a.(*ast.CallExpr); ok && len(inner.Args) == 2 && isKey(inner.Args[0]) {
			return value(inner.Args[1])
		}
	}
	return ""
}
