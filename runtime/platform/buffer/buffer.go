// Package buffer is what Node's Buffer stands on: see runtime/bundle/ts/buffer. What goes through
// all bytes of one is done here in one step; in JavaScript a megabyte takes seconds.
//
// It promises: what is made is claimed from the memory budget before.
package buffer

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"unicode/utf8"

	"github.com/dop251/goja"

	"workflow-worker/runtime/platform"
	"workflow-worker/runtime/sandbox"
)

// Host gives the functions that the bundle of Buffer is given.
func Host(h platform.Host) map[string]any {
	b := buffers{h}
	return map[string]any{
		"encode": b.encode, "write": b.write, "decode": b.decode, "size": b.size,
		"compare": b.compare, "find": b.find, "swap": b.swap,
	}
}

// buffers works for one execution.
type buffers struct{ platform.Host }

// textOf is an argument that is a text.
func textOf(v goja.Value) goja.String {
	text, _ := v.(goja.String)
	if text == nil {
		return goja.StringFromUTF16(nil)
	}
	return text
}

// bytesOf are those of an argument that is a Uint8Array; they are not copied.
func bytesOf(v goja.Value) []byte {
	b, _ := sandbox.Exported[[]byte](v)
	return b
}

// encode is a text as an ArrayBuffer: text, encoding.
func (b buffers) encode(call goja.FunctionCall) goja.Value {
	made, ok := b.encoded(textOf(call.Argument(0)), call.Argument(1).String())
	if !ok {
		return goja.Undefined()
	}
	return platform.Buffer(b, made)
}

// write puts a text where there is room for it, in whole characters, and gives how many bytes that
// were: buffer, text, offset, length, encoding.
func (b buffers) write(call goja.FunctionCall) goja.Value {
	encoding := call.Argument(4).String()
	made, _ := b.encoded(textOf(call.Argument(1)), encoding)
	into := bytesOf(call.Argument(0))
	into = into[min(max(call.Argument(2).ToInteger(), 0), int64(len(into))):]
	into = into[:min(max(call.Argument(3).ToInteger(), 0), int64(len(into)))]
	n := min(len(made), len(into))
	switch {
	case n == len(made):
	case encoding == "utf8":
		for n > 0 && !utf8.RuneStart(made[n]) {
			n--
		}
	case encoding == "utf16le":
		n &^= 1
	}
	return b.VM().Runtime.ToValue(copy(into, made[:n]))
}

// encoded gives the bytes of a text. False: the memory budget has no room for them.
func (b buffers) encoded(text goja.String, encoding string) ([]byte, bool) {
	switch encoding {
	case "hex":
		if !b.VM().Claim(int64(text.Length())) {
			return nil, false
		}
		return hexBytes(text), true
	case "base64":
		if !b.VM().Claim(int64(text.Length())) {
			return nil, false
		}
		return base64Bytes(text), true
	case "latin1":
		if !b.VM().Claim(int64(text.Length())) {
			return nil, false
		}
		octets, _ := sandbox.Octets(text)
		return octets, true
	case "utf16le":
		if !b.VM().Claim(2 * int64(text.Length())) {
			return nil, false
		}
		units := make([]byte, 2*text.Length())
		for i := range text.Length() {
			binary.LittleEndian.PutUint16(units[2*i:], text.CharAt(i))
		}
		return units, true
	}
	s := text.String()
	if !b.VM().Claim(int64(len(s))) {
		return nil, false
	}
	return []byte(s), true
}

// hexBytes reads digits as far as they come in pairs. As in Node, of a character the lower byte
// counts.
func hexBytes(text goja.String) []byte {
	digits, _ := sandbox.Octets(text)
	made := make([]byte, len(digits)/2)
	n, _ := hex.Decode(made, digits[:len(digits)&^1]) // up to what is none
	return made[:n]
}

// base64Bytes reads both alphabets up to the padding, and leaves out what is in neither. Of a
// character the lower byte counts here, too.
func base64Bytes(text goja.String) []byte {
	digits, _ := sandbox.Octets(text)
	if end := bytes.IndexByte(digits, '='); end >= 0 {
		digits = digits[:end]
	}
	kept := digits[:0]
	for _, c := range digits {
		switch {
		case c == '-':
			c = '+'
		case c == '_':
			c = '/'
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '+', c == '/':
		default:
			continue
		}
		kept = append(kept, c)
	}
	if len(kept)%4 == 1 { // six bits are no byte
		kept = kept[:len(kept)-1]
	}
	made := make([]byte, base64.RawStdEncoding.DecodedLen(len(kept)))
	n, _ := base64.RawStdEncoding.Decode(made, kept) // reads all of them
	return made[:n]
}

// decode is bytes as a text: buffer, encoding, start, end.
func (b buffers) decode(call goja.FunctionCall) goja.Value {
	r, from := b.VM().Runtime, bytesOf(call.Argument(0))
	end := min(max(call.Argument(3).ToInteger(), 0), int64(len(from)))
	from = from[min(max(call.Argument(2).ToInteger(), 0), end):end]
	if !b.VM().Claim(2 * int64(len(from))) {
		return goja.Undefined()
	}
	switch call.Argument(1).String() {
	case "hex":
		return r.ToValue(hex.EncodeToString(from))
	case "base64":
		return r.ToValue(base64.StdEncoding.EncodeToString(from))
	case "base64url":
		return r.ToValue(base64.RawURLEncoding.EncodeToString(from))
	case "latin1":
		return sandbox.OfOctets(r, from)
	case "ascii":
		from = slices.Clone(from)
		for i := range from {
			from[i] &= 0x7f
		}
		return r.ToValue(string(from))
	case "utf16le":
		units := make([]uint16, len(from)/2)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(from[2*i:])
		}
		return goja.StringFromUTF16(units)
	}
	return r.ToValue(sandbox.OfUTF8(from))
}

// size is how many bytes a text has in UTF-8.
func (b buffers) size(call goja.FunctionCall) goja.Value {
	return b.VM().Runtime.ToValue(len(textOf(call.Argument(0)).String()))
}

// compare tells the order of two.
func (b buffers) compare(call goja.FunctionCall) goja.Value {
	return b.VM().Runtime.ToValue(bytes.Compare(bytesOf(call.Argument(0)), bytesOf(call.Argument(1))))
}

// find gives where the one is in the other, or -1: buffer, what is looked for, from where, whether
// forward, how many bytes each unit has.
func (b buffers) find(call goja.FunctionCall) goja.Value {
	in, what := bytesOf(call.Argument(0)), bytesOf(call.Argument(1))
	at := int(min(max(call.Argument(2).ToInteger(), 0), int64(len(in))))
	forward := call.Argument(3).ToBoolean()
	var found int
	switch {
	case call.Argument(4).ToInteger() == 2:
		if !b.VM().Claim(int64(len(what)) / 2 * wordBytes) {
			return goja.Undefined()
		}
		found = findUnits(in, what, at, forward)
	case forward:
		if found = bytes.Index(in[at:], what); found >= 0 {
			found += at
		}
	default:
		found = bytes.LastIndex(in[:min(at+len(what), len(in))], what)
	}
	return b.VM().Runtime.ToValue(found)
}

const wordBytes = 8

// findUnits is find for units of two bytes, in a time that grows with the lengths' sum.
func findUnits(in, what []byte, at int, forward bool) int {
	n, m := len(in)/2, len(what)/2
	first, last := at/2, n-m // where it may begin
	if !forward {
		first, last = 0, min(at/2, n-m)
	}
	if m == 0 || first > last {
		return -1
	}
	// Backward all is read from its end.
	unit := func(of []byte, size, i int) uint16 {
		if !forward {
			i = size - 1 - i
		}
		return binary.LittleEndian.Uint16(of[2*i:])
	}
	in, n = in[2*first:2*(last+m)], last+m-first
	// back is how many units still fit when the next one doesn't.
	back := make([]int, m)
	for i, k := 1, 0; i < m; i++ {
		for k > 0 && unit(what, m, i) != unit(what, m, k) {
			k = back[k-1]
		}
		if unit(what, m, i) == unit(what, m, k) {
			k++
		}
		back[i] = k
	}
	for i, k := 0, 0; i < n; i++ {
		for k > 0 && unit(in, n, i) != unit(what, m, k) {
			k = back[k-1]
		}
		if unit(in, n, i) == unit(what, m, k) {
			k++
		}
		if k == m {
			begin := i - m + 1
			if !forward {
				begin = n - 1 - i
			}
			return 2 * (first + begin)
		}
	}
	return -1
}

// swap turns the bytes of each number round: buffer, the number's size.
func (b buffers) swap(call goja.FunctionCall) goja.Value {
	of, size := bytesOf(call.Argument(0)), int(call.Argument(1).ToInteger())
	for size > 0 && len(of) >= size {
		slices.Reverse(of[:size])
		of = of[size:]
	}
	return goja.Undefined()
}
