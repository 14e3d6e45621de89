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
	// Objects, Rests and Arrays are the patterns that take something apart: those of objects, those
	// of objects that gather the rest, and those of arrays, each in the order of their instructions.
	Objects, Rests, Arrays map[int][]Pattern
	// Logical are the assignments that read what they may set: &&=, ||= and ??=.
	Logical map[int]bool

	defaults map[*ast.AssignExpression]bool // those in patterns
}

// Source is an expression whose elements are wanted.
type Source struct {
	Text string
	// Called is what it is the result of; "" if it isn't.
	Called string
	// Spread is set for the arguments of a call.
	Spread bool
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
	t := &Texts{
		Calls: map[int]string{}, News: map[int]string{}, Tags: map[int]string{}, Iterated: map[int]Source{}, Objects: map[int][]Pattern{}, Rests: map[int][]Pattern{}, Arrays: map[int][]Pattern{},
		Logical: map[int]bool{}, defaults: map[*ast.AssignExpression]bool{},
	}
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
		t.Iterated[lastPlace(n.Source)] = source(n.Source)
		t.loop(n)
	case *ast.VariableStatement:
		t.declared(n.List)
	case *ast.LexicalDeclaration:
		t.declared(n.List)
	case *ast.ForLoopInitializerVarDeclList:
		t.declared(n.List)
	case *ast.ForLoopInitializerLexicalDecl:
		t.declared(n.LexicalDeclaration.List)
	case *ast.AssignExpression:
		t.assigned(n)
	case *ast.FunctionLiteral:
		t.parameters(offset(n.Function), n.ParameterList)
	case *ast.ArrowFunctionLiteral:
		t.parameters(offset(n.Start), n.ParameterList)
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

func source(e ast.Expression) Source {
	s := Source{Text: print(e)}
	switch e := e.(type) {
	case *ast.CallExpression:
		s.Called = print(e.Callee)
	case *ast.NewExpression:
		s.Called = print(e.Callee)
	}
	return s
}

// place is the offset that goja notes for what it makes of an expression.
func place(e ast.Expression) int { return offset(operators.Noted(e)) }

func offset(i file.Idx) int { return int(i) - 1 }
