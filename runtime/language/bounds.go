package language

import (
	"fmt"

	"github.com/dop251/goja"
)

const (
	// ItemSize is what an element of an array takes, in bytes.
	ItemSize = 16
	// Looked is after how many values it is asked whether the time is over.
	Looked = 256
	// MaxCompared is how long a text may be that is compared by a language's order, which has keys
	// for each character.
	MaxCompared = 512 << 10
)

// CheckBytes throws a RangeError if one call would take too much, and notes what it takes. goja
// can't be interrupted inside a builtin and has no memory limit, so one call must not take it all.
func CheckBytes(h Host, name string, bytes float64) {
	Bound(h, name, bytes)
	if bytes > 0 {
		h.Handed(int64(bytes))
	}
}

// Bound throws a RangeError if one call would take too much.
func Bound(h Host, name string, bytes float64) {
	if most := h.Limits().Bytes; bytes > float64(most) {
		Throw(h, "RangeError", fmt.Sprintf("%s would take %.0f bytes; the limit for one call is %d", name, bytes, most))
	}
}

// Growth is for a call that makes little by little what it makes.
type Growth struct{ noted float64 }

// notedAtOnce is how much that must be to be noted: what is less takes the time by which it is told.
const notedAtOnce = 64 << 10

// Check is CheckBytes of all that was made so far. It notes what has come since it last did.
func (g *Growth) Check(h Host, name string, bytes float64) {
	Bound(h, name, bytes)
	if more := bytes - g.noted; more >= notedAtOnce {
		g.noted = bytes
		h.Handed(int64(more))
	}
}

// CheckText throws a RangeError for a text that is too long.
func CheckText(h Host, name string, text goja.String, most int) {
	if text.Length() > most {
		Throw(h, "RangeError", fmt.Sprintf("%s of a text of %d characters; the limit is %d", name, text.Length(), most))
	}
}

// CheckLength throws if an object's length is more than one call may go through.
func CheckLength(h Host, name string, items goja.Value) {
	o, ok := items.(*goja.Object)
	if !ok {
		return
	}
	length := o.Get("length")
	if length == nil {
		return
	}
	if bytes := ItemSize * length.ToFloat(); bytes > float64(h.Limits().Bytes) {
		CheckBytes(h, name, bytes)
	}
}
