package linear

import (
	"errors"
	"reflect"
	"unsafe"

	"github.com/dop251/goja"
)

// symbols is goja's orderedMap, and symbol an entry of it.
type symbols struct {
	_, _        unsafe.Pointer
	first, last *symbol
}

type symbol struct {
	key, value goja.Value
	_, next    *symbol
}

// plain is what a property of a symbol has; nil where it has a getter, or is there no more.
func (y *symbol) plain() *object {
	if y.key == nil {
		return nil
	}
	return plainOf(y.value)
}

// plainOf is the object that a property has, if it has one and no getter.
func plainOf(v goja.Value) *object {
	if kindOf(&v) == kinds.property {
		p := (*property)((*words)(unsafe.Pointer(&v)).data)
		if p.accessor || p.value == nil {
			return nil
		}
		v = p.value
	}
	return objectOf(v)
}

// getter is that of a property of a symbol; nil if it has none.
func (y *symbol) getter() *object {
	if y.key == nil || kindOf(&y.value) != kinds.property {
		return nil
	}
	if p := (*property)((*words)(unsafe.Pointer(&y.value)).data); p.accessor {
		return p.getter
	}
	return nil
}

// symbolOf is where an object has the property of a symbol.
func symbolOf(o *object, key *goja.Symbol) *symbol {
	list := (*symbols)(commonOf(o).symbols)
	if list == nil {
		return nil
	}
	for y := list.first; y != nil; y = y.next {
		if y.key == goja.Value(key) {
			return y
		}
	}
	return nil
}

// commonOf is for objects that have it first of all, see hasCommon.
func commonOf(o *object) *common { return (*common)(o.self.data) }

func hasCommon(o *object) bool {
	t := reflect.TypeOf(selfOf(asGoja(o))).Elem()
	for t.Kind() == reflect.Struct {
		if t.Name() == "baseObject" {
			return true
		}
		if t.NumField() == 0 {
			return false
		}
		t = t.Field(0).Type
	}
	return false
}

// makesArrays tells that what is made of an array is one, as the language has it.
func (s *State) makesArrays(a *array) bool {
	if len(a.names) > 1 { // the first is length
		return false
	}
	class, ok := commonOf(s.arrays).values["constructor"]
	return ok && plainOf(class) == s.class && s.species.getter() == s.speciesGetter
}

// look finds what is there as code will find it.
func (s *State) look(r *goja.Runtime) error {
	list := r.NewArray()
	values, ok := list.GetSymbol(goja.SymIterator).(*goja.Object)
	iterate, callable := goja.AssertFunction(values)
	if !ok || !callable {
		return errors.New("arrays have no iterator")
	}
	made, err := iterate(list)
	if err != nil {
		return err
	}
	prototype := list.Prototype()
	objects, class, iterator := prototype.Prototype(), list.Get("constructor"), made.ToObject(r).Prototype()
	if objects == nil || class == nil || iterator == nil {
		return errors.New("arrays inherit nothing")
	}
	class.ToObject(r).GetSymbol(goja.SymSpecies)
	s.arrays, s.objects, s.class = asObject(prototype), asObject(objects), asObject(class.ToObject(r))
	s.values, s.iterator = asObject(values), asObject(iterator)
	for _, o := range []*object{s.arrays, s.objects, s.class, s.iterator} {
		if !hasCommon(o) {
			return errors.New("goja's builtins")
		}
	}
	s.iterate, s.species = symbolOf(s.arrays, goja.SymIterator), symbolOf(s.class, goja.SymSpecies)
	next, ok := iterator.Get("next").(*goja.Object)
	if !ok || asObject(next).self.kind != kinds.native || s.iterate == nil || s.species == nil {
		return errors.New("iterators of arrays have no next")
	}
	s.next, s.speciesGetter = asObject(next), s.species.getter()
	if !s.iterates() || s.speciesGetter == nil || !s.makesArrays(arrayOf(asObject(list))) || !s.holesAreEmpty() {
		return errors.New("goja's builtins aren't as expected")
	}
	s.lookForBuiltins(r)
	return nil
}
