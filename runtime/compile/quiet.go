package compile

import (
	"slices"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
	"github.com/dop251/goja/unistring"
)

// quiet tells of a module whose top level only declares: it runs nothing that may fail, take long or
// fill memory, so that nobody needs to evaluate it to know that. It may import Temporal's modules;
// workflow code may call what it imports, which makes proxies and definitions there, with what is
// written out (see runtime/build, which would evaluate it with stand-ins for all imports).
//
// What it doesn't know isn't quiet. That is for time alone: most texts are, and a runtime to
// evaluate one in takes as long as compiling it.
func quiet(kind Kind, tree *ast.Program) bool {
	body := moduleBody(tree)
	if body == nil {
		return false
	}
	q := quieted{kind: kind, names: map[unistring.String]known{"module": plain, "exports": plain, "Object": plain}}
	for _, s := range body.List {
		if f, ok := s.(*ast.FunctionDeclaration); ok {
			q.bind(f.Function.Name.Name, plain)
		}
	}
	for _, s := range body.List {
		if !q.statement(s) {
			return false
		}
	}
	// Who binds one of esbuild's names, or Object, means something else by it.
	return !q.twice
}

// known says what a name stands for where it may be read.
type known int

const (
	plain    known = iota + 1 // a value that is there
	given                     // what an import gave, or a call of that
	exporter                  // one of esbuild's helpers
)

type quieted struct {
	kind  Kind
	names map[unistring.String]known
	twice bool
}

func (q *quieted) bind(name unistring.String, k known) {
	if was := q.names[name]; was == exporter || name == "Object" || name == "require" || name == "module" || name == "exports" {
		q.twice = true
	}
	q.names[name] = k
}

func (q *quieted) statement(s ast.Statement) bool {
	switch s := s.(type) {
	case *ast.FunctionDeclaration, *ast.EmptyStatement:
		return true
	case *ast.ClassDeclaration:
		if !q.class(s.Class) {
			return false
		}
		q.bind(s.Class.Name.Name, plain)
		return true
	case *ast.VariableStatement:
		return q.bindings(s.List)
	case *ast.LexicalDeclaration:
		return q.bindings(s.List)
	case *ast.ExpressionStatement:
		return q.directive(s.Expression) || q.exporting(s.Expression) || q.value(s.Expression) != 0
	}
	return false
}

func (q *quieted) directive(e ast.Expression) bool {
	_, ok := e.(*ast.StringLiteral)
	return ok
}

func (q *quieted) bindings(list []*ast.Binding) bool {
	for _, b := range list {
		switch to := b.Target.(type) {
		case *ast.Identifier:
			k := plain
			switch {
			case b.Initializer == nil:
			case strings.HasPrefix(string(to.Name), "__") && q.helper(to.Name, b.Initializer):
				k = exporter
			default:
				if k = q.value(b.Initializer); k == 0 {
					return false
				}
			}
			q.bind(to.Name, k)
		case *ast.ObjectPattern:
			if q.value(b.Initializer) != given || to.Rest != nil {
				return false
			}
			for _, p := range to.Properties {
				short, ok := p.(*ast.PropertyShort)
				if !ok || short.Initializer != nil {
					return false
				}
				q.bind(short.Name.Name, given)
			}
		default:
			return false
		}
	}
	return true
}

// esbuildsHelpers are written before all else.
var esbuildsHelpers = []unistring.String{"__defProp", "__getOwnPropDesc", "__getOwnPropNames", "__hasOwnProp", "__getProtoOf", "__create", "__export", "__copyProps", "__toCommonJS", "__toESM"}

func (q *quieted) helper(name unistring.String, e ast.Expression) bool {
	_, isFunction := e.(*ast.ArrowFunctionLiteral)
	return slices.Contains(esbuildsHelpers, name) && (isFunction || q.ofObject(e)) && q.names[name] == 0
}

// ofObject tells Object.create, Object.prototype.hasOwnProperty and their like.
func (q *quieted) ofObject(e ast.Expression) bool {
	d, ok := e.(*ast.DotExpression)
	if !ok {
		return false
	}
	if id, ok := d.Left.(*ast.Identifier); ok {
		return id.Name == "Object"
	}
	left, ok := d.Left.(*ast.DotExpression)
	return ok && left.Identifier.Name == "prototype" && q.ofObject(left)
}

// exporting tells the statements by which esbuild exports.
func (q *quieted) exporting(e ast.Expression) bool {
	switch e := e.(type) {
	case *ast.CallExpression: // __export(exports, {name: () => local, …})
		if q.isHelper(e.Callee, "__export") && len(e.ArgumentList) == 2 {
			return q.value(e.ArgumentList[0]) == plain && q.value(e.ArgumentList[1]) == plain
		}
	case *ast.AssignExpression: // module.exports = __toCommonJS(exports)
		to, ok := e.Left.(*ast.DotExpression)
		from, called := e.Right.(*ast.CallExpression)
		if !ok || !called || e.Operator != token.ASSIGN || to.Identifier.Name != "exports" {
			return false
		}
		id, ok := to.Left.(*ast.Identifier)
		return ok && id.Name == "module" && q.isHelper(from.Callee, "__toCommonJS") && len(from.ArgumentList) == 1 && q.value(from.ArgumentList[0]) == plain
	case *ast.BinaryExpression: // 0 && (module.exports = …), for other tools
		zero, ok := e.Left.(*ast.NumberLiteral)
		return ok && e.Operator == token.LOGICAL_AND && zero.Literal == "0"
	}
	return false
}

func (q *quieted) isHelper(e ast.Expression, name unistring.String) bool {
	id, ok := e.(*ast.Identifier)
	return ok && id.Name == name && q.names[name] == exporter
}

// value tells what an expression is whose evaluation is quiet; 0 for others.
func (q *quieted) value(e ast.Expression) known {
	switch e := e.(type) {
	case *ast.StringLiteral, *ast.NumberLiteral, *ast.BooleanLiteral, *ast.NullLiteral, *ast.FunctionLiteral, *ast.ArrowFunctionLiteral:
		return plain
	case *ast.TemplateLiteral:
		if e.Tag == nil && len(e.Expressions) == 0 {
			return plain
		}
	case *ast.UnaryExpression:
		if _, ok := e.Operand.(*ast.NumberLiteral); ok && (e.Operator == token.MINUS || e.Operator == token.PLUS || e.Operator == token.NOT) {
			return plain
		}
	case *ast.Identifier:
		if k := q.names[e.Name]; k == plain || k == given {
			return k
		}
	case *ast.ArrayLiteral:
		return q.all(e.Value)
	case *ast.ObjectLiteral:
		return q.object(e)
	case *ast.ClassLiteral:
		if q.class(e) {
			return plain
		}
	case *ast.DotExpression:
		if q.value(e.Left) == given && (q.kind == Workflow || isModule(e.Left)) {
			return given
		}
	case *ast.SequenceExpression: // (0, import_m.name)
		if len(e.Sequence) == 2 {
			if zero, ok := e.Sequence[0].(*ast.NumberLiteral); ok && zero.Literal == "0" {
				return q.value(e.Sequence[1])
			}
		}
	case *ast.CallExpression:
		return q.call(e)
	}
	return 0
}

// isModule tells the names that esbuild gives modules: their members can be read, whatever there is.
func isModule(e ast.Expression) bool {
	id, ok := e.(*ast.Identifier)
	return ok && isGenerated(string(id.Name))
}

func (q *quieted) all(list []ast.Expression) known {
	for _, e := range list {
		if e != nil && q.value(e) == 0 {
			return 0
		}
	}
	return plain
}

func (q *quieted) object(o *ast.ObjectLiteral) known {
	for _, p := range o.Value {
		switch p := p.(type) {
		case *ast.PropertyShort:
			if p.Initializer != nil || q.value(&p.Name) == 0 {
				return 0
			}
		case *ast.PropertyKeyed:
			if _, isName := p.Key.(*ast.StringLiteral); p.Computed || !isName || q.value(p.Value) == 0 {
				return 0
			}
		default:
			return 0
		}
	}
	return plain
}

// class is quiet if nothing runs when it is declared.
func (q *quieted) class(c *ast.ClassLiteral) bool {
	if c.SuperClass != nil {
		return false
	}
	for _, e := range c.Body {
		switch e := e.(type) {
		case *ast.MethodDefinition:
			if e.Computed {
				return false
			}
		case *ast.FieldDefinition:
			if e.Computed || e.Static {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (q *quieted) call(c *ast.CallExpression) known {
	if id, ok := c.Callee.(*ast.Identifier); ok && id.Name == "require" && len(c.ArgumentList) == 1 {
		m, ok := c.ArgumentList[0].(*ast.StringLiteral)
		if ok && strings.HasPrefix(string(m.Value), "@temporalio/") && q.kind.isTemporal(string(m.Value)) {
			return given
		}
		return 0
	}
	if q.kind == Workflow && q.value(c.Callee) == given && q.all(c.ArgumentList) != 0 {
		return given
	}
	return 0
}
