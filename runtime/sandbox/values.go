package sandbox

import (
	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// Exported is language.Exported.
func Exported[T any](value goja.Value) (T, bool) { return language.Exported[T](value) }

// Octets is language.Octets.
func Octets(text goja.String) (b []byte, fits bool) { return language.Octets(text) }

// OfOctets is language.OfOctets.
func OfOctets(r *goja.Runtime, b []byte) goja.Value { return language.OfOctets(r, b) }

// OfUTF8 is language.OfUTF8.
func OfUTF8(b []byte) string { return language.OfUTF8(b) }
