package sandbox

import (
	"reflect"
	"unsafe"

	"github.com/dop251/goja"
)

// jobsOf is where a runtime keeps the promise jobs that wait.
func jobsOf() uintptr { return field[[]func()](reflect.TypeFor[goja.Runtime](), "jobQueue") }

// NextTick calls run when the code that runs now is over: before all promise jobs, or after all of
// them if it is one itself, as Node's process.nextTick. Inside Enter.
func (v *VM) NextTick(run func(goja.FunctionCall) goja.Value) {
	jobs := (*[]func())(unsafe.Add(unsafe.Pointer(v.Runtime), internals.jobs))
	job := func() {
		if ex := v.Runtime.Try(func() { run(goja.FunctionCall{This: goja.Undefined()}) }); ex != nil {
			promise, _, reject := v.Runtime.NewPromise()
			_ = promise // nobody listens, which is noticed
			_ = reject(ex.Value())
		}
	}
	if !v.async.inJob {
		*jobs = append([]func(){job}, *jobs...)
		return
	}
	// goja takes the waiting jobs all at once, and runs them. This one is the last of all if none
	// waits by then, and none was put behind it: the list has room for one that would show.
	var put func()
	put = func() {
		list := make([]func(), len(*jobs)+2)
		n := copy(list, *jobs)
		list[n] = func() {
			if list[n+1] != nil || len(*jobs) > 0 {
				put()
				return
			}
			job()
		}
		*jobs = list[:n+1]
	}
	put()
}
