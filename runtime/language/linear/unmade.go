package linear

import (
	"reflect"
	"unsafe"

	"github.com/dop251/goja"
)

const (
	// mostUnmade is how many items there are, at most, for which no function is made.
	mostUnmade = 1 << 16
	// mostJoined is how many are joined that no array is made of, and mostUnits how long their text is.
	mostJoined = 32
	mostUnits  = 1 << 14
)

// unmade is a function that is written where it is given to a method of arrays, as in
// list.map((x) => x.y). Where that only computes it (see Purely), no function is made; nor is the array
// that list.map((x) => x.y).join() is read from, and nobody else sees.
type unmade struct {
	replaced

	code   *program
	second goja.Value // the method's other argument, a constant; nil: it has none
	next   int        // how far it is to what comes behind the call
	gap    goja.Value // what the result is joined by; nil: it isn't
	joined int        // how far it is to what comes behind that
}

// unmadeAt is for what begins with the making of an arrow function; nil where that is not for here.
func unmadeAt(code []instruction) instruction {
	x := &unmade{replaced: replaced{code[0]}}
	made := reflect.ValueOf(any(code[0])).Elem().FieldByName("prg")
	if !made.IsValid() || made.Type() != reflect.TypeFor[*goja.Program]() {
		return nil
	}
	x.code = (*program)(made.UnsafePointer())
	at := 1
	if x.second = constantAt(code, at); x.second != nil {
		at++
	}
	if !callsAt(code, at, at) {
		return nil
	}
	x.next = at + 1
	if named := nameAt(code, at+1); named == "join" {
		if gap := constantAt(code, at+2); gap != nil && callsAt(code, at+3, 1) {
			if _, isText := textOf(&gap); isText {
				x.gap, x.joined = gap, at+4
			}
		}
	}
	return x
}

// constantAt is the constant that an instruction has; nil if it has none.
func constantAt(code []instruction, i int) goja.Value {
	if i >= len(code) || layoutOf(code[i]).part != constant {
		return nil
	}
	in := code[i]
	return *(*goja.Value)((*words)(unsafe.Pointer(&in)).data)
}

// callsAt tells that an instruction is a call with so many arguments.
func callsAt(code []instruction, i, arguments int) bool {
	if i >= len(code) {
		return false
	}
	t := reflect.TypeOf(any(code[i]))
	return t.Name() == "call" && t.Kind() == reflect.Uint32 && number[uint32](code[i]) == arguments
}

// nameAt is that of a method that an instruction looks for.
func nameAt(code []instruction, i int) string {
	if i >= len(code) || !layoutOf(code[i]).method {
		return ""
	}
	in := code[i]
	return *(*string)((*words)(unsafe.Pointer(&in)).data)
}

func (x *unmade) exec(m *machine) {
	callee := objectOf(m.stack[m.sp-1])
	if callee == nil || callee.self.kind != kinds.native || m.sp < 2 {
		x.original.exec(m)
		return
	}
	s := stateOf(m)
	if s == nil {
		x.original.exec(m)
		return
	}
	method := s.asks[callee]
	if method == "" {
		x.original.exec(m)
		return
	}
	call := goja.FunctionCall{This: m.stack[m.sp-2]}
	if x.second != nil {
		call.Arguments = []goja.Value{nil, x.second}
	}
	out, next := x.purely(m, s, method, call)
	if out == nil {
		x.original.exec(m)
		return
	}
	m.stack[m.sp-2] = out
	m.sp--
	m.pc += next
}

// purely is Purely, and how far it is to what comes then.
func (x *unmade) purely(m *machine, s *State, method string, call goja.FunctionCall) (goja.Value, int) {
	a := wholeArray(objectOf(call.This))
	if a == nil || len(a.values) > mostUnmade {
		return nil, 0
	}
	p, ok := pureIn(m.runtime, x.code, m.stash)
	if !ok {
		return nil, 0
	}
	if x.gap == nil || method != "map" || len(a.values) > mostJoined || dataOf(commonOf(s.arrays).values["join"]) != asGoja(s.join) {
		return p.ask(method, call), x.next
	}
	var room [mostJoined]goja.Value
	items, ok := p.mapped(room[:0], call.This)
	if !ok {
		return nil, 0
	}
	units := 0
	for i := range items {
		t, _ := textOf(&items[i])
		units += t.length()
	}
	if t, _ := textOf(&x.gap); units+t.length()*len(items) <= mostUnits {
		if out, ok := Joined(items, x.gap, func(int, int) {}); ok {
			return out, x.joined
		}
	}
	return List(m.runtime, append([]goja.Value(nil), items...)), x.next
}
