package linear

import (
	"reflect"
	"sync"
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"
)

// Tune puts instructions of ours in the places of goja's. It is for a program that nobody runs so
// far, and gives it back.
func Tune(p *goja.Program) *goja.Program {
	if p != nil && Check() == nil {
		tune((*program)(unsafe.Pointer(p)), false)
	}
	return p
}

// TuneSigned is Tune for a program whose products have the sign of a zero in all executions (see
// operators.Signed), not only in those that began since all have it.
func TuneSigned(p *goja.Program) *goja.Program {
	if p != nil && Check() == nil {
		tune((*program)(unsafe.Pointer(p)), true)
	}
	return p
}

// Original is the instruction of goja's that one of ours stands for; any other as it is.
func Original(in reflect.Value) reflect.Value {
	if in.IsValid() {
		if ours, ok := in.Interface().(interface{ standsFor() instruction }); ok {
			return reflect.ValueOf(any(ours.standsFor()))
		}
	}
	return in
}

// replaced is an instruction of ours, and the one that it stands for.
type replaced struct{ original instruction }

func (r *replaced) standsFor() instruction { return r.original }

// replacements are by the names of goja's instructions.
var replacements = map[string]func(instruction) instruction{
	"_add":               func(in instruction) instruction { return &addition{replaced{in}} },
	"concatStrings":      func(in instruction) instruction { return &template{replaced{in}, number[int](in)} },
	"_iterate":           func(in instruction) instruction { return &beginning{replaced{in}, 0} },
	"_iterateP":          func(in instruction) instruction { return &beginning{replaced{in}, 1} },
	"iterNext":           func(in instruction) instruction { return &nextItem{replaced{in}, number[int32](in)} },
	"iterGetNextOrUndef": func(in instruction) instruction { return &nextOrUndefined{replaced{in}} },
	"_newArrayFromIter":  func(in instruction) instruction { return &remaining{replaced{in}} },
	"_pushArraySpread":   func(in instruction) instruction { return &spreadItems{replaced{in}} },
	"_copySpread":        func(in instruction) instruction { return &spreadProperties{replaced{in}} },
	"_copyRest":          func(in instruction) instruction { return &restProperties{replaced{in}} },
	"_enumerate":         func(in instruction) instruction { return &naming{replaced{in}} },
	"getProp":            func(in instruction) instruction { return &reading{replaced{in}, name(in)} },
	"putProp":            func(in instruction) instruction { return &putting{replaced{in}, name(in)} },
	"setProp":            func(in instruction) instruction { return &assignment{replaced{in}, name(in), false} },
	"setPropP":           func(in instruction) instruction { return &assignment{replaced{in}, name(in), true} },
	"setPropStrict":      func(in instruction) instruction { return &assignment{replaced{in}, name(in), false} },
	"setPropStrictP":     func(in instruction) instruction { return &assignment{replaced{in}, name(in), true} },
	"_getElem":           func(in instruction) instruction { return &elementReading{replaced{in}} },
	"_setElem":           func(in instruction) instruction { return &elementAssignment{replaced{in}, false} },
	"_setElemP":          func(in instruction) instruction { return &elementAssignment{replaced{in}, true} },
	"_setElemStrict":     func(in instruction) instruction { return &elementAssignment{replaced{in}, false} },
	"_setElemStrictP":    func(in instruction) instruction { return &elementAssignment{replaced{in}, true} },
	"getPropCallee":      func(in instruction) instruction { return &method{replaced{in}, name(in)} },
	"call":               func(in instruction) instruction { return &calling{replaced{in}, number[uint32](in)} },
	"_pushSpread":        func(in instruction) instruction { return &spreadArguments{replaced{in}} },
	"_sub":               func(in instruction) instruction { return &subtraction{replaced{in}} },
	"_mul":               func(in instruction) instruction { return &multiplication{replaced{in}, false} },
	"_div":               func(in instruction) instruction { return &division{replaced{in}} },
	"_mod":               func(in instruction) instruction { return &remainder{replaced{in}} },
	"_inc":               func(in instruction) instruction { return &step{replaced{in}, 1} },
	"_dec":               func(in instruction) instruction { return &step{replaced{in}, -1} },
	"_op_lt":             func(in instruction) instruction { return &less{replaced{in}} },
	"_op_lte":            func(in instruction) instruction { return &lessOrEqual{replaced{in}} },
	"_op_gt":             func(in instruction) instruction { return &more{replaced{in}} },
	"_op_gte":            func(in instruction) instruction { return &moreOrEqual{replaced{in}} },
}

func tune(p *program, signed bool) {
	pure := enteringOf(p)
	if pure != nil {
		p.code[0] = pure
	}
	loops := loopsOf(p.code)
	for i, in := range p.code {
		p.code[i] = tuned(p.code[i:], in, signed)
		if x := loops[i]; x != nil {
			x.original, x.otherwise = in, p.code[i]
			p.code[i] = x
		}
	}
	if pure != nil {
		pure.bind(p.code)
	}
}

// loopsOf are those of a program, by their first instructions.
func loopsOf(code []instruction) (out map[int]*loop) {
	for i, in := range code {
		t := reflect.TypeOf(any(in))
		if t.Name() != "jump" || t.Kind() != reflect.Int32 || number[int32](in) >= 0 {
			continue
		}
		if at := i + number[int32](in); at > 0 && out[at] == nil {
			if x := loopAt(code[at:]); x != nil {
				if out == nil {
					out = map[int]*loop{}
				}
				out[at] = x
			}
		}
	}
	return out
}

// tuned is what stands for the first of some instructions, which is none of ours so far.
func tuned(code []instruction, in instruction, signed bool) instruction {
	of := layoutOf(in)
	if of.part != none {
		if f := fuse(code); f != nil {
			return f
		}
	}
	switch {
	case of.literal:
		if len(code) > 1 && isTest(code[1]) {
			return &tested{replaced{in}}
		}
	case of.replacement != nil:
		out := of.replacement(in)
		if x, ok := out.(*multiplication); ok {
			x.signed = signed
		}
		return out
	case of.programs != nil:
		var unmade instruction
		if of.arrow {
			unmade = unmadeAt(code)
		}
		data := (*words)(unsafe.Pointer(&in)).data
		for _, at := range of.programs {
			if inner := *(**program)(unsafe.Add(data, at)); inner != nil {
				tune(inner, signed)
			}
		}
		if unmade != nil {
			return unmade
		}
	}
	return in
}

// layout is what there is to do with a kind of instructions.
type layout struct {
	replacement func(instruction) instruction
	programs    []uintptr // where it has programs of functions
	literal     bool      // of a regular expression
	arrow       bool      // an arrow function is made
	method      bool      // a method is looked for, by its name
	part        int       // see fuse
}

// isTest tells the instruction that looks for a method named test.
func isTest(in instruction) bool {
	return layoutOf(in).method && *(*string)((*words)(unsafe.Pointer(&in)).data) == "test"
}

// partOf is what a kind of instructions is to fuse, if it is as that expects it.
func partOf(t reflect.Type) int {
	is := parts[t.Name()]
	ok := t.Kind() == reflect.Struct && t.Size() == 0
	switch is {
	case loads, stores:
		ok = t.Kind() == reflect.Int
	case jumps:
		ok = t.Kind() == reflect.Int32
	case constant:
		ok = t.Kind() == reflect.Struct && t.NumField() == 1 && t.Field(0).Type == reflect.TypeFor[goja.Value]()
	}
	if !ok {
		return none
	}
	return is
}

var layouts sync.Map // of layout by the first word of an instruction

func layoutOf(in instruction) layout {
	kind := (*words)(unsafe.Pointer(&in)).kind
	if known, ok := layouts.Load(kind); ok {
		return known.(layout) //nolint:forcetypeassert // see layouts
	}
	t := reflect.TypeOf(any(in))
	out := layout{replacement: replacements[t.Name()]}
	out.part = partOf(t)
	out.method = t.Name() == "getPropCallee" && t.Kind() == reflect.String
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
		out.literal, out.arrow = t.Name() == "newRegexp", t.Name() == "newArrowFunc"
	}
	if t.Kind() == reflect.Struct {
		out.programs = programsIn(t, 0)
	}
	layouts.Store(kind, out)
	return out
}

func programsIn(t reflect.Type, at uintptr) (out []uintptr) {
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Type == reflect.TypeFor[*goja.Program]():
			out = append(out, at+f.Offset)
		case f.Type.Kind() == reflect.Struct:
			out = append(out, programsIn(f.Type, at+f.Offset)...)
		}
	}
	return out
}

// number is that of an instruction which is nothing else.
func number[T int | int32 | uint32](in instruction) int {
	return int(*(*T)((*words)(unsafe.Pointer(&in)).data))
}

// name is that of an instruction which is nothing else.
func name(in instruction) unistring.String {
	return *(*unistring.String)((*words)(unsafe.Pointer(&in)).data)
}
