package nodes

import (
	"reflect"
	"strings"
	"testing"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/parser"
)

func TestWhatHasNodesBelowIsNamedAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   any
		want []string
	}{
		{ast.Program{}, []string{"Body"}},
		{ast.FunctionLiteral{}, []string{"Name", "ParameterList", "Body"}},
		{ast.DotExpression{}, []string{"Left"}}, // the identifier is no node of its own
		{ast.PropertyShort{}, []string{"Initializer"}},
		{ast.NumberLiteral{}, []string{"Value"}},
		{ast.Identifier{}, nil},
		{ast.BadStatement{}, nil},
	} {
		of := reflect.TypeOf(c.of)
		var got []string
		for range 2 { // the second time from memory
			got = nil
			for _, i := range below(of) {
				got = append(got, of.Field(i).Name)
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", of, got, c.want)
		}
	}
}

func TestEachNodeIsComeToOnceAndMayBeReplaced(t *testing.T) {
	t.Parallel()
	tree, err := parser.ParseFile(nil, "", "var a = b(c); f(() => { var d = e.x; let [g] = h })", 0)
	if err != nil {
		t.Fatal(err)
	}
	names := func() string {
		var got []string
		Walk(reflect.ValueOf(tree.Body), func(v reflect.Value) bool {
			if id, ok := v.Interface().(*ast.Identifier); ok && v.Kind() == reflect.Pointer {
				got = append(got, id.Name.String())
			}
			return true
		})
		return strings.Join(got, " ")
	}
	if got := names(); got != "a b c f d e g h" {
		t.Errorf("the names are %q", got)
	}
	replace := func(below func(node any) bool) {
		Walk(reflect.ValueOf(tree.Body), func(v reflect.Value) bool {
			member, ok := v.Interface().(*ast.DotExpression)
			if ok && v.Kind() == reflect.Interface {
				v.Set(reflect.ValueOf(&ast.DotExpression{Left: &ast.Identifier{Name: "other"}, Identifier: member.Identifier}))
			}
			return !ok && below(v.Interface())
		})
	}
	replace(func(node any) bool {
		_, is := node.(*ast.ArrowFunctionLiteral)
		return !is
	})
	if got := names(); got != "a b c f d e g h" {
		t.Errorf("below what was left out, something was replaced: %q", got)
	}
	replace(func(any) bool { return true })
	if got := names(); got != "a b c f d other g h" {
		t.Errorf("afterwards the names are %q", got)
	}
}
