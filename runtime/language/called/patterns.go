package called

import (
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
)

// Pattern is what takes something apart, and how V8 words what it takes apart.
type Pattern struct {
	// Text is what the outermost pattern takes apart; "" for a parameter.
	Text string
	// Called is the function whose result that is; "" if it is none's, or V8 doesn't say so.
	Called string
	// Said is set where V8 says the text, of an array's pattern.
	Said bool
	// In is the pattern that this one is part of.
	In Outer
	// Key is the property of the outer pattern that this one takes apart, if that has a name.
	Key string
	// First is the property that it takes first, if that has a name; Default is set if there is
	// something for where it isn't there.
	First   string
	Default bool
}

// Outer is the kind of the pattern that another one is part of.
type Outer int

const (
	Outermost Outer = iota
	// InObject is part of an outermost pattern of an object, Within of any other one; both of what
	// assigns in a loop.
	InObject
	Within
)

// taking goes through a pattern in the order of its instructions. goja notes a new place with what
// it computes and with each variable that it sets: the instructions that take something apart have
// none of their own.
type taking struct {
	*Texts

	at    int // the place of the instructions to come
	binds bool
}

// declared notes the patterns of a declaration.
func (t *Texts) declared(list []*ast.Binding) {
	for _, b := range list {
		if b.Initializer == nil {
			continue
		}
		at, noted := last(b.Initializer)
		if !noted {
			continue
		}
		(&taking{Texts: t, at: at, binds: true}).target(b.Target, of(b.Initializer))
	}
}

// assigned notes an assignment's pattern, or what a logical one reads first.
func (t *Texts) assigned(n *ast.AssignExpression) {
	if n.Operator == token.LOGICAL_AND || n.Operator == token.LOGICAL_OR || n.Operator == token.COALESCE {
		if dot, ok := n.Left.(*ast.DotExpression); ok {
			t.Logical[lastPlace(dot.Left)] = true
		}
	}
	if t.defaults[n] {
		return // is part of a pattern
	}
	p := of(n.Right)
	if _, ok := n.Left.(*ast.ArrayPattern); ok {
		p.Said = false
	}
	if at, noted := last(n.Right); noted && n.Operator == token.ASSIGN {
		(&taking{Texts: t, at: at}).target(n.Left, p)
	}
}

// loop notes the pattern before "of", which V8 has a name for where it declares.
func (t *Texts) loop(n *ast.ForOfStatement) {
	at := lastPlace(n.Source)
	switch into := n.Into.(type) {
	case *ast.ForDeclaration:
		(&taking{Texts: t, at: at, binds: true}).target(into.Target, Pattern{Text: ".for", Said: true})
	case *ast.ForIntoVar:
		(&taking{Texts: t, at: at, binds: true}).target(into.Binding.Target, Pattern{Text: ".for", Said: true})
	case *ast.ForIntoExpression:
		(&taking{Texts: t, at: at}).target(into.Expression, Pattern{In: Within})
	}
}

// parameters notes the patterns among a function's parameters: the first place is the function's.
func (t *Texts) parameters(at int, list *ast.ParameterList) {
	if list == nil {
		return
	}
	w := &taking{Texts: t, at: at, binds: true}
	for _, b := range list.List {
		p := Pattern{}
		if b.Initializer != nil {
			w.move(b.Initializer)
			p.Text = between + between + between
		}
		if _, plain := b.Target.(*ast.Identifier); !plain { // they are set without a place
			w.target(b.Target, p)
		}
	}
}

// of is the outermost pattern of what takes an expression apart.
func of(e ast.Expression) Pattern {
	p := Pattern{Text: print(e)}
	switch e := e.(type) {
	case *ast.CallExpression:
		if _, named := e.Callee.(*ast.Identifier); named {
			p.Said, p.Called = true, print(e.Callee)
		}
	case *ast.NewExpression:
		p.Said, p.Called = true, print(e.Callee)
	case *ast.DotExpression, *ast.BracketExpression, *ast.PrivateDotExpression, *ast.OptionalChain, *ast.ArrowFunctionLiteral, *ast.AssignExpression:
	case *ast.BinaryExpression, *ast.SequenceExpression, *ast.TemplateLiteral:
	default:
		p.Said = true
	}
	return p
}

func (w *taking) target(target ast.Node, p Pattern) {
	switch target := target.(type) {
	case *ast.ObjectPattern:
		w.object(target, p)
	case *ast.ArrayPattern:
		w.Arrays[w.at] = append(w.Arrays[w.at], p)
		w.array(target, p)
	case *ast.AssignExpression:
		// What is there where nothing is taken is noted as if that were taken apart alone.
		w.move(target.Right)
		w.defaults[target] = true
		of := of(target.Right)
		of.Said = true
		w.target(target.Left, of)
	case *ast.Identifier:
		if w.binds {
			w.at = offset(target.Idx)
		}
	case ast.Expression:
		w.move(target)
	}
}

func (w *taking) move(e ast.Expression) {
	if at, noted := last(e); noted {
		w.at = at
	}
}

func (w *taking) object(o *ast.ObjectPattern, p Pattern) {
	if len(o.Properties) > 0 {
		p.First, p.Default = first(o.Properties[0])
	}
	list := w.Objects
	if o.Rest != nil {
		list = w.Rests
	}
	list[w.at] = append(list[w.at], p)
	in := Within
	if p.In == Outermost {
		in = InObject
	}
	for _, property := range o.Properties {
		switch one := property.(type) {
		case *ast.PropertyShort:
			if one.Initializer != nil {
				w.move(one.Initializer)
			}
			w.target(&one.Name, Pattern{})
		case *ast.PropertyKeyed:
			key, _ := first(one)
			if one.Computed {
				w.move(one.Key)
			}
			w.target(one.Value, Pattern{Text: p.Text, In: in, Key: key})
		}
	}
	if o.Rest != nil {
		w.target(o.Rest, Pattern{})
	}
}

func (w *taking) array(a *ast.ArrayPattern, p Pattern) {
	for _, element := range a.Elements {
		if element != nil {
			w.target(element, Pattern{Text: p.Text, In: Within})
		}
	}
	if a.Rest != nil {
		w.target(a.Rest, Pattern{Text: p.Text, In: Within})
	}
}

// first is a property's name, "" where it has none, and whether something is there for it.
func first(property ast.Property) (name string, given bool) {
	switch one := property.(type) {
	case *ast.PropertyShort:
		return one.Name.Name.String(), one.Initializer != nil
	case *ast.PropertyKeyed:
		_, given := one.Value.(*ast.AssignExpression)
		switch key := one.Key.(type) {
		case *ast.StringLiteral:
			if !one.Computed {
				return key.Value.String(), given
			}
		case *ast.NumberLiteral:
			return key.Literal, given
		}
		return "", given
	}
	return "", false
}

// lastPlace is the last place that goja notes for what it makes of an expression.
func lastPlace(e ast.Expression) int {
	if at, noted := last(e); noted {
		return at
	}
	return place(e)
}

// last is the last place that goja notes for what it makes of an expression; noted is false where
// it notes none, for what is constant.
func last(e ast.Expression) (at int, noted bool) {
	switch e := e.(type) {
	case *ast.NumberLiteral, *ast.StringLiteral, *ast.BooleanLiteral, *ast.NullLiteral:
		return 0, false
	case *ast.AwaitExpression:
		return last(e.Argument)
	case *ast.ConditionalExpression:
		return either(e.Alternate, e.Consequent)
	case *ast.SequenceExpression:
		return either(e.Sequence[len(e.Sequence)-1])
	case *ast.BinaryExpression:
		if e.Operator == token.LOGICAL_AND || e.Operator == token.LOGICAL_OR || e.Operator == token.COALESCE {
			return either(e.Right, e.Left)
		}
	case *ast.UnaryExpression:
		return last(e.Operand)
	case *ast.ArrayLiteral:
		for i := len(e.Value) - 1; i >= 0; i-- {
			if item := e.Value[i]; item != nil {
				if s, ok := item.(*ast.SpreadElement); ok {
					item = s.Expression
				}
				if at, noted := last(item); noted {
					return at, true
				}
			}
		}
	case *ast.ObjectLiteral:
		for i := len(e.Value) - 1; i >= 0; i-- {
			var value ast.Expression
			switch property := e.Value[i].(type) {
			case *ast.PropertyKeyed:
				value = property.Value
			case *ast.PropertyShort:
				return offset(property.Name.Idx), true
			case *ast.SpreadElement:
				value = property.Expression
			}
			if value == nil {
				continue
			}
			if at, noted := last(value); noted {
				return at, true
			}
		}
	}
	return place(e), true
}

// either is the last place of the first of them that has one.
func either(list ...ast.Expression) (at int, noted bool) {
	for _, e := range list {
		if at, noted := last(e); noted {
			return at, true
		}
	}
	return 0, false
}
