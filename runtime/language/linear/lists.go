package linear

import (
	"slices"
	"unsafe"

	"github.com/dop251/goja"
)

const (
	// mostFronts is how many lists may be used at their fronts in turns.
	mostFronts = 16
	// leastRoom is how many items are put into the room at a list's front before it is made again.
	leastRoom = 8
	// leastWaste is how many items a list must have lost at its front to be put elsewhere.
	leastWaste = 1024
)

// rooms are those at the fronts of one VM's lists.
type rooms struct{ fronts []front }

// front is a list that began elsewhere once: its items begin at a place of all that there is room
// for. What lies before is empty and nobody's.
type front struct {
	of  *array
	all []goja.Value
	at  int
}

// list is an array that may be changed at its front without anybody's noticing how.
func (s *State) list(v goja.Value) *array {
	a := wholeArray(objectOf(v))
	if a == nil || a.prototype != s.arrays || !a.extensible || !a.lengthProp.writable || a.properties > 0 || !s.holesAreEmpty() {
		return nil
	}
	return a
}

// holesAreEmpty tells that no array inherits items.
func (s *State) holesAreEmpty() bool {
	if s.sealed {
		return true
	}
	arrays := commonOf(s.arrays)
	if arrays.prototype != s.objects || commonOf(s.objects).prototype != nil || asGoja(s.arrays).Get("length").ToInteger() != 0 {
		return false
	}
	objects := commonOf(s.objects)
	for _, name := range objects.names {
		if len(name) > 0 && name[0] >= '0' && name[0] <= '9' {
			return false
		}
	}
	s.sealed = !arrays.extensible && !objects.extensible // which is for good
	return true
}

// Shift is Array.prototype.shift of a plain array; false for any other.
func Shift(r *goja.Runtime, this goja.Value) (goja.Value, bool) {
	s := stateIn(unsafe.Pointer(r))
	if s == nil {
		return nil, false
	}
	a := s.list(this)
	if a == nil || len(a.values) == 0 {
		return nil, false
	}
	first := a.values[0]
	s.drop(a, 1)
	if first == nil {
		first = goja.Undefined()
	}
	return first, true
}

// Splice is Array.prototype.splice of a plain array, where it takes items off the front and puts
// none in; false for any other.
func Splice(r *goja.Runtime, this goja.Value, arguments []goja.Value) (goja.Value, bool) {
	s := stateIn(unsafe.Pointer(r))
	if s == nil || len(arguments) != 2 || kindOf(&arguments[0]) != kinds.integer || kindOf(&arguments[1]) != kinds.integer || arguments[0].ToInteger() != 0 {
		return nil, false
	}
	a := s.list(this)
	if a == nil || len(a.values) == 0 || !s.makesArrays(a) {
		return nil, false
	}
	n := int(min(max(arguments[1].ToInteger(), 0), int64(len(a.values))))
	for i := range n {
		if a.values[i] == nil {
			return nil, false // goja finds the holes
		}
	}
	if itemSize*n >= claimed && !s.claim(itemSize*n) {
		return goja.Undefined(), true
	}
	removed := List(r, append([]goja.Value(nil), a.values[:n]...))
	if n > 0 {
		s.drop(a, n)
	}
	return removed, true
}

// drop takes items off the front.
func (s *State) drop(a *array, n int) {
	f := s.front(a)
	for i := range n {
		if a.values[i] != nil {
			a.filled--
		}
		a.values[i] = nil
	}
	a.values = a.values[n:]
	a.length -= uint32(n) //nolint:gosec // no more than there are
	if f.at += n; len(a.values) == 0 || f.at > leastWaste && f.at > 3*len(a.values) {
		a.values = append([]goja.Value(nil), a.values...)
		f.all, f.at = a.values[:cap(a.values)], 0
	}
}

// Unshift is Array.prototype.unshift of a plain array; false for any other.
func Unshift(r *goja.Runtime, this goja.Value, items []goja.Value) (goja.Value, bool) {
	s := stateIn(unsafe.Pointer(r))
	if s == nil || len(items) == 0 {
		return nil, false
	}
	a := s.list(this)
	if a == nil || len(a.values) == 0 || uint64(a.length)+uint64(len(items)) > 1<<31 {
		return nil, false
	}
	f, length := s.front(a), len(a.values)+len(items)
	if f.at < len(items) {
		room := max(leastRoom, length/2)
		if itemSize*length >= claimed && !s.claim(itemSize*(length+room)) {
			return goja.Undefined(), true
		}
		all := make([]goja.Value, room+length)
		copy(all[room+len(items):], a.values)
		f.all, f.at = all, room+len(items)
	}
	f.at -= len(items)
	a.values = f.all[f.at : f.at+length]
	copy(a.values, items)
	a.length += uint32(len(items)) //nolint:gosec // see above
	a.filled += len(items)
	return integer(int64(length)), true
}

// front is that of an array which has items.
func (s *State) front(a *array) *front {
	last := len(s.fronts) - 1
	for i := last; i >= 0; i-- {
		if s.fronts[i].of != a {
			continue
		}
		if i != last {
			found := s.fronts[i]
			copy(s.fronts[i:], s.fronts[i+1:])
			s.fronts[last] = found
		}
		f := &s.fronts[last]
		if f.at >= len(f.all) || &f.all[f.at] != &a.values[0] { // goja has put it elsewhere
			f.all, f.at = a.values[:cap(a.values)], 0
		}
		return f
	}
	if len(s.fronts) == mostFronts {
		s.fronts = slices.Delete(s.fronts, 0, 1)
	}
	s.fronts = append(s.fronts, front{of: a, all: a.values[:cap(a.values)]})
	kept := 0
	for i := len(s.fronts) - 2; i >= 0; i-- {
		if kept += itemSize * len(s.fronts[i].all); kept > mostKept {
			s.fronts = slices.Delete(s.fronts, 0, i+1)
			break
		}
	}
	return &s.fronts[len(s.fronts)-1]
}
