package sandbox

import (
	"errors"
	"fmt"

	"github.com/dop251/goja"
)

// maxGenerators is how many generators may run within each other, as yield* in a recursive one makes them. goja catches and throws
// again at each of them what ends them all, which takes Go a time that grows with the square of their number: 1,500 took seven seconds.
const maxGenerators = 400

// boundGenerators bounds them; constructor is the one of generator functions.
func (v *VM) boundGenerators(constructor *goja.Object) error {
	prototype := constructor.Get("prototype").ToObject(v.Runtime).Get("prototype").ToObject(v.Runtime)
	under := 0
	bounded := func(call goja.FunctionCall, original func(goja.FunctionCall) goja.Value) goja.Value {
		if under >= maxGenerators {
			v.throw("RangeError", fmt.Sprintf("Maximum call stack size exceeded: %d generators run within each other", maxGenerators))
		}
		under++
		defer func() { under-- }()
		return original(call)
	}
	return errors.Join(v.wrapped(prototype, "next", bounded), v.wrapped(prototype, "return", bounded), v.wrapped(prototype, "throw", bounded))
}
