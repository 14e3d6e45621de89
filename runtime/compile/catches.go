package compile

import (
	"reflect"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
	"github.com/dop251/goja/unistring"

	"workflow-worker/runtime/language/nodes"
)

// assignCaught has a var of the name that a catch clause catches (catch (e) { var e = f(e); })
// assign to what was caught, as the language does: goja refuses it. The declaration itself stays in
// the function's list of declarations, by which goja declares it.
func assignCaught(tree *ast.Program) {
	walk(reflect.ValueOf(tree.Body), func(n ast.Node) {
		if c, ok := n.(*ast.TryStatement); ok && c.Catch != nil {
			if caught, ok := c.Catch.Parameter.(*ast.Identifier); ok {
				assignVariables(reflect.ValueOf(c.Catch.Body), caught.Name)
			}
		}
	})
}

// assignVariables makes assignments of the declarations of a variable, wherever they are in v but
// in functions.
func assignVariables(v reflect.Value, name unistring.String) {
	nodes.Walk(v, func(v reflect.Value) bool {
		if v.Kind() == reflect.Pointer {
			return true
		}
		switch n := v.Interface().(type) {
		case *ast.FunctionLiteral, *ast.ArrowFunctionLiteral, *ast.ClassLiteral, *ast.FunctionDeclaration, *ast.ClassDeclaration:
			return false
		case *ast.VariableStatement:
			if declares(n.List, name) {
				block := &ast.BlockStatement{LeftBrace: n.Idx0(), RightBrace: n.Idx1()}
				for _, a := range assignments(n.List) {
					block.List = append(block.List, &ast.ExpressionStatement{Expression: a})
				}
				v.Set(reflect.ValueOf(block))
			}
			return false
		case *ast.ForLoopInitializerVarDeclList:
			if declares(n.List, name) {
				v.SetZero()
				if list := assignments(n.List); len(list) > 0 {
					v.Set(reflect.ValueOf(&ast.ForLoopInitializerExpression{Expression: &ast.SequenceExpression{Sequence: list}}))
				}
			}
			return false
		case *ast.ForIntoVar:
			if to, ok := n.Binding.Target.(ast.Expression); ok && n.Binding.Initializer == nil && declares([]*ast.Binding{n.Binding}, name) {
				v.Set(reflect.ValueOf(&ast.ForIntoExpression{Expression: to}))
			}
			return false
		case ast.Expression:
			return false
		}
		return true
	})
}

func declares(list []*ast.Binding, name unistring.String) (found bool) {
	for _, b := range list {
		walk(reflect.ValueOf(b.Target), func(n ast.Node) {
			switch n := n.(type) {
			case *ast.Identifier:
				found = found || n.Name == name
			case *ast.PropertyShort:
				found = found || n.Name.Name == name
			}
		})
	}
	return found
}

// assignments are what the declarations of variables do.
func assignments(list []*ast.Binding) (out []ast.Expression) {
	for _, b := range list {
		if to, ok := b.Target.(ast.Expression); ok && b.Initializer != nil {
			out = append(out, &ast.AssignExpression{Operator: token.ASSIGN, Left: to, Right: b.Initializer})
		}
	}
	return out
}
