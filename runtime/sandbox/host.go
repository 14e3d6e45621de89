package sandbox

import (
	"github.com/dop251/goja"

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
