package sandbox

import (
	"reflect"

	"github.com/dop251/goja"
	"github.com/dop251/goja/file"

	"workflow-worker/runtime/language"
)

// host is a VM as the rooms of runtime/language see it.
type host struct{ v *VM }

// Runtime implements language.Host.
func (h host) Runtime() *goja.Runtime { return h.v.Runtime }

// Native implements language.Host.
func (h host) Native() *goja.Object { return h.v.native }

// Limits implements language.Host.
func (h host) Limits() *language.Limits { return &h.v.limits }

// Former implements language.Host.
func (h host) Former() *language.Former { return &h.v.Former }

// Over implements language.Watch.
func (h host) Over() bool { return h.v.async.over.Load() }

// Stop implements language.Watch.
func (h host) Stop() { h.v.stop() }

// End implements language.Watch.
func (h host) End(cause error) { h.v.end(cause) }

// Handed implements language.Watch.
func (h host) Handed(bytes int64) { h.v.Handed(bytes) }

// Counted implements language.Builtins.
func (h host) Counted(f language.Function) language.Function { return counted(h.v.Runtime, f) }

// Wrap implements language.Builtins.
func (h host) Wrap(o *goja.Object, f func(goja.FunctionCall, language.Function) goja.Value) bool {
	return internals.wrap(o, f)
}

// Replace implements language.Builtins.
func (h host) Replace(o *goja.Object, f language.Function) bool { return internals.replace(o, f) }

// Construct implements language.Builtins.
func (h host) Construct(o *goja.Object) *language.Maker { return internals.construct(o) }

// Room implements language.Builtins.
func (h host) Room(more int) bool { return internals.room(h.v.Runtime, more) }

// Values implements wording.Interpreter.
func (h host) Values() (stack []goja.Value, frame int) { return internals.state(h.v.Runtime).values() }

// Instruction implements wording.Interpreter.
func (h host) Instruction() reflect.Value { return internals.state(h.v.Runtime).instruction() }

// Place implements wording.Interpreter.
func (h host) Place() (*file.File, int) { return internals.state(h.v.Runtime).place() }

// Repeated implements wording.Interpreter.
func (h host) Repeated() int { return internals.state(h.v.Runtime).repeated() }

// Plain implements wording.Objects.
func (h host) Plain(o *goja.Object, name string) goja.Value { return internals.plain(o, name) }

// Accessor implements wording.Objects.
func (h host) Accessor(o *goja.Object, name string) bool { return internals.accessor(o, name) }

// IsBuiltin implements wording.Objects.
func (h host) IsBuiltin(o *goja.Object) bool { return internals.isBuiltin(o) }

// Hide implements wording.Objects.
func (h host) Hide(o *goja.Object, symbol *goja.Symbol, getter *goja.Object) bool {
	return internals.hide(o, symbol, getter)
}
