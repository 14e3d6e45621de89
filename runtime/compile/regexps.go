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

// explain says of goja's refusals what to write instead.
func explain(message string) string {
	switch message {
	case "Invalid flags supplied to RegExp constructor 'd'":
		return "the flag d of regular expressions (indices of the groups) is not supported: without it, a match has its own index and the groups' texts"
	case "Invalid flags supplied to RegExp constructor 'v'":
		return "the flag v of regular expressions (sets) is not supported: with u, write one class, or a lookahead before it: (?![a-z])\\p{L} for [\\p{L}--[a-z]]"
	case "Invalid group":
		return "Invalid group: modifiers such as (?i:…) are not supported: give the whole expression the flag, or name both letters, [aA]"
	}
	return message
}
