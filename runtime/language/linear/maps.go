package linear

import (
	"errors"
	"hash/maphash"
	"reflect"
	"unsafe"

	"github.com/dop251/goja"
)

// mapObject is goja's mapObject.
type mapObject struct {
	common
	entries *entries
}

// entries is goja's orderedMap, and entry one of it.
type entries struct {
	hash *maphash.Hash
	by   map[uint64]*entry
}

type entry struct {
	key, value goja.Value
	_, _       *entry
	alike      *entry // of the same hash
}

// find is the entry of a key that is a text of ASCII or a whole number; known is false for any other
// key.
func (e *entries) find(key *goja.Value) (found *entry, known bool) {
	w := (*words)(unsafe.Pointer(key))
	switch w.kind {
	case kinds.integer:
		n := *(*int64)(w.data)
		for found = e.by[uint64(n)]; found != nil; found = found.alike { //nolint:gosec // its bits
			if other, whole := Whole(found.key); whole && other == n {
				break
			}
		}
		return found, true
	case kinds.ascii:
		text := *(*string)(w.data)
		_, _ = e.hash.WriteString(text)
		sum := e.hash.Sum64()
		e.hash.Reset()
		for found = e.by[sum]; found != nil; found = found.alike {
			if other, isText := textOf(&found.key); isText && other.units == nil && other.bytes == text {
				break
			}
		}
		return found, true
	}
	return nil, false
}

// inMap is Map.prototype.get, has, or set of a key that is there; nil where goja is to do it.
func (s *State) inMap(callee *object, this goja.Value, arguments []goja.Value) goja.Value {
	o := objectOf(this)
	if o == nil || o.self.kind != kinds.mapObject {
		return nil
	}
	found, known := (*mapObject)(o.self.data).entries.find(&arguments[0])
	switch {
	case !known:
	case callee == s.has:
		return truth(found != nil)
	case callee == s.get && found != nil:
		return found.value
	case callee == s.get:
		return goja.Undefined()
	case found != nil && len(arguments) > 1 && arguments[1] != nil:
		found.value = arguments[1]
		return this
	}
	return nil
}

// checkMaps finds what maps are made of, and whether entries are found where goja puts them.
func checkMaps() error {
	r := goja.New()
	m, err := r.RunString(`new Map([['a', 1], ['another text than that', 2], [3, 4], [1.5, 5], ['ä', 6]])`)
	if err != nil {
		return err
	}
	if !hasCommon(asObject(m.ToObject(r))) {
		return errors.New("goja's maps")
	}
	theirs := reflect.TypeOf(selfOf(m.ToObject(r))).Elem()
	list, found := theirs.FieldByName("m")
	if !found || list.Type.Kind() != reflect.Pointer || list.Offset != unsafe.Offsetof(mapObject{}.entries) {
		return errors.New("goja's maps")
	}
	by, found := list.Type.Elem().FieldByName("hashTable")
	if !found || by.Offset != unsafe.Offsetof(entries{}.by) || by.Type.Kind() != reflect.Map || by.Type.Key().Kind() != reflect.Uint64 {
		return errors.New("goja's maps")
	}
	hash, found := list.Type.Elem().FieldByName("hash")
	if !found || hash.Offset != unsafe.Offsetof(entries{}.hash) || hash.Type != reflect.TypeFor[*maphash.Hash]() {
		return errors.New("goja's maps")
	}
	for name, at := range map[string]uintptr{"key": unsafe.Offsetof(entry{}.key), "value": unsafe.Offsetof(entry{}.value), "hNext": unsafe.Offsetof(entry{}.alike)} {
		if f, found := by.Type.Elem().Elem().FieldByName(name); !found || f.Offset != at {
			return errors.New("goja's maps: " + name)
		}
	}
	kinds.mapObject = asObject(m.ToObject(r)).self.kind
	all := (*mapObject)(asObject(m.ToObject(r)).self.data).entries
	for i, key := range []goja.Value{r.ToValue("a"), Text("another text than that"), Integer(3)} {
		if e, known := all.find(&key); !known || e == nil || e.value.ToInteger() != int64([]int{1, 2, 4}[i]) {
			return errors.New("goja's maps have their entries elsewhere")
		}
	}
	if e, known := all.find(&empty); !known || e != nil {
		return errors.New("goja's maps have what isn't there")
	}
	return nil
}
