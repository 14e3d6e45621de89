package compile

import (
	"cmp"
	"errors"
	"reflect"

	"github.com/dop251/goja/ast"

	"workflow-worker/runtime/language/pattern"
)

// disguiseRegExps checks the regular expressions of literals, and has goja make objects of them
// that stand for what they are: goja would refuse some and match others otherwise. What runs the
// program reveals them (see runtime/sandbox). A literal stays one: each evaluation makes an object,
// whatever the code calls RegExp.
func disguiseRegExps(file string, tree *ast.Program) error {
	var wrong error
	walk(reflect.ValueOf(tree.Body), func(n ast.Node) {
		re, ok := n.(*ast.RegExpLiteral)
		if !ok || wrong != nil {
			return
		}
		text, flags, err := pattern.DisguiseLiteral(re.Pattern, re.Flags)
		if err != nil {
			// A mapped column counts from 0.
			at := tree.File.Position(int(re.Idx) - tree.File.Base())
			wrong = &Error{File: cmp.Or(at.Filename, file), Line: at.Line, Column: at.Column + 1, Message: literalMessage(err)}
			return
		}
		re.Pattern, re.Flags = text, flags
	})
	return wrong
}

// literalMessage is V8's for a literal.
func literalMessage(err error) string {
	if _, ok := errors.AsType[*pattern.FlagsError](err); ok {
		return "Invalid regular expression flags"
	}
	return err.Error()
}
