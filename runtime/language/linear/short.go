package linear

import (
	"strconv"
	"unsafe"

	"github.com/dop251/goja"
)

// shortText is a text of ASCII that lies behind what tells where it is: both take memory once.
type shortText struct {
	text string
	room [mostShort]byte
}

// mostShort is how long such a text is, at most.
const mostShort = 16

// concise is a text of two parts of ASCII, of which nothing grows so far.
func concise(left, right string) goja.Value {
	length := len(left) + len(right)
	if length == 0 {
		return empty
	}
	if length > mostShort {
		bytes := make([]byte, length)
		copy(bytes[copy(bytes, left):], right)
		return text{bytes: unsafe.String(&bytes[0], length)}.value()
	}
	t := new(shortText)
	copy(t.room[copy(t.room[:], left):], right)
	t.text = unsafe.String(&t.room[0], length)
	return valueOf(kinds.ascii, unsafe.Pointer(&t.text))
}

// concisely is goja's + of a text of ASCII and such a text, or a whole number; false for all others.
func (m *machine) concisely(left string, r *words) bool {
	var digits [20]byte
	var right string
	switch r.kind {
	case kinds.ascii:
		right = *(*string)(r.data)
	case kinds.integer:
		right = unsafe.String(&digits[0], len(strconv.AppendInt(digits[:0], *(*int64)(r.data), 10)))
	default:
		return false
	}
	if len(left) == 0 || len(right) == 0 {
		return false
	}
	m.put(concise(left, right))
	return true
}
