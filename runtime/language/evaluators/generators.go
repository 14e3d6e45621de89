package evaluators

import (
	"errors"
	"fmt"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// maxGenerators is how many generators may run within each other, as yield* in a recursive one
// makes them. goja catches and throws again at each of them what ends them all, which takes Go a
// time that grows with the square of their number: 1,500 took seven seconds.
const maxGenerators = 400

// boundGenerators bounds them; constructor is the one of generator functions.
func boundGenerators(h language.Host, constructor *goja.Object) error {
	prototype := constructor.Get("prototype").ToObject(h.Runtime()).Get("prototype").ToObject(h.Runtime())
	under := 0
	bounded := func(call goja.FunctionCall, original language.Function) goja.Value {
		if under >= maxGenerators {
			language.Throw(h, "RangeError", fmt.Sprintf("Maximum call stack size exceeded: %d generators run within each other", maxGenerators))
		}
		under++
		defer func() { under-- }()
		return original(call)
	}
	return errors.Join(language.Wrap(h, prototype, "next", bounded), language.Wrap(h, prototype, "return", bounded), language.Wrap(h, prototype, "throw", bounded))
}
