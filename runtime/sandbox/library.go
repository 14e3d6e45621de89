package sandbox

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/dop251/goja"

	"workflow-worker/runtime/pattern"
)

//go:embed library.js
var libraryText string

var library = sync.OnceValues(func() (*goja.Program, error) { return goja.Compile(libraryName, libraryText, false) })

// installLibrary adds what goja lacks of the standard library.
func (v *VM) installLibrary(host, lazily goja.Value) error {
	p, err := library()
	if err != nil {
		return fmt.Errorf("compile the library: %w", err)
	}
	f, err := v.Runtime.RunProgram(p)
	if err != nil {
		return fmt.Errorf("run the library: %w", err)
	}
	install, ok := goja.AssertFunction(f)
	if !ok {
		return fmt.Errorf("the library is a %T", f.Export())
	}
	if _, err := install(goja.Undefined(), host, lazily); err != nil {
		return fmt.Errorf("run the library: %w", err)
	}
	return nil
}

// expandProperties is pattern.Expand; what it refuses is a SyntaxError.
func (v *VM) expandProperties(call goja.FunctionCall) goja.Value {
	source := call.Argument(0)
	expanded, err := pattern.Expand(source.String(), call.Argument(1).String())
	if err != nil {
		e, newErr := v.Runtime.New(v.Runtime.Get("SyntaxError"), v.Runtime.ToValue(err.Error()))
		if newErr != nil {
			panic(newErr) // goja's way to throw into JavaScript
		}
		panic(e)
	}
	if expanded == source.String() {
		return source // as it was: Go's strings hold no halves of surrogate pairs
	}
	return v.Runtime.ToValue(expanded)
}

// wellFormed replaces halves of surrogate pairs: goja does it for every string that goes to Go, and back it comes as it is.
func wellFormed(text string) string { return text }
