package compile

import (
	"reflect"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
)

// scopes walks a program's tree with the names that are bound where it is, and tells of what isn't
// bound and of what is taken from modules.
type scopes struct {
	here *scope
	// how says of an expression what the one around it does with it.
	how map[ast.Expression]how

	// free are identifiers that nothing binds.
	free []*ast.Identifier
	// tested are names that the text looks for before it uses them, or defines as globals.
	tested map[string]bool
	// all are the names that are bound anywhere.
	all  map[string]bool
	uses []use
}

// scope is a block's or a function's names.
type scope struct {
	outer *scope
	names map[string]*binding
}

// binding is a name. Most stand for something that the text itself makes; module is set if it is a
// module.
type binding struct {
	module string
	named  bool     // esbuild's own name for what named imports are taken from
	at     ast.Node // where it is required
}

// how is what is done with a member of a module.
type how int

const (
	// isCalled is all that fails at once if the member isn't there. What only reads it is none of
	// these.
	isCalled how = iota + 1
	// isTested is all that asks whether it is there.
	isTested
	// isExported is only handed on.
	isExported
	// isTaken is destructured.
	isTaken
)

// use is one place that uses a member of a module.
type use struct {
	module, name string
	named        bool
	how          how
	at           ast.Node
	required     ast.Node
}

func resolve(tree *ast.Program) *scopes {
	s := &scopes{here: &scope{names: map[string]*binding{}}, how: map[ast.Expression]how{}, tested: map[string]bool{}, all: map[string]bool{}}
	s.hoist(tree.Body)
	for _, st := range tree.Body {
		s.visit(st)
	}
	return s
}

func (s *scopes) find(name string) *binding {
	for c := s.here; c != nil; c = c.outer {
		if b := c.names[name]; b != nil {
			return b
		}
	}
	return nil
}

func (s *scopes) within(f func()) {
	s.here = &scope{outer: s.here, names: map[string]*binding{}}
	f()
	s.here = s.here.outer
}

func (s *scopes) bind(t ast.Node) {
	eachName(t, func(id *ast.Identifier) { s.bindName(id.Name.String()) })
}

func (s *scopes) bindName(name string) *binding {
	b := s.here.names[name]
	if b == nil {
		b = &binding{}
		s.here.names[name], s.all[name] = b, true
	}
	return b
}

// eachName calls f for the names that a binding's target has.
func eachName(t ast.Node, f func(*ast.Identifier)) {
	if t == nil || reflect.ValueOf(t).IsNil() {
		return
	}
	switch t := t.(type) {
	case *ast.Identifier:
		f(t)
	case *ast.ObjectPattern:
		for _, p := range t.Properties {
			switch p := p.(type) {
			case *ast.PropertyShort:
				f(&p.Name)
			case *ast.PropertyKeyed:
				eachName(p.Value, f)
			}
		}
		eachName(t.Rest, f)
	case *ast.ArrayPattern:
		for _, e := range t.Elements {
			eachName(e, f)
		}
		eachName(t.Rest, f)
	case *ast.AssignExpression: // a default
		eachName(t.Left, f)
	}
}

// hoist binds what a list of statements declares for all of it.
func (s *scopes) hoist(list []ast.Statement) {
	for _, st := range list {
		switch st := st.(type) {
		case *ast.LexicalDeclaration:
			s.bindAll(st.List)
		case *ast.ClassDeclaration:
			s.bind(st.Class.Name)
		case *ast.FunctionDeclaration:
			s.bind(st.Function.Name)
		case *ast.LabelledStatement:
			s.hoist([]ast.Statement{st.Statement})
		}
	}
}

func (s *scopes) bindAll(list []*ast.Binding) {
	for _, b := range list {
		s.bind(b.Target)
		if id, ok := b.Target.(*ast.Identifier); ok {
			if module, at := required(b.Initializer); module != "" {
				*s.bindName(id.Name.String()) = binding{module: module, named: isGenerated(id.Name.String()), at: at}
			}
		}
	}
}

// isGenerated tells the names that esbuild makes up for modules of which names are imported.
func isGenerated(name string) bool { return len(name) > 7 && name[:7] == "import_" }

// required gives the module that an expression is: require("m"), or that in one of esbuild's
// helpers.
func required(e ast.Expression) (string, ast.Node) {
	c, ok := e.(*ast.CallExpression)
	if !ok || len(c.ArgumentList) == 0 {
		return "", nil
	}
	f, ok := c.Callee.(*ast.Identifier)
	switch {
	case !ok:
	case f.Name == "require" && len(c.ArgumentList) == 1:
		if m, ok := c.ArgumentList[0].(*ast.StringLiteral); ok {
			return m.Value.String(), m
		}
	case len(f.Name) > 2 && f.Name[:2] == "__":
		return required(c.ArgumentList[0])
	}
	return "", nil
}

// vars binds what var declares anywhere in a function's body.
func (s *scopes) vars(v reflect.Value) {
	walkUntil(v, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FunctionLiteral, *ast.ArrowFunctionLiteral, *ast.ClassStaticBlock:
			return false
		case *ast.VariableStatement:
			s.bindAll(n.List)
		case *ast.ForLoopInitializerVarDeclList:
			s.bindAll(n.List)
		case *ast.ForIntoVar:
			s.bind(n.Binding.Target)
		}
		return true
	})
}

// visit walks what is below a node, in its scope.
func (s *scopes) visit(n ast.Node) {
	if n == nil {
		return
	}
	walkUntil(reflect.ValueOf(n), func(n ast.Node) bool { return s.enter(n) })
}

// enter looks at a node, and gives false if it has dealt with what is below.
func (s *scopes) enter(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.Identifier:
		if s.find(n.Name.String()) == nil {
			s.free = append(s.free, n)
		}
		return false
	case *ast.FunctionLiteral:
		s.within(func() {
			s.bind(n.Name)
			s.bindName("arguments")
			s.function(n.ParameterList, n.Body)
		})
		return false
	case *ast.ArrowFunctionLiteral:
		s.within(func() { s.function(n.ParameterList, n.Body) })
		return false
	case *ast.ClassLiteral:
		s.within(func() {
			s.bind(n.Name)
			s.mark(n.SuperClass, isCalled)
			s.visitExpression(n.SuperClass)
			for _, e := range n.Body {
				s.visit(e)
			}
		})
		return false
	case *ast.MethodDefinition:
		s.key(n.Key, n.Computed)
		s.visit(n.Body)
		return false
	case *ast.FieldDefinition:
		s.key(n.Key, n.Computed)
		s.visitExpression(n.Initializer)
		return false
	case *ast.ClassStaticBlock:
		s.within(func() {
			s.vars(reflect.ValueOf(n.Block))
			s.visit(n.Block)
		})
		return false
	}
	return s.enterStatement(n)
}

func (s *scopes) enterStatement(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BlockStatement:
		s.within(func() { s.statements(n.List) })
	case *ast.SwitchStatement:
		s.visitExpression(n.Discriminant)
		s.within(func() {
			for _, c := range n.Body {
				s.hoist(c.Consequent)
			}
			for _, c := range n.Body {
				s.visitExpression(c.Test)
				for _, st := range c.Consequent {
					s.visit(st)
				}
			}
		})
	case *ast.CatchStatement:
		s.within(func() {
			s.bind(n.Parameter)
			s.visitExpression(n.Parameter)
			s.visit(n.Body)
		})
	case *ast.ForStatement:
		s.within(func() {
			if d, ok := n.Initializer.(*ast.ForLoopInitializerLexicalDecl); ok {
				s.bindAll(d.LexicalDeclaration.List)
			}
			s.visit(n.Initializer)
			s.mark(n.Test, isTested)
			s.visitExpression(n.Test)
			s.visitExpression(n.Update)
			s.visit(n.Body)
		})
	case *ast.ForInStatement:
		s.forInto(n.Into, n.Source, n.Body)
	case *ast.ForOfStatement:
		s.forInto(n.Into, n.Source, n.Body)
	case *ast.LabelledStatement:
		s.visit(n.Statement)
	case *ast.BranchStatement:
	case *ast.IfStatement:
		s.mark(n.Test, isTested)
		return true
	default:
		return s.enterExpression(n)
	}
	return false
}

func (s *scopes) enterExpression(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.Binding:
		s.destructured(n.Target, n.Initializer)
	case *ast.PropertyShort:
		s.visit(&n.Name)
		s.visitExpression(n.Initializer)
		return false
	case *ast.PropertyKeyed:
		s.key(n.Key, n.Computed)
		s.visitExpression(n.Value)
		return false
	case *ast.MetaProperty:
		return false
	case *ast.DotExpression:
		s.member(n)
		s.mark(n.Left, isCalled)
	case *ast.BracketExpression:
		s.mark(n.Left, isCalled)
		if s.isGlobal(n.Left) {
			s.test(n.Member)
		}
	case *ast.Optional:
		s.mark(n.Expression, isTested)
	case *ast.OptionalChain:
		s.mark(n.Expression, s.how[n])
	case *ast.CallExpression:
		s.mark(n.Callee, isCalled)
		s.call(n)
	case *ast.NewExpression:
		s.mark(n.Callee, isCalled)
	case *ast.TemplateLiteral:
		s.mark(n.Tag, isCalled)
	case *ast.SequenceExpression: // (0, import_m.name)(…)
		if last := len(n.Sequence) - 1; last >= 0 {
			s.mark(n.Sequence[last], s.how[n])
		}
	case *ast.ConditionalExpression:
		s.mark(n.Test, isTested)
	case *ast.UnaryExpression:
		s.mark(n.Operand, isTested)
		if n.Operator == token.TYPEOF {
			s.test(n.Operand)
		}
	case *ast.BinaryExpression:
		s.mark(n.Left, isTested)
		s.mark(n.Right, isTested)
		if n.Operator == token.IN {
			s.test(n.Left)
			s.testIn(n.Left, n.Right)
		}
	}
	return true
}

func (s *scopes) function(l *ast.ParameterList, body ast.ConciseBody) {
	if l != nil {
		for _, p := range l.List {
			s.bind(p.Target)
		}
		s.bind(l.Rest)
	}
	s.vars(reflect.ValueOf(body))
	b, isBlock := body.(*ast.BlockStatement)
	if isBlock {
		s.hoist(b.List)
	}
	if l != nil {
		for _, p := range l.List {
			s.visit(p)
		}
		s.visitExpression(l.Rest)
	}
	if !isBlock {
		s.visit(body)
		return
	}
	for _, st := range b.List {
		s.visit(st)
	}
}

func (s *scopes) statements(list []ast.Statement) {
	s.hoist(list)
	for _, st := range list {
		s.visit(st)
	}
}

func (s *scopes) forInto(into ast.ForInto, source ast.Expression, body ast.Statement) {
	s.visitExpression(source)
	s.within(func() {
		if d, ok := into.(*ast.ForDeclaration); ok {
			s.bind(d.Target)
		}
		s.visit(into)
		s.visit(body)
	})
}

func (s *scopes) key(k ast.Expression, computed bool) {
	if computed {
		s.visitExpression(k)
	}
}

// visitExpression is visit for what may be missing.
func (s *scopes) visitExpression(e ast.Node) {
	if e != nil && !reflect.ValueOf(e).IsNil() {
		s.visit(e)
	}
}

func (s *scopes) mark(e ast.Expression, h how) {
	switch e.(type) {
	case *ast.DotExpression, *ast.SequenceExpression, *ast.OptionalChain:
		s.how[e] = h
	}
}
