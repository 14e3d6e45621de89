package linear

import (
	"unicode/utf8"
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"
)

// Integer is a whole number that a double holds.
func Integer(n int64) goja.Value { return integer(n) }

// Text is a text of valid UTF-8, as goja keeps its own. It doesn't keep what it is a part of.
func Text(s string) goja.Value {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return text{units: unistring.NewFromString(s).AsUtf16()}.value()
		}
	}
	return concise(s, "")
}

// Integer is a whole number that a double holds, in the memory that the VM has taken for numbers.
func (d Data) Integer(n int64) goja.Value { return d.s.integer(n) }

// Double is any other number that is no whole one.
func (d Data) Double(f float64) goja.Value { return d.s.double(f) }

// List is an array of these items.
func List(r *goja.Runtime, items []goja.Value) *goja.Object {
	list := r.NewArray()
	arrayOf(asObject(list)).fill(items)
	return list
}

// Put gives a property to an object of Runtime.NewObject that no code has seen so far.
func Put(o *goja.Object, name unistring.String, value goja.Value) {
	c := commonOf(asObject(o))
	if _, there := c.values[name]; !there {
		c.names = append(c.names, name)
	}
	c.values[name] = value
}

// plainObjects tells that what Put does is what goja does.
func plainObjects(o *goja.Object) bool {
	c := commonOf(asObject(o))
	Put(o, "b", Integer(1))
	Put(o, "a", Integer(2))
	Put(o, "b", Integer(3))
	keys := o.Keys()
	return hasCommon(asObject(o)) && unsafe.Pointer(c.val) == unsafe.Pointer(o) && len(keys) == 2 && keys[0] == "b" && o.Get("b").ToInteger() == 3
}
