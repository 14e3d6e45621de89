package linear

import (
	"unsafe"

	"github.com/dop251/goja"
)

// Unseen takes all properties from an object that no code has, or will have.
func Unseen(o *goja.Object) {
	c := commonOf(asObject(o))
	c.values, c.names = nil, nil
}

// IsPlain tells whether an object has no properties of its own but by symbols, and this prototype.
func IsPlain(o, prototype *goja.Object) bool {
	c := commonOf(asObject(o))
	return unsafe.Pointer(c.prototype) == unsafe.Pointer(prototype) && len(c.values) == 0 && c.symbols == nil
}
