package called

import (
	"reflect"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/parser"

	"workflow-worker/runtime/language/nodes"
	"workflow-worker/runtime/language/operators"
)

// MaxText is how long a text may be that is read: goja takes a second for some ten megabytes.
const MaxText = 1 << 20

// Texts are the words for what can fail in a program, by the offset that its instructions name.
type Texts struct {
	Calls map[int]string // what is called
	News  map[int]string // what is made an object of
	Tags  map[int]string // the functions before templates
	// Iterated is what is gone through: Spread into a call, or otherwise.
	Iterated map[int]Source
	// Taken apart by patterns: each, and those inside it, in the order of the text.
	Taken map[int]Taken
}

// Source is an expression whose elements are wanted.
type Source struct {
	Text string
	// Called is what it is the result of; "" if it isn't.
	Called string
	// Plain is set for a name or a literal, Spread for the arguments of a call, Pattern for what a
	// pattern takes apart.
	Plain, Spread, Pattern bool
}

// Taken is what an object pattern takes apart.
type Taken struct {
	Text string // "" for a parameter
	// First are the names that the patterns take first, "" where that isn't a name.
	First []First
}

// First is what a pattern takes first.
type First struct {
	Name    string
	Default bool // there is something for where it isn't there
}

// Read reads a program's text; nil if it can't be read.
func Read(text string) *Texts {
	if len(text) > MaxText {
		return nil
	}
	tree, err := parser.ParseFile(nil, "", text, 0, parser.WithDisableSourceMaps)
	if err != nil {
		return nil
	}
	t := &Texts{Calls: map[int]string{}, News: map[int]string{}, Tags: map[int]string{}, Iterated: map[int]Source{}, Taken: map[int]Taken{}}
	body := reflect.ValueOf(tree).Elem().FieldByName("Body")
	if names := Names(text); len(names) > 0 {
		restore(body, names)
	}
	each(body, t.note)
	return t
}

// each goes through all nodes that a value holds.
func each(v reflect.Value, do func(node any)) {
	nodes.Walk(v, func(v reflect.Value) bool {
		if v.Kind() == reflect.Pointer {
			do(v.Interface())
		}
		return true
	})
}

func (t *Texts) note(node any) {
	switch n := node.(type) {
	case *ast.CallExpression:
		t.Calls[offset(n.LeftParenthesis)] = print(n.Callee)
		t.spread(n.ArgumentList, true)
	case *ast.NewExpression:
		t.News[offset(n.New)] = print(n.Callee)
		t.spread(n.ArgumentList, true)
	case *ast.ArrayLiteral:
		t.spread(n.Value, false)
	case *ast.TemplateLiteral:
		if n.Tag != nil {
			t.Tags[place(n.Tag)] = print(n.Tag)
			t.Tags[offset(n.Tag.Idx0())] = print(n.Tag)
		}
	case *ast.ForOfStatement:
		t.Iterated[place(n.Source)] = source(n.Source)
	case *ast.Binding:
		t.pattern(n.Target, n.Initializer)
	case *ast.AssignExpression:
		t.pattern(n.Left, n.Right)
	case *ast.FunctionLiteral:
		t.parameter(offset(n.Function), n.ParameterList)
	case *ast.ArrowFunctionLiteral:
		t.parameter(offset(n.Start), n.ParameterList)
	}
}

func (t *Texts) spread(list []ast.Expression, call bool) {
	for _, item := range list {
		if s, ok := item.(*ast.SpreadElement); ok {
			found := source(s.Expression)
			found.Spread = call
			t.Iterated[place(s.Expression)] = found
		}
	}
}

func (t *Texts) pattern(target ast.Node, value ast.Expression) {
	if value == nil {
		return
	}
	switch p := target.(type) {
	case *ast.ArrayPattern:
		found := source(value)
		found.Pattern = true
		t.Iterated[place(value)] = found
	case *ast.ObjectPattern:
		t.Taken[place(value)] = Taken{Text: print(value), First: firsts(nil, p)}
	}
}

// parameter notes the pattern of a function's parameter, if only one has one: the place is the
// function's.
func (t *Texts) parameter(at int, list *ast.ParameterList) {
	if list == nil {
		return
	}
	var only *ast.ObjectPattern
	for _, b := range list.List {
		if p, ok := b.Target.(*ast.ObjectPattern); ok && b.Initializer == nil {
			if only != nil {
				return
			}
			only = p
		}
	}
	if only != nil {
		t.Taken[at] = Taken{First: firsts(nil, only)}
	}
}

// firsts are the names that a pattern and those inside it take first.
func firsts(list []First, p *ast.ObjectPattern) []First {
	var first First
	if len(p.Properties) > 0 {
		switch one := p.Properties[0].(type) {
		case *ast.PropertyShort:
			first = First{one.Name.Name.String(), one.Initializer != nil}
		case *ast.PropertyKeyed:
			if name, ok := one.Key.(*ast.StringLiteral); ok && !one.Computed {
				_, given := one.Value.(*ast.AssignExpression)
				first = First{name.Value.String(), given}
			}
		}
	}
	list = append(list, first)
	for _, property := range p.Properties {
		keyed, ok := property.(*ast.PropertyKeyed)
		if !ok {
			continue
		}
		if inner, ok := keyed.Value.(*ast.ObjectPattern); ok {
			list = firsts(list, inner)
		}
	}
	return list
}

func source(e ast.Expression) Source {
	s := Source{Text: print(e)}
	switch e := e.(type) {
	case *ast.CallExpression:
		s.Called = print(e.Callee)
	case *ast.DotExpression, *ast.BracketExpression, *ast.OptionalChain:
	default:
		s.Plain = true
	}
	return s
}

// place is the offset that goja notes for what it makes of an expression.
func place(e ast.Expression) int { return offset(operators.Noted(e)) }

func offset(i file.Idx) int { return int(i) - 1 }
