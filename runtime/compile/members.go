package compile

import (
	"github.com/dop251/goja/ast"
)

// member notes a member that is taken from a module, or of the global object.
func (s *scopes) member(n *ast.DotExpression) {
	name := n.Identifier.Name.String()
	if s.isGlobal(n.Left) {
		s.tested[name] = true
		return
	}
	id, ok := n.Left.(*ast.Identifier)
	if !ok {
		return
	}
	if b := s.find(id.Name.String()); b != nil && b.module != "" {
		s.uses = append(s.uses, use{module: b.module, name: name, named: b.named, how: s.how[n], at: n, required: b.at})
	}
}

// isGlobal tells the global object by its names.
func (s *scopes) isGlobal(e ast.Expression) bool {
	id, ok := e.(*ast.Identifier)
	if !ok {
		return false
	}
	switch name := id.Name.String(); name {
	case "globalThis", "global", "self", "window":
		return s.find(name) == nil
	}
	return false
}

// test notes a name that is looked for: typeof name, "name" in globalThis.
func (s *scopes) test(e ast.Expression) {
	switch e := e.(type) {
	case *ast.Identifier:
		s.tested[e.Name.String()] = true
	case *ast.StringLiteral:
		s.tested[e.Value.String()] = true
	}
}

// testIn notes a member that is looked for: "name" in module.
func (s *scopes) testIn(key, in ast.Expression) {
	name, isText := key.(*ast.StringLiteral)
	id, ok := in.(*ast.Identifier)
	if !isText || !ok {
		return
	}
	if b := s.find(id.Name.String()); b != nil && b.module != "" {
		s.uses = append(s.uses, use{module: b.module, name: name.Value.String(), how: isTested, at: in, required: b.at})
	}
}

// call notes what is handed on to other modules' readers, and what is made a global.
func (s *scopes) call(c *ast.CallExpression) {
	if len(c.ArgumentList) < 2 {
		return
	}
	if f, ok := c.Callee.(*ast.Identifier); ok && f.Name == "__export" {
		s.exportMap(c.ArgumentList[1])
		return
	}
	if !s.isGlobal(c.ArgumentList[0]) { // Object.assign(globalThis, {name}), Object.defineProperty(globalThis, "name", …)
		return
	}
	for _, a := range c.ArgumentList[1:] {
		s.test(a)
		if o, ok := a.(*ast.ObjectLiteral); ok {
			for _, p := range o.Value {
				switch p := p.(type) {
				case *ast.PropertyShort:
					s.tested[p.Name.Name.String()] = true
				case *ast.PropertyKeyed:
					s.test(p.Key)
				}
			}
		}
	}
}

// exportMap marks what is exported again as it was imported: () => import_m.name.
func (s *scopes) exportMap(e ast.Expression) {
	o, ok := e.(*ast.ObjectLiteral)
	if !ok {
		return
	}
	for _, p := range o.Value {
		if k, ok := p.(*ast.PropertyKeyed); ok {
			if f, ok := k.Value.(*ast.ArrowFunctionLiteral); ok {
				if b, ok := f.Body.(*ast.ExpressionBody); ok {
					s.mark(b.Expression, isExported)
				}
			}
		}
	}
}

// destructured notes what is taken from a module by a pattern: const { name, other = 1 } = module.
func (s *scopes) destructured(target ast.Node, from ast.Expression) {
	p, ok := target.(*ast.ObjectPattern)
	if !ok {
		return
	}
	module, at := required(from)
	if id, ok := from.(*ast.Identifier); ok && module == "" {
		if b := s.find(id.Name.String()); b != nil {
			module, at = b.module, b.at
		}
	}
	if module == "" {
		return
	}
	for _, q := range p.Properties {
		u := use{module: module, how: isTaken, at: q, required: at}
		switch q := q.(type) {
		case *ast.PropertyShort:
			u.name = q.Name.Name.String()
			if q.Initializer != nil {
				u.how = isTested
			}
		case *ast.PropertyKeyed:
			k, ok := q.Key.(*ast.StringLiteral)
			if !ok || q.Computed {
				continue
			}
			u.name = k.Value.String()
			if _, ok := q.Value.(*ast.AssignExpression); ok {
				u.how = isTested
			}
		}
		s.uses = append(s.uses, u)
	}
}
