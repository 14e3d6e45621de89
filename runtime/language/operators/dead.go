package operators

import (
	"reflect"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"

	"workflow-worker/runtime/language/nodes"
)

// goja compiles what a constant rules out, to drop it, and may then get what it keeps wrong. So such a
// condition becomes one that goja doesn't know the value of.

// mayRuleOut finds conditions that begin like a constant's, as esbuild writes them.
func mayRuleOut(text string) bool {
	for _, word := range []string{"if (", "while (", "for ("} {
		for rest := text; ; {
			at := strings.Index(rest, word)
			if at < 0 {
				break
			}
			rest = rest[at+len(word):]
			condition := rest
			if word == "for (" {
				_, condition, _ = strings.Cut(rest[:min(len(rest), maxHead)], ";")
			}
			if beginsConstant(strings.TrimLeft(condition, " \n")) {
				return true
			}
		}
	}
	return false
}

// maxHead is how far the condition of a loop is looked for.
const maxHead = 1 << 10

func beginsConstant(text string) bool {
	if text == "" {
		return false
	}
	for _, word := range []string{"true", "false", "null", "void"} {
		if strings.HasPrefix(text, word) {
			return true
		}
	}
	return strings.IndexByte("-+~(\"'`0123456789", text[0]) >= 0 || text[0] == '!' && beginsConstant(text[1:])
}

// openConditions has goja compile what constants rule out like all else.
func openConditions(tree *ast.Program) {
	nodes.Walk(reflect.ValueOf(tree).Elem().FieldByName("Body"), func(v reflect.Value) bool {
		if v.Kind() != reflect.Pointer {
			return true
		}
		switch s := v.Interface().(type) {
		case *ast.IfStatement:
			if constant(s.Test) && (leavesOrTakes(s.Consequent) || leavesOrTakes(s.Alternate)) {
				s.Test = opened(s.Test)
			}
		case *ast.WhileStatement:
			if constant(s.Test) && !always(s.Test) && leavesOrTakes(s.Body) {
				s.Test = opened(s.Test)
			}
		case *ast.ForStatement:
			if s.Test != nil && constant(s.Test) && !always(s.Test) && (leavesOrTakes(s.Body) || leavesOrTakes(s.Update)) {
				s.Test = opened(s.Test)
			}
		}
		return true
	})
}

// opened is an expression of the same value that isn't constant for goja.
func opened(e ast.Expression) ast.Expression {
	return &ast.SequenceExpression{Sequence: []ast.Expression{&ast.NumberLiteral{Idx: e.Idx0(), Literal: "0", Value: int64(0)}, e}}
}

// always tells the commonest conditions that rule nothing out.
func always(e ast.Expression) bool {
	switch e := e.(type) {
	case *ast.BooleanLiteral:
		return e.Value
	case *ast.NumberLiteral:
		return e.Literal == "1"
	}
	return false
}

// constant tells what goja may compute while it compiles.
func constant(e ast.Expression) bool {
	switch e := e.(type) {
	case *ast.NumberLiteral, *ast.StringLiteral, *ast.BooleanLiteral, *ast.NullLiteral, *ast.TemplateLiteral, *ast.RegExpLiteral:
		return true
	case *ast.UnaryExpression:
		return constant(e.Operand)
	case *ast.BinaryExpression:
		return constant(e.Left) && (constant(e.Right) || e.Operator == token.LOGICAL_AND || e.Operator == token.LOGICAL_OR || e.Operator == token.COALESCE)
	}
	return false
}

// leavesOrTakes tells what leaves a statement around it, or may take its variables.
func leavesOrTakes(n ast.Node) (found bool) {
	if n == nil {
		return false
	}
	nodes.Walk(reflect.ValueOf(&n).Elem(), func(v reflect.Value) bool {
		if v.Kind() == reflect.Pointer {
			switch v.Interface().(type) {
			case *ast.BranchStatement, *ast.FunctionLiteral, *ast.ArrowFunctionLiteral, *ast.ClassLiteral:
				found = true
			}
		}
		return !found
	})
	return found
}
