package compile

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
	"github.com/dop251/goja/unistring"

	"workflow-worker/runtime/language/nodes"
)

// handOn has `import * as x` stand for what a CommonJS module exports, as Temporal's bundler
// (webpack) does: a function can be called, a member is the module's own, and the default export is
// what the module exports, unless it says that it was an ES module. esbuild makes an object of its
// own of each import, with copies of the members, which can't be called.
//
// The module itself is kept in a variable that no text can name. Where the namespace of an object
// is used as a value, it is esbuild's still. Names are told by themselves alone: esbuild gives a
// name of an inner scope that would hide an import another, but not where it sees eval.
func handOn(tree *ast.Program, code string) {
	if !strings.Contains(code, "__toESM") || strings.Contains(code, "eval") && directEval.MatchString(code) {
		return
	}
	body := moduleBody(tree)
	if body == nil {
		return
	}
	modules := map[unistring.String]unistring.String{} // the variable of the module by that of the import
	var list []ast.Statement
	for _, s := range body.List {
		if v, ok := s.(*ast.VariableStatement); ok {
			for _, b := range v.List {
				id, module := imports(b)
				if id == nil {
					continue
				}
				own := id.Name + " module"
				modules[id.Name] = own
				name := func() *ast.Identifier { return &ast.Identifier{Name: own, Idx: id.Idx} }
				list = append(list, &ast.LexicalDeclaration{
					Idx: id.Idx, Token: token.CONST, List: []*ast.Binding{{Target: name(), Initializer: module.ArgumentList[0]}},
				})
				module.ArgumentList[0] = name()
				b.Initializer = &ast.ConditionalExpression{Test: isObject(name), Consequent: module, Alternate: name()}
			}
		}
		list = append(list, s)
	}
	if len(modules) == 0 {
		return
	}
	body.List = list
	replaceMembers(reflect.ValueOf(body).Elem(), modules)
}

// directEval finds calls of eval, and of no other function whose name ends like it.
var directEval = regexp.MustCompile(`(?:^|[^\w$.])eval\s*\(`)

// moduleBody is that of the function around a module.
func moduleBody(tree *ast.Program) *ast.BlockStatement {
	var body *ast.BlockStatement
	walkUntil(reflect.ValueOf(tree.Body), func(n ast.Node) bool {
		f, ok := n.(*ast.FunctionLiteral)
		if ok && body == nil && slices.ContainsFunc(f.ParameterList.List, func(b *ast.Binding) bool {
			id, ok := b.Target.(*ast.Identifier)
			return ok && id.Name == "exports"
		}) {
			body = f.Body
		}
		return body == nil
	})
	return body
}

// imports takes apart x = __toESM(require("module")), with what esbuild makes of an import.
func imports(b *ast.Binding) (id *ast.Identifier, module *ast.CallExpression) {
	id, ok := b.Target.(*ast.Identifier)
	if !ok {
		return nil, nil
	}
	module, ok = b.Initializer.(*ast.CallExpression)
	if !ok || called(module) != "__toESM" || len(module.ArgumentList) != 1 {
		return nil, nil
	}
	if require, ok := module.ArgumentList[0].(*ast.CallExpression); !ok || called(require) != "require" {
		return nil, nil
	}
	return id, module
}

func isObject(name func() *ast.Identifier) ast.Expression {
	return &ast.BinaryExpression{
		Operator: token.LOGICAL_AND, Left: name(),
		Right: &ast.BinaryExpression{
			Operator: token.STRICT_EQUAL, Comparison: true,
			Left:  &ast.UnaryExpression{Operator: token.TYPEOF, Idx: name().Idx, Operand: name()},
			Right: &ast.StringLiteral{Idx: name().Idx, Literal: `"object"`, Value: "object"},
		},
	}
}

// replaceMembers has members of imports be those of the modules, wherever they are in v.
func replaceMembers(v reflect.Value, modules map[unistring.String]unistring.String) {
	nodes.Walk(v, func(v reflect.Value) bool {
		d, ok := v.Interface().(*ast.DotExpression)
		if !ok || v.Kind() != reflect.Interface {
			return true
		}
		member := memberOf(d, modules)
		if member != nil {
			v.Set(reflect.ValueOf(member))
		}
		return member == nil
	})
}

// memberOf is what stands for a member of an import; nil if it is one of something else.
func memberOf(d *ast.DotExpression, modules map[unistring.String]unistring.String) ast.Expression {
	id, ok := d.Left.(*ast.Identifier)
	if !ok || modules[id.Name] == "" {
		return nil
	}
	module := func() *ast.Identifier { return &ast.Identifier{Name: modules[id.Name], Idx: id.Idx} }
	member := &ast.DotExpression{Left: module(), Identifier: d.Identifier}
	if d.Identifier.Name != "default" {
		return member
	}
	isESM := &ast.DotExpression{Left: module(), Identifier: ast.Identifier{Name: "__esModule", Idx: id.Idx}}
	return &ast.ConditionalExpression{
		Test:       &ast.BinaryExpression{Operator: token.LOGICAL_AND, Left: module(), Right: isESM},
		Consequent: member, Alternate: module(),
	}
}
