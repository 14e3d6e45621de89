package linear

import (
	"slices"
	"unsafe"

	"github.com/dop251/goja"
)

// typed is goja's typedArrayObject.
type typed struct {
	common
	buffer, class  unsafe.Pointer
	length, offset int
}

// Elements is how many a typed array has; false for anything else.
func Elements(o *goja.Object) (int, bool) {
	if t := asObject(o); t.self.kind == kinds.typed {
		return (*typed)(t.self.data).length, true
	}
	return 0, false
}

// Named are the own enumerable names of an array or a typed array but those of its items, of which
// goja would make a text each. False for anything else.
func Named(o *goja.Object) ([]string, bool) {
	self := asObject(o).self
	if self.kind != kinds.array && self.kind != kinds.typed {
		return nil, false
	}
	c := (*common)(self.data)
	var names []string
	for _, name := range c.names {
		if v := c.values[name]; kindOf(&v) == kinds.property && !(*property)((*words)(unsafe.Pointer(&v)).data).enumerable {
			continue
		}
		names = append(names, name.String())
	}
	return slices.Clip(names), true
}
