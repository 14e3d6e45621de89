package linear

import (
	"slices"
	"strconv"
	"unsafe"

	"github.com/dop251/goja"
)

// Sort puts a plain array's items in order, undefined last, as V8 does: they are read before the
// first is compared, and written when all are in their places. inOrder gets those that are to be
// compared. False for any other value.
func Sort(r *goja.Runtime, this goja.Value, inOrder func(items []goja.Value)) bool {
	s := stateIn(unsafe.Pointer(r))
	if s == nil {
		return false
	}
	a := s.list(this)
	if a == nil || slices.ContainsFunc(a.values, func(v goja.Value) bool { return v == nil }) {
		return false
	}
	if size := itemSize * len(a.values); size >= claimed && !s.claim(size) {
		return true
	}
	items, undefined := split(a.values)
	inOrder(items)
	for range undefined {
		items = append(items, goja.Undefined())
	}
	if a := s.list(this); a != nil && len(a.values) == len(items) {
		copy(a.values, items)
		a.filled = len(items)
		return true
	}
	for i, item := range items { // what compares has changed the array
		if err := this.ToObject(r).Set(strconv.Itoa(i), item); err != nil {
			panic(err) // goja's way to throw into JavaScript
		}
	}
	return true
}

// Sorted is Sort of a copy; nil for what is no plain array.
func Sorted(r *goja.Runtime, this goja.Value, inOrder func(items []goja.Value)) goja.Value {
	data, ok := DataOf(r)
	if !ok {
		return nil
	}
	all, ok := data.Items(this, "")
	if !ok {
		return nil
	}
	if size := itemSize * len(all); size >= claimed && !data.s.claim(size) {
		return goja.Undefined()
	}
	items, undefined := split(all)
	inOrder(items)
	for range undefined {
		items = append(items, goja.Undefined())
	}
	return List(r, items)
}

// split takes a copy of what isn't undefined, and tells how many are.
func split(all []goja.Value) (items []goja.Value, undefined int) {
	items = make([]goja.Value, 0, len(all))
	for _, v := range all {
		if v == goja.Undefined() {
			undefined++
		} else {
			items = append(items, v)
		}
	}
	return items, undefined
}

// Caller is a function as it may be called again and again with the same arguments' place; nil for
// what can't be called so.
func Caller(f *goja.Object) func(goja.FunctionCall) goja.Value {
	if kind := asObject(f).self.kind; kind != kinds.arrow && kind != kinds.script {
		return nil
	}
	call, _ := f.Export().(func(goja.FunctionCall) goja.Value)
	return call
}

// CompareTexts is the order of two texts by their units.
func CompareTexts(x, y goja.Value) int {
	l, _ := textOf(&x)
	r, _ := textOf(&y)
	return compareTexts(l, r)
}

func compareTexts(l, r text) int {
	if l.units == nil && r.units == nil {
		switch {
		case l.bytes < r.bytes:
			return -1
		case l.bytes > r.bytes:
			return 1
		}
		return 0
	}
	for i := range min(l.length(), r.length()) {
		if a, b := l.unit(i), r.unit(i); a != b {
			return int(a) - int(b)
		}
	}
	return l.length() - r.length()
}

func (t text) unit(i int) uint16 {
	if t.units != nil {
		return t.units[i+1]
	}
	return uint16(t.bytes[i])
}
