package wording

import (
	"reflect"

	"github.com/dop251/goja"
	"github.com/dop251/goja/file"

	"workflow-worker/runtime/language"
)

// Host is the VM, with its interpreter.
type Host interface {
	language.Host
	Interpreter
	Objects
}

// Interpreter tells what goja is at.
type Interpreter interface {
	// Values are those of the stack, and which of them begin the function that runs.
	Values() (stack []goja.Value, frame int)
	// Instruction is the one that runs; not valid inside a builtin.
	Instruction() reflect.Value
	// Place is the text that runs, and where in it; nil inside a builtin.
	Place() (*file.File, int)
	// Repeated is how many instructions of the kind that runs came before it for the same place.
	Repeated() int
}

// Objects looks at objects without running code of anybody's.
type Objects interface {
	// Plain is a property's value if an object has it, or inherits it, without a getter; nil if
	// not.
	Plain(o *goja.Object, name string) goja.Value
	// Accessor tells whether a property has a getter.
	Accessor(o *goja.Object, name string) bool
	// IsBuiltin tells goja's functions, and ours, from those of code.
	IsBuiltin(o *goja.Object) bool
	// Hide makes a property of an object's symbol a getter that isn't listed; what inherits it can
	// be assigned one of its own.
	Hide(o *goja.Object, symbol *goja.Symbol, getter *goja.Object) bool
}
