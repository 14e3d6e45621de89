package inspect

import (
	"reflect"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// Host gives JavaScript that inspects values what only the engine knows of them. cleanStack makes of
// a stack's text what code is shown of it.
func Host(r *goja.Runtime, cleanStack func(string) string) map[string]any {
	return map[string]any{
		"stack": func(call goja.FunctionCall) goja.Value {
			text, ok := call.Argument(0).(goja.String)
			if !ok || !strings.Contains(text.String(), "\n\tat ") { // not goja's: the code's own
				return call.Argument(0)
			}
			return r.ToValue(cleanStack(text.String()))
		},
		"promise": func(call goja.FunctionCall) goja.Value {
			o, ok := call.Argument(0).(*goja.Object)
			if !ok {
				return r.NewArray("pending", goja.Undefined())
			}
			p, ok := exported(o).(*goja.Promise)
			if !ok {
				return r.NewArray("pending", goja.Undefined())
			}
			switch p.State() {
			case goja.PromiseStateFulfilled:
				return r.NewArray("fulfilled", p.Result())
			case goja.PromiseStateRejected:
				return r.NewArray("rejected", p.Result())
			}
			return r.NewArray("pending", goja.Undefined())
		},
		"proxy": func(call goja.FunctionCall) goja.Value {
			o, ok := call.Argument(0).(*goja.Object)
			if !ok || o.ExportType() != reflect.TypeFor[goja.Proxy]() {
				return goja.Undefined()
			}
			p, _ := o.Export().(goja.Proxy)
			target, handler := goja.Null(), goja.Null()
			if t := p.Target(); t != nil { // a revoked one has neither
				target = t
			}
			if h := language.Handler(p); h != nil {
				handler = h
			}
			return r.NewArray(target, handler)
		},
	}
}
