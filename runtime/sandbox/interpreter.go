package sandbox

import (
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/file"

	"workflow-worker/runtime/language/linear"
)

// interpreter is where goja's state is: see gojaInternals.
type interpreter struct {
	machine    uintptr // in a Runtime
	stack, top uintptr // in a machine: its values, and how many there are
	frame      uintptr // in a machine: where those of the function begin that runs
	program    uintptr // in a machine: what runs; nil inside a builtin
	at         uintptr // in a machine: the instruction
	code       uintptr // in a program: its instructions
	codeType   reflect.Type
	source     uintptr // in a program: its text
	places     func(program unsafe.Pointer, at int) int
}

func interpreterOf() interpreter {
	machine, found := reflect.TypeFor[goja.Runtime]().FieldByName("vm")
	if !found || machine.Type.Kind() != reflect.Pointer {
		panic("goja.Runtime.vm")
	}
	m := machine.Type.Elem()
	program, found := m.FieldByName("prg")
	if !found || program.Type != reflect.TypeFor[*goja.Program]() {
		panic("vm.prg")
	}
	p := program.Type.Elem()
	code, found := p.FieldByName("code")
	if !found || code.Type.Kind() != reflect.Slice || code.Type.Elem().Kind() != reflect.Interface {
		panic("Program.code")
	}
	return interpreter{
		machine: machine.Offset, stack: field[[]goja.Value](m, "stack"), top: field[int](m, "sp"), frame: field[int](m, "sb"),
		program: program.Offset, at: field[int](m, "pc"), code: code.Offset, codeType: code.Type,
		source: field[*file.File](p, "src"), places: placesOf(p),
	}
}

// placesOf finds an instruction's place in the text.
func placesOf(program reflect.Type) func(unsafe.Pointer, int) int {
	list, found := program.FieldByName("srcMap")
	if !found || list.Type.Kind() != reflect.Slice {
		panic("Program.srcMap")
	}
	type item struct{ pc, srcPos int }
	of := list.Type.Elem()
	if field[int](of, "pc") != unsafe.Offsetof(item{}.pc) || field[int](of, "srcPos") != unsafe.Offsetof(item{}.srcPos) || of.Size() != unsafe.Sizeof(item{}) {
		panic("Program.srcMap's items")
	}
	return func(p unsafe.Pointer, at int) int {
		items := *(*[]item)(unsafe.Add(p, list.Offset))
		place := -1
		for low, high := 0, len(items); low < high; {
			if middle := (low + high) / 2; items[middle].pc > at {
				high = middle
			} else {
				low, place = middle+1, items[middle].srcPos
			}
		}
		return place
	}
}

// state is what a runtime is at.
type state struct {
	interpreter

	at unsafe.Pointer
}

func (in *gojaInternals) state(r *goja.Runtime) state {
	return state{in.interpreter, *(*unsafe.Pointer)(unsafe.Add(unsafe.Pointer(r), in.machine))}
}

// values are those of the stack, and which of them begin the function that runs.
func (s state) values() (stack []goja.Value, frame int) {
	stack = *(*[]goja.Value)(unsafe.Add(s.at, s.stack))
	return stack[:min(*(*int)(unsafe.Add(s.at, s.top)), len(stack))], *(*int)(unsafe.Add(s.at, s.frame))
}

// instruction is the one that runs; not valid inside a builtin.
func (s state) instruction() reflect.Value {
	program := *(*unsafe.Pointer)(unsafe.Add(s.at, s.program))
	if program == nil {
		return reflect.Value{}
	}
	code := reflect.NewAt(s.codeType, unsafe.Add(program, s.code)).Elem()
	if pc := *(*int)(unsafe.Add(s.at, s.interpreter.at)); pc >= 0 && pc < code.Len() {
		return linear.Original(code.Index(pc).Elem())
	}
	return reflect.Value{}
}

// place is the text that runs, and where in it; nil inside a builtin.
func (s state) place() (*file.File, int) {
	program := *(*unsafe.Pointer)(unsafe.Add(s.at, s.program))
	if program == nil {
		return nil, 0
	}
	return *(**file.File)(unsafe.Add(program, s.source)), s.places(program, *(*int)(unsafe.Add(s.at, s.interpreter.at)))
}

// repeated is how many instructions of the kind that runs came before it for the same place.
func (s state) repeated() int {
	program := *(*unsafe.Pointer)(unsafe.Add(s.at, s.program))
	if program == nil {
		return 0
	}
	code := reflect.NewAt(s.codeType, unsafe.Add(program, s.code)).Elem()
	pc := *(*int)(unsafe.Add(s.at, s.interpreter.at))
	// One that the machine runs in its own way is of the kind that it stands for.
	kind := func(at int) reflect.Type { return linear.Original(code.Index(at).Elem()).Type() }
	place, count := s.places(program, pc), 0
	for at := pc - 1; at >= 0 && s.places(program, at) == place; at-- {
		if kind(at) == kind(pc) {
			count++
		}
	}
	return count
}

// strict tells whether what runs is anything but an assignment of sloppy code, which fails without
// a word.
func (in *gojaInternals) strict(r *goja.Runtime) bool {
	instruction := in.state(r).instruction()
	if !instruction.IsValid() {
		return true
	}
	name := strings.TrimPrefix(instruction.Type().Name(), "_")
	return strings.Contains(name, "Strict") || !strings.HasPrefix(name, "set")
}

// maxStacked is how many values may lie on goja's stack when more are spread: 32 MB.
const maxStacked = 2 << 20

// room makes room for more values on an interpreter's stack, which goja makes by a thousand at a
// time. It reports whether they may be put there.
func (in *gojaInternals) room(r *goja.Runtime, more int) bool {
	machine := *(*unsafe.Pointer)(unsafe.Add(unsafe.Pointer(r), in.machine))
	stack, top := (*[]goja.Value)(unsafe.Add(machine, in.stack)), *(*int)(unsafe.Add(machine, in.top))
	if top+more > maxStacked {
		return false
	}
	// The function that is called may put them there once more.
	if need := top + 2*more + 2048; need > cap(*stack) {
		*stack = slices.Grow(*stack, need-len(*stack))
	}
	return true
}
