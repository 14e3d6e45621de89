package nodes

import (
	"reflect"
	"testing"

	"github.com/dop251/goja/ast"
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
			for _, i := range Below(of) {
				got = append(got, of.Field(i).Name)
			}
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", of, got, c.want)
		}
	}
}
