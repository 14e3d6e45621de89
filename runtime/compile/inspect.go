package compile

import (
	"reflect"

	"github.com/dop251/goja/ast"

	"workflow-worker/runtime/language/nodes"
)

// inspect walks the tree of esbuild's CommonJS.
func inspect(tree *ast.Program) *found {
	f := &found{declared: map[string]Is{}, aliases: map[string]string{}}
	walk(reflect.ValueOf(tree.Body), f.visit)
	return f
}

// visit looks at one node of the tree.
func (f *found) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.FunctionDeclaration:
		f.declare(n.Function.Name, Function)
		f.parameters(n.Function.ParameterList)
	case *ast.FunctionLiteral:
		f.declare(n.Name, Function)
		f.parameters(n.ParameterList)
	case *ast.ArrowFunctionLiteral:
		f.parameters(n.ParameterList)
	case *ast.ClassDeclaration:
		f.declare(n.Class.Name, Value)
	case *ast.ClassLiteral:
		f.declare(n.Name, Value)
	case *ast.CatchStatement:
		f.target(n.Parameter, Unknown)
	case *ast.ForDeclaration:
		f.target(n.Target, Unknown)
	case *ast.LexicalDeclaration:
		f.bindings(n.List)
	case *ast.VariableStatement:
		f.bindings(n.List)
	case *ast.VariableDeclaration:
		f.bindings(n.List)
	case *ast.ForLoopInitializerVarDeclList:
		f.bindings(n.List)
	case *ast.ForLoopInitializerLexicalDecl:
		f.bindings(n.LexicalDeclaration.List)
	case *ast.ForIntoVar:
		f.target(n.Binding.Target, Unknown)
	case *ast.CallExpression:
		f.call(n)
	case *ast.AssignExpression:
		if d, ok := n.Left.(*ast.DotExpression); ok {
			f.assigned(d, n.Right)
		}
	}
}

func (f *found) declare(id *ast.Identifier, is Is) {
	if id == nil {
		return
	}
	name := id.Name.String()
	if was, ok := f.declared[name]; ok && was != is {
		is = Unknown // the name is bound twice, in different scopes perhaps
	}
	f.declared[name] = is
}

func (f *found) parameters(l *ast.ParameterList) {
	if l == nil {
		return
	}
	for _, b := range l.List {
		f.target(b.Target, Unknown)
	}
	f.target(l.Rest, Unknown)
}

func (f *found) bindings(list []*ast.Binding) {
	for _, b := range list {
		f.target(b.Target, classify(b.Initializer))
		if name, ok := b.Target.(*ast.Identifier); ok {
			if other, ok := b.Initializer.(*ast.Identifier); ok {
				f.aliases[name.Name.String()] = other.Name.String()
			}
		}
	}
}

func (f *found) target(t ast.Node, is Is) {
	switch t := t.(type) {
	case *ast.Identifier:
		f.declare(t, is)
	case *ast.ObjectPattern:
		for _, p := range t.Properties {
			switch p := p.(type) {
			case *ast.PropertyShort:
				f.declare(&p.Name, Unknown)
			case *ast.PropertyKeyed:
				f.target(p.Value, Unknown)
			}
		}
		f.target(t.Rest, Unknown)
	case *ast.ArrayPattern:
		for _, e := range t.Elements {
			f.target(e, Unknown)
		}
		f.target(t.Rest, Unknown)
	case *ast.AssignExpression: // a default inside a pattern
		f.target(t.Left, Unknown)
	}
}

// classify says what an initializer makes of its name.
func classify(e ast.Expression) Is {
	switch e := e.(type) {
	case *ast.FunctionLiteral, *ast.ArrowFunctionLiteral:
		return Function
	case *ast.StringLiteral, *ast.NumberLiteral, *ast.BooleanLiteral, *ast.NullLiteral, *ast.ObjectLiteral, *ast.ArrayLiteral,
		*ast.TemplateLiteral, *ast.RegExpLiteral, *ast.ClassLiteral, *ast.NewExpression:
		return Value
	case *ast.CallExpression:
		switch called(e) {
		case "defineSignal", "defineQuery", "defineUpdate", "proxyActivities", "proxyLocalActivities", "proxySinks":
			return Value
		}
	}
	return Unknown
}

// called gives the last name of what a call calls: "executeChild" for (0,
// import_workflow.executeChild)(…).
func called(c *ast.CallExpression) string {
	callee := c.Callee
	if s, ok := callee.(*ast.SequenceExpression); ok && len(s.Sequence) > 0 {
		callee = s.Sequence[len(s.Sequence)-1]
	}
	switch x := callee.(type) {
	case *ast.Identifier:
		return x.Name.String()
	case *ast.DotExpression:
		return x.Identifier.Name.String()
	}
	return ""
}

func (f *found) call(c *ast.CallExpression) {
	switch called(c) {
	case "require":
		if len(c.ArgumentList) == 1 {
			if s, ok := c.ArgumentList[0].(*ast.StringLiteral); ok {
				f.imports = append(f.imports, imported{Module: s.Value.String(), at: s.Idx})
			}
		}
	case "startChild", "executeChild":
		if len(c.ArgumentList) > 0 {
			if id, ok := c.ArgumentList[0].(*ast.Identifier); ok {
				f.started = append(f.started, id.Name.String())
			}
		}
	case "__export": // __export(exports, {name: () => local, …})
		if len(c.ArgumentList) == 2 {
			f.exportMap(c.ArgumentList[1])
		}
	case "__reExport":
		f.open = true
	}
}

func (f *found) exportMap(e ast.Expression) {
	o, ok := e.(*ast.ObjectLiteral)
	if !ok {
		return
	}
	for _, p := range o.Value {
		k, ok := p.(*ast.PropertyKeyed)
		if !ok {
			continue
		}
		name, ok := k.Key.(*ast.StringLiteral)
		if !ok {
			continue
		}
		x := exported{name: name.Value.String()}
		if a, ok := k.Value.(*ast.ArrowFunctionLiteral); ok {
			if b, ok := a.Body.(*ast.ExpressionBody); ok {
				if id, ok := b.Expression.(*ast.Identifier); ok {
					x.local = id.Name.String()
				}
			}
		}
		f.exported = append(f.exported, x)
	}
}

// assigned sees exports.name = … and module.exports = … of texts that are CommonJS already.
func (f *found) assigned(left *ast.DotExpression, right ast.Expression) {
	object, ok := left.Left.(*ast.Identifier)
	if !ok {
		return
	}
	switch name := left.Identifier.Name.String(); {
	case object.Name == "exports":
		is := classify(right)
		local := "exports." + name
		f.declared[local] = is
		f.exported = append(f.exported, exported{name, local})
	case object.Name == "module" && name == "exports":
		if c, ok := right.(*ast.CallExpression); !ok || called(c) != "__toCommonJS" {
			f.open = true
		}
	}
}

// walk calls visit for every node below v.
func walk(v reflect.Value, visit func(ast.Node)) {
	walkUntil(v, func(n ast.Node) bool { visit(n); return true })
}

// walkUntil is walk, but for what is below the nodes for which visit gives false.
func walkUntil(v reflect.Value, visit func(ast.Node) bool) {
	nodes.Walk(v, func(v reflect.Value) bool {
		if v.Kind() != reflect.Pointer {
			return true
		}
		n, ok := v.Interface().(ast.Node)
		return !ok || visit(n)
	})
}
