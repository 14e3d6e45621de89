package compile

import (
	"cmp"
	"reflect"

	"github.com/dop251/goja/ast"

	"workflow-worker/runtime/pattern"
)

// expandProperties rewrites the \p{…} of regular expression literals, which goja compiles to letters that never match.
func expandProperties(s Source, tree *ast.Program) error {
	var wrong error
	walk(reflect.ValueOf(tree.Body), func(n ast.Node) {
		re, ok := n.(*ast.RegExpLiteral)
		if !ok || wrong != nil {
			return
		}
		expanded, err := pattern.Expand(re.Pattern, re.Flags)
		if err != nil {
			// A mapped column counts from 0.
			at := tree.File.Position(int(re.Idx) - tree.File.Base())
			wrong = &Error{File: cmp.Or(at.Filename, s.Name), Line: at.Line, Column: at.Column + 1, Message: err.Error()}
			return
		}
		re.Pattern = expanded
	})
	return wrong
}
