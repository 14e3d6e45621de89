package sandbox

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/dop251/goja"
)

// maxEvaluated is how long a text may be that code makes a program of while it runs. goja parses in this process, recurses with
// the text's nesting, and can't be interrupted: 128 KB of "[" take it 500 MB of stack and 3 MB end the process; a chain of "||"
// takes time that grows with its length's square, 20 s for 128 KB. A text of this length costs some milliseconds at worst.
const maxEvaluated = 4 << 10

// evaluators are the builtins that make programs of texts.
var evaluators = sync.OnceValues(func() (*goja.Program, error) {
	return goja.Compile(Internal+"evaluators>", `[eval, Function, (async function () {}).constructor, (function* () {}).constructor]`, true)
})

// guardEvaluators puts functions in front of eval and the constructors of functions that look at the length of texts. It can't
// wait for code to name them: every function leads to its constructor. Calls of eval become indirect by it: they see globals,
// not the caller's variables.
func (v *VM) guardEvaluators() error {
	p, err := evaluators()
	if err != nil {
		return fmt.Errorf("compile the evaluators: %w", err)
	}
	list, err := v.Runtime.RunProgram(p)
	if err != nil {
		return fmt.Errorf("find the evaluators: %w", err)
	}
	at := func(i string) *goja.Object { return list.ToObject(v.Runtime).Get(i).ToObject(v.Runtime) }
	if err := v.guardEval(at("0")); err != nil {
		return fmt.Errorf("guard eval: %w", err)
	}
	for _, i := range []string{"1", "2", "3"} {
		if err := v.guardConstructor(at(i)); err != nil {
			return fmt.Errorf("guard the constructors of functions: %w", err)
		}
	}
	return nil
}

func (v *VM) guardEval(original *goja.Object) error {
	eval, ok := goja.AssertFunction(original)
	if !ok {
		return fmt.Errorf("eval is a %s", original.ClassName())
	}
	guarded, err := v.function("eval", 1, func(call goja.FunctionCall) goja.Value {
		if text, ok := call.Argument(0).Export().(string); ok {
			v.mayEvaluate("eval", text)
		}
		result, err := eval(goja.Undefined(), call.Argument(0))
		if err != nil {
			panic(err) // goja's way to throw into JavaScript
		}
		return result
	})
	if err != nil {
		return err
	}
	v.made["eval"] = guarded
	return v.global.DefineDataProperty("eval", guarded, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

func (v *VM) guardConstructor(original *goja.Object) error {
	construct, ok := goja.AssertConstructor(original)
	if !ok {
		return fmt.Errorf("%v is no constructor", original)
	}
	name := original.Get("name").String()
	var guarded *goja.Object
	guarded = v.Runtime.ToValue(func(call goja.ConstructorCall) *goja.Object {
		args := make([]goja.Value, len(call.Arguments))
		var text strings.Builder
		for i, a := range call.Arguments {
			args[i] = a.ToString() // once: what is looked at must be what is used
			text.WriteString(args[i].String())
			text.WriteByte('\n')
		}
		v.mayEvaluate("new "+name, text.String())
		newTarget := call.NewTarget
		if newTarget == nil || newTarget == guarded {
			newTarget = original
		}
		made, err := construct(newTarget, args...)
		if err != nil {
			panic(err)
		}
		return made
	}).ToObject(v.Runtime)
	prototype := original.Get("prototype").ToObject(v.Runtime)
	err := errors.Join(
		guarded.SetPrototype(original.Prototype()),
		guarded.DefineDataProperty("name", v.Runtime.ToValue(name), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		guarded.DefineDataProperty("length", v.Runtime.ToValue(1), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		guarded.DefineDataProperty("prototype", prototype, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE),
		prototype.DefineDataProperty("constructor", guarded, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE))
	if err != nil || name != "Function" { // the others are no globals
		return err
	}
	v.made[name] = guarded
	return v.global.DefineDataProperty(name, guarded, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// mayEvaluate throws a RangeError for a text that is too long to be parsed here unseen.
func (v *VM) mayEvaluate(what, text string) {
	if len(text) <= maxEvaluated {
		return
	}
	reason := fmt.Sprintf("the limit is %d", maxEvaluated)
	if v.opts.Probe != nil {
		err := v.opts.Probe(text)
		if err == nil {
			return
		}
		reason = err.Error()
	}
	e, err := v.Runtime.New(v.native.Get("RangeError"), v.Runtime.ToValue(fmt.Sprintf("%s of a text of %d bytes: %s", what, len(text), reason)))
	if err != nil {
		panic(err)
	}
	panic(e)
}
