package operators

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
)

// kind says what new.target is in a function.
type kind int

const (
	constructing kind = iota // a class's constructor, where goja's is right; or no function at all
	ordinary                 // a function that may be called with new
	method                   // one that can't
)

// enter notes which function a node makes the innermost. What a method or a constructor is made of
// is reached by its own node first.
func (w *rewriter) enter(node any) {
	switch n := node.(type) {
	case *ast.FunctionLiteral:
		w.function = ordinary
		if w.body == n {
			w.function = w.bodyIs
		}
	case *ast.MethodDefinition:
		w.body, w.bodyIs = n.Body, method
		if key, ok := n.Key.(*ast.StringLiteral); ok && key.Value == "constructor" && !n.Static && !n.Computed {
			w.bodyIs = constructing
		}
	case *ast.PropertyKeyed:
		if f, ok := n.Value.(*ast.FunctionLiteral); ok && n.Kind != ast.PropertyKindValue {
			w.body, w.bodyIs = f, method
		}
	}
}

// target stands for new.target. goja shows a function that a constructor calls, without new, the
// constructor's: there, what it is called on is none of its objects.
func (w *rewriter) target(e *ast.MetaProperty) ast.Expression {
	nothing := &ast.UnaryExpression{Operator: token.VOID, Idx: e.Idx, Operand: &ast.NumberLiteral{Idx: e.Idx, Literal: "0", Value: int64(0)}}
	switch w.function {
	case ordinary:
		made := &ast.BinaryExpression{Operator: token.INSTANCEOF, Left: &ast.ThisExpression{Idx: e.Idx}, Right: e}
		return &ast.ConditionalExpression{
			Test:       &ast.BinaryExpression{Operator: token.LOGICAL_AND, Left: e, Right: made},
			Consequent: e, Alternate: nothing,
		}
	case method:
		return nothing
	}
	return nil
}
