package sandbox

import (
	"errors"
	"reflect"
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"

	"workflow-worker/runtime/language"
)

// hide makes a property of an object's symbol a getter that isn't listed; what inherits it can be
// assigned one of its own.
func (in *gojaInternals) hide(o *goja.Object, symbol *goja.Symbol, getter *goja.Object) bool {
	base := in.baseOf(o)
	if base == nil {
		return false
	}
	list := *(*unsafe.Pointer)(unsafe.Add(base, in.shape.symbols))
	if list == nil {
		return false
	}
	link := (*unsafe.Pointer)(unsafe.Add(list, in.shape.first))
	for e := *link; e != nil; e = *link {
		next := (*unsafe.Pointer)(unsafe.Add(e, in.shape.next))
		if *(*goja.Value)(unsafe.Add(e, in.shape.key)) != goja.Value(symbol) {
			link = next
			continue
		}
		p := in.propertyAt(*(*goja.Value)(unsafe.Add(e, in.shape.entry)))
		if p == nil {
			return false
		}
		*(**goja.Object)(unsafe.Add(p, in.inside[0])) = getter
		*(**goja.Object)(unsafe.Add(p, in.shape.setter)) = in.setterFor(setterKey{symbol: symbol})
		*(*bool)(unsafe.Add(p, in.shape.writable)) = false
		// It stays where it is looked for, and is left out where all are listed.
		previous := *(*unsafe.Pointer)(unsafe.Add(e, in.shape.previous))
		*link = *next
		if *next != nil {
			*(*unsafe.Pointer)(unsafe.Add(*next, in.shape.previous)) = previous
		} else {
			*(*unsafe.Pointer)(unsafe.Add(list, in.shape.last)) = previous
		}
		return true
	}
	return false
}

// propertyAt is where a property is that is no plain value; nil for one that is.
func (in *gojaInternals) propertyAt(property goja.Value) unsafe.Pointer {
	if reflect.TypeOf(property) != in.property {
		return nil
	}
	return reflect.ValueOf(property).UnsafePointer()
}

// plain is a property's value if an object has it, or inherits it, without a getter; nil if not.
func (in *gojaInternals) plain(o *goja.Object, name string) goja.Value {
	property := in.find(o, name)
	p := in.propertyAt(property)
	if p == nil {
		return property
	}
	if *(*bool)(unsafe.Add(p, in.shape.accessor)) || *(**goja.Object)(unsafe.Add(p, in.inside[0])) != nil {
		return nil
	}
	return *(*goja.Value)(unsafe.Add(p, in.value))
}

// accessor tells whether a property has a getter.
func (in *gojaInternals) accessor(o *goja.Object, name string) bool {
	p := in.propertyAt(in.find(o, name))
	return p != nil && *(*bool)(unsafe.Add(p, in.shape.accessor))
}

// find looks for a property where it is, and runs no code of anybody's.
func (in *gojaInternals) find(o *goja.Object, name string) goja.Value {
	for range 100 {
		if o == nil || o.ExportType() == language.ProxyType {
			return nil
		}
		if base := in.baseOf(o); base != nil {
			if property, ok := (*(*map[unistring.String]goja.Value)(unsafe.Add(base, in.shape.values)))[unistring.NewFromString(name)]; ok && property != nil {
				return property
			}
		}
		o = o.Prototype()
	}
	return nil
}

// isBuiltin tells goja's functions, and ours, from those of code.
func (in *gojaInternals) isBuiltin(o *goja.Object) bool {
	_, ok := in.functions[in.of(o).Type()]
	return ok
}

// showToPrimitive has code find language.ToPrimitive where goja has the symbol that it asks by itself.
func (in *gojaInternals) showToPrimitive(r *goja.Runtime) error {
	class := r.Get("Symbol").ToObject(r)
	p := in.propertyAt(in.values(in.of(class))["toPrimitive"])
	if p == nil {
		return errors.New("Symbol.toPrimitive isn't goja's")
	}
	*(*goja.Value)(unsafe.Add(p, in.value)) = language.ToPrimitive
	for _, name := range []string{"Symbol", "Date"} {
		prototype := r.Get(name).ToObject(r).Get("prototype").ToObject(r)
		convert := prototype.GetSymbol(goja.SymToPrimitive)
		if convert == nil {
			return errors.New(name + ".prototype has no Symbol.toPrimitive")
		}
		if err := errors.Join(prototype.DeleteSymbol(goja.SymToPrimitive),
			prototype.DefineDataPropertySymbol(language.ToPrimitive, convert, goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE)); err != nil {
			return err
		}
	}
	return nil
}
