package operators

import (
	"slices"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// taken is the name that a function's arrow functions may take from it. goja keeps no room for what
// an arrow function is the first to take: it reads another value of its stack in its place, or
// panics. So the function names it before, where that is never evaluated.
const taken = "arguments"

// scope is a function while the walk is in it.
type scope struct {
	outer      *scope
	arrow      bool
	parameters bool // the walk is in its parameters
	takes      bool // of an arrow function: it takes arguments; of another: one in its body does
}

// enterScope notes a function, its parameters and the name.
func (w *rewriter) enterScope(node any) {
	switch n := node.(type) {
	case *ast.FunctionLiteral:
		w.scope = &scope{outer: w.scope}
	case *ast.ArrowFunctionLiteral:
		w.scope = &scope{outer: w.scope, arrow: true}
	case *ast.ParameterList:
		w.scope.parameters = true
	case *ast.Identifier:
		w.scope.take(n)
	case *ast.PropertyShort:
		w.scope.take(&n.Name)
	}
}

func (s *scope) take(name *ast.Identifier) {
	if s != nil && s.arrow && name.Name == taken {
		s.takes = true
	}
}

// leaveScope has a function whose arrow functions take its arguments name them first.
func (w *rewriter) leaveScope(node any) {
	switch n := node.(type) {
	case *ast.FunctionLiteral:
		if w.scope.takes {
			n.Body.List = slices.Insert(n.Body.List, directives(n.Body.List), ast.Statement(&ast.ExpressionStatement{
				Expression: named(n.Body.LeftBrace, &ast.BooleanLiteral{Idx: n.Body.LeftBrace, Literal: "false"}),
			}))
		}
		w.scope = w.scope.outer
	case *ast.ArrowFunctionLiteral:
		outer := w.scope.outer
		switch {
		case !w.scope.takes || outer == nil:
		case outer.arrow || !outer.parameters:
			outer.takes = true
		default:
			w.names = n
		}
		w.scope = outer
	case *ast.ParameterList:
		w.scope.parameters = false
	}
}

// named is an expression, with the name before it.
func named(at file.Idx, e ast.Expression) ast.Expression {
	return &ast.ConditionalExpression{
		Test:       &ast.BooleanLiteral{Idx: at, Literal: "false"},
		Consequent: &ast.Identifier{Idx: at, Name: taken}, Alternate: e,
	}
}

// directives is how many statements at the beginning of a function are directives.
func directives(list []ast.Statement) int {
	n := slices.IndexFunc(list, func(s ast.Statement) bool {
		e, ok := s.(*ast.ExpressionStatement)
		if !ok {
			return true
		}
		_, ok = e.Expression.(*ast.StringLiteral)
		return !ok
	})
	if n < 0 {
		return len(list)
	}
	return n
}
