// Package nodes goes through goja's syntax trees, which have no walker of their own.
//
// It promises: every node is come to once, in the text's order but for what a tree has in another. It
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

// Walk goes through all that a value of a tree holds: it gives visit each interface that isn't nil, in
// which something else may be put, and each pointer that isn't. What is below those for which visit
// gives false is left out; what visit has put into an interface is not.
func Walk(v reflect.Value, visit func(reflect.Value) bool) {
	w := walk{visit: visit}
	w.next = w.step
	w.step(v)
}

type walk struct {
	visit func(reflect.Value) bool
	next  func(reflect.Value) // step, made once
}

func (w *walk) step(v reflect.Value) {
	if k := v.Kind(); (k == reflect.Interface || k == reflect.Pointer) && (v.IsNil() || !w.visit(v)) {
		return
	}
	Each(v, w.next)
}

// Each gives do what a value of a tree holds itself: an interface's or a pointer's value, the items of
// a list, the fields of a struct, as far as they may lead to nodes.
func Each(v reflect.Value, do func(reflect.Value)) {
	switch v.Kind() { //nolint:exhaustive // the rest holds nothing
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			do(v.Elem())
		}
	case reflect.Slice:
		if holds(v.Type()) {
			for i := range v.Len() {
				do(v.Index(i))
			}
		}
	case reflect.Struct:
		for _, i := range below(v.Type()) {
			do(v.Field(i))
		}
	}
}

// below gives the indices of a struct's fields below which there may be nodes. Declaration lists
// are none of them: they repeat what the bodies hold.
func below(t reflect.Type) []int {
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
		return len(below(t)) > 0
	}
	return false
}
