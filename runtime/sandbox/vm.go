package sandbox

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/builtins"
	"workflow-worker/runtime/language/globals"
	"workflow-worker/runtime/language/inspect"
	"workflow-worker/runtime/language/linear"
	"workflow-worker/runtime/language/wording"
)

// Internal is how the names of our own programs begin: CleanStack drops their frames.
const Internal = language.Internal

const (
	defaultCallDepth = 1500
	// maxDigits is how long a text may be of which a BigInt is made; it takes time that grows with
	// the length's square.
	maxDigits = 300_000
	// maxArguments is how many arguments a call may get by spread ones. V8 takes half of that, and
	// says that its stack is full.
	maxArguments = 250_000
)

// Options of a VM.
type Options struct {
	// CallDepth is how deep JavaScript calls may nest before a RangeError-like failure. Default
	// 1500.
	CallDepth int
	// MaxBytes bounds what one call of a builtin may allocate by a number it is given: repeat,
	// padStart, ArrayBuffer, typed arrays, Array. Default 64 MiB.
	MaxBytes int64
	// MaxDigits is how long a text may be of which a BigInt is made. Default 300,000.
	MaxDigits int
	// MaxArguments is how many arguments a call may get by spread ones. Default 250,000.
	MaxArguments int
	// MaxNative is how many builtins may be under way at once. Default 4000.
	MaxNative int
	// MostClock bounds how long an entry may take on the clock, where ten times its budget would be
	// more. Default: nothing else does.
	MostClock time.Duration
	// Shared is for a runtime whose builtins are frozen, so that several executions may use it: all
	// builtins are in their places at once. Otherwise they come when code asks for them.
	Shared bool
	// Weak gives a shared runtime WeakRef, FinalizationRegistry and SharedArrayBuffer, too.
	Weak bool
	// Probe says whether a long text that code wants to make a program of (eval, new Function) can
	// be parsed without harm. Default: none can, beyond 4 KiB. An error is a RangeError to the
	// code; one with a method Temporary that gives true, which another try may not meet, ends the
	// entry instead: what code sees must not depend on the machine, or a workflow's replay would
	// differ.
	Probe func(text string) error
	// Memory is charged with what VMs keep, and ends those that keep too much. Default: nobody
	// counts.
	Memory *Memory
	// Budget is what the VM may keep, where its entries are charged to nobody else (see ChargeTo).
	Budget Budget
}

func (o Options) withDefaults() Options {
	if o.CallDepth <= 0 {
		o.CallDepth = defaultCallDepth
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 64 << 20
	}
	if o.MaxDigits <= 0 {
		o.MaxDigits = maxDigits
	}
	if o.MaxArguments <= 0 {
		o.MaxArguments = maxArguments
	}
	if o.MaxNative <= 0 {
		o.MaxNative = maxNative
	}
	return o
}

// VM is a goja runtime for untrusted code. It belongs to one goroutine at a time: the one inside
// Enter.
type VM struct {
	// Runtime may be used inside Enter only, and before the first.
	Runtime *goja.Runtime
	// EnglishOnly has Intl refuse all languages but English and all time zones but UTC, for
	// executions that began when it knew no others: they may have gone on by the error. To be set
	// inside Enter.
	EnglishOnly bool
	// Former is what the running execution has as it was when it began. To be set inside Enter.
	Former language.Former

	opts   Options
	limits language.Limits // of opts
	host   language.Host   // the VM, to the rooms of language
	async  asyncContext
	watch  watchdog

	native    *goja.Object // goja's global object, with the builtins as they were
	globals   *globals.Globals
	inspector *inspect.Inspector // see shows
	seal      goja.Callable      // see FreezeObject
	freeze    goja.Callable
	account   *Account // of opts.Memory
	cpuTime   time.Duration
}

// New makes a VM with the language's missing parts added and the dangerous builtins capped.
func New(o Options) (*VM, error) {
	if errInternals != nil {
		return nil, errInternals
	}
	v := &VM{Runtime: goja.New(), opts: o.withDefaults()}
	v.host, v.limits = host{v}, language.Limits{Bytes: v.opts.MaxBytes, Digits: v.opts.MaxDigits, Arguments: v.opts.MaxArguments}
	v.native = v.Runtime.GlobalObject()
	v.Runtime.SetMaxCallStackSize(v.opts.CallDepth)
	v.Runtime.SetAsyncContextTracker(&v.async)
	v.async.stop, v.async.most = v.stop, v.opts.MaxNative
	if err := internals.showToPrimitive(v.Runtime); err != nil {
		return nil, fmt.Errorf("prepare the runtime: %w", err)
	}
	var err error
	v.globals, err = globals.Install(host{v}, globals.Options{
		Shared: v.opts.Shared, Weak: v.opts.Weak, Probe: v.opts.Probe, Storage: &v.async, Freezer: v.Freezer,
		EnglishOnly: func() bool { return v.EnglishOnly },
	})
	if err := errors.Join(err, wording.Install(host{v}), v.writeStacks()); err != nil {
		return nil, fmt.Errorf("prepare the runtime: %w", err)
	}
	if v.opts.Shared && !internals.sparePromises(v.Runtime) {
		return nil, errors.New("prepare the runtime: promises aren't goja's")
	}
	if v.async.linear, err = linear.NewState(v.Runtime, v); err != nil {
		return nil, fmt.Errorf("prepare the runtime: %w", err)
	}
	v.async.linear.FormerZeros = func() bool { return v.Former.Zeros }
	v.async.linear.BoundProduct = func(x, y int) { builtins.BoundProduct(host{v}, x, y) }
	v.async.linear.SetLiterals(v.globals.RegExps.Literals())
	return v, nil
}

// Compile makes a program of a text of our own, for any number of runtimes.
func Compile(name, text string) (*goja.Program, error) {
	p, err := goja.Compile(name, text, false)
	return linear.Tune(p), err
}

// asyncContext carries AsyncLocalStorage's values along promise reactions: goja asks it for the
// context when a reaction is made, and gives it back when the reaction runs.
type asyncContext struct {
	current goja.Value
	depth   int         // how many builtins are under way: see counted
	inJob   bool        // what runs is a promise's reaction
	most    int         // how many may be
	waiting int         // reactions of promises that the entry made and that didn't run
	over    atomic.Bool // the entry was interrupted
	stop    func()      // unwinds it
	linear  *linear.State
}

func init() { linear.Holds(&asyncContext{}, unsafe.Offsetof(asyncContext{}.linear)) }

// Linear implements linear.Holder.
func (a *asyncContext) Linear() *linear.State { return a.linear }

func (a *asyncContext) Grab() any {
	a.waiting++
	return a.current
}

func (a *asyncContext) Resumed(context any) {
	a.waiting--
	a.current, _ = context.(goja.Value)
	a.inJob = true
}

func (a *asyncContext) Exited() { a.current, a.inJob = nil, false }

// Get implements globals.Storage.
func (a *asyncContext) Get() goja.Value {
	if a.current == nil {
		return goja.Undefined()
	}
	return a.current
}

// Set implements globals.Storage.
func (a *asyncContext) Set(v goja.Value) {
	if goja.IsUndefined(v) {
		v = nil
	}
	a.current = v
}
