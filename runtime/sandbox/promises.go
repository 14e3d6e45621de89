package sandbox

import (
	"reflect"
	"unsafe"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language/linear"
)

// An execution that waits holds promises, and goja gives each two functions that settle it, of a
// kilobyte together with their names and lengths. Those of what `then` gives are never seen by any
// code: so they lose these properties.

// promises is where a promise's parts are.
type promises struct {
	handled, reactions uintptr
	capability, runner uintptr    // in a reaction
	result             uintptr    // in a runner of an async function: the capability
	settling           [2]uintptr // in a capability: the functions
}

func promisesOf() promises {
	of := reflect.TypeFor[goja.Promise]()
	list, found := of.FieldByName("fulfillReactions")
	if !found || list.Type.Kind() != reflect.Slice || list.Type.Elem().Kind() != reflect.Pointer {
		panic("Promise.fulfillReactions")
	}
	capability, found := list.Type.Elem().Elem().FieldByName("capability")
	if !found || capability.Type.Kind() != reflect.Pointer {
		panic("promiseReaction.capability")
	}
	runner, found := list.Type.Elem().Elem().FieldByName("asyncRunner")
	if !found || runner.Type.Kind() != reflect.Pointer {
		panic("promiseReaction.asyncRunner")
	}
	result, found := runner.Type.Elem().FieldByName("promiseCap")
	if !found || result.Type != capability.Type {
		panic("asyncRunner.promiseCap")
	}
	functions := capability.Type.Elem()
	return promises{
		handled: field[bool](of, "handled"), reactions: list.Offset, capability: capability.Offset, runner: runner.Offset, result: result.Offset,
		settling: [2]uintptr{field[*goja.Object](functions, "resolveObj"), field[*goja.Object](functions, "rejectObj")},
	}
}

// sparePromises has what `then` gives hold less, in a runtime whose builtins are frozen: there
// nobody can have another class of promises made of an ordinary one.
func (in *gojaInternals) sparePromises(r *goja.Runtime) bool {
	prototype := r.GlobalObject().Get("Promise").ToObject(r).Get("prototype").ToObject(r)
	return in.wrap(prototype.Get("then").ToObject(r), func(call goja.FunctionCall, then function) goja.Value {
		made := then(call)
		if o, ok := call.This.(*goja.Object); ok && linear.IsPlain(o, prototype) {
			if last := in.lastReaction(o); last != nil {
				in.spare(*(*unsafe.Pointer)(unsafe.Add(last, in.promises.capability)))
			}
		}
		return made
	})
}

// lastReaction is the last reaction to a promise; nil if there is none, as where it is settled.
func (in *gojaInternals) lastReaction(o *goja.Object) unsafe.Pointer {
	p, ok := o.Export().(*goja.Promise)
	if !ok {
		return nil
	}
	reactions := *(*[]unsafe.Pointer)(unsafe.Add(unsafe.Pointer(p), in.promises.reactions))
	if len(reactions) == 0 {
		return nil
	}
	return reactions[len(reactions)-1]
}

// spare has a capability hold less, whose functions no code has.
func (in *gojaInternals) spare(capability unsafe.Pointer) {
	if capability == nil {
		return
	}
	for _, at := range in.promises.settling {
		if f := *(**goja.Object)(unsafe.Add(capability, at)); f != nil {
			linear.Unseen(f)
		}
	}
}

// Unseen takes from a function what only code could see that has it: its name and its length. What
// assigns to it is lost.
func (v *VM) Unseen(f goja.Value) {
	if o, ok := f.(*goja.Object); ok {
		linear.Unseen(o)
	}
}

// Handled has a promise's rejection be nobody's business, without a handler.
func (v *VM) Handled(promise goja.Value) {
	if o, ok := promise.(*goja.Object); ok {
		if p, ok := o.Export().(*goja.Promise); ok {
			*(*bool)(unsafe.Add(unsafe.Pointer(p), internals.promises.handled)) = true
		}
	}
}

// Awaited has the async function that was the last to await a promise hold less.
func (v *VM) Awaited(promise goja.Value) {
	o, ok := promise.(*goja.Object)
	if !ok {
		return
	}
	if last := internals.lastReaction(o); last != nil {
		if runner := *(*unsafe.Pointer)(unsafe.Add(last, internals.promises.runner)); runner != nil {
			internals.spare(*(*unsafe.Pointer)(unsafe.Add(runner, internals.promises.result)))
		}
	}
}
