package language

import "github.com/dop251/goja"

// Internal is how the names of our own programs begin: stacks don't show their frames.
const Internal = "<"

type (
	// Function is a builtin as goja calls it.
	Function = func(goja.FunctionCall) goja.Value
	// Maker is what a constructor makes an object by.
	Maker = func(args []goja.Value, newTarget *goja.Object) *goja.Object
)

// Limits are what one call of a builtin may take.
type Limits struct {
	Bytes     int64 // by a number that it is given
	Digits    int   // of a text of which a BigInt is made
	Arguments int   // by spread ones
}

// Host is a VM, as what it lacks of the language sees it.
type Host interface {
	Runtime() *goja.Runtime
	// Native is goja's global object, with the builtins as they were.
	Native() *goja.Object
	Limits() *Limits
	// Former is what the running execution has as it was when it began.
	Former() *Former
	Watch
	Builtins
}

// Watch is for what computes in Go, where goja looks at no interrupt.
type Watch interface {
	// Over tells that the VM's time is over.
	Over() bool
	// Stop unwinds JavaScript if it is.
	Stop()
	// End ends what runs, with a cause. Code can't catch it.
	End(cause error)
	// Handed notes that Go made so many bytes for the VM.
	Handed(bytes int64)
}

// Builtins are goja's functions, and ours, from inside.
type Builtins interface {
	// Counted is a function that throws where too many are under way.
	Counted(f Function) Function
	// Wrap puts a function before a builtin's, Replace another in its place. False: it is no
	// builtin.
	Wrap(o *goja.Object, f func(goja.FunctionCall, Function) goja.Value) bool
	Replace(o *goja.Object, f Function) bool
	// Construct is the place of what a constructor makes objects by; nil if it is none.
	Construct(o *goja.Object) *Maker
	// Room makes room on the interpreter's stack for so many more values. False: they may not be
	// put there.
	Room(more int) bool
}
