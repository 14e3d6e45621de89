// Package nodes says where the nodes of goja's syntax tree have other nodes below them, for those who
// go through a tree: goja has no walker of its own.
//
// It promises: the fields that it names are all that may lead to another node, in their order. It
// imports goja's syntax tree, and nothing of ours.
package nodes

import (
	"reflect"
	"sync"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// fields are known by the struct's type: looking them up takes reflection as long as the walk.
var fields sync.Map // reflect.Type → []int

var (
	fileType         = reflect.TypeFor[*file.File]()
	declarationsType = reflect.TypeFor[[]*ast.VariableDeclaration]()
)

// Below gives the indices of a struct's fields below which there may be nodes. Declaration lists
// are none of them: they repeat what the bodies hold.
func Below(t reflect.Type) []int {
	if known, ok := fields.Load(t); ok {
		return known.([]int) //nolint:forcetypeassert // nothing else is put there
	}
	out := []int{}
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() && f.Type != declarationsType && holds(f.Type) {
			out = append(out, i)
		}
	}
	fields.Store(t, out)
	return out
}

// holds tells whether a value of the type may lead to a node.
func holds(t reflect.Type) bool {
	switch t.Kind() { //nolint:exhaustive // others hold nothing
	case reflect.Interface:
		return true
	case reflect.Pointer:
		return t != fileType
	case reflect.Slice:
		switch t.Elem().Kind() { //nolint:exhaustive // so too
		case reflect.Interface, reflect.Pointer, reflect.Struct:
			return true
		}
	case reflect.Struct:
		return len(Below(t)) > 0
	}
	return false
}
