package inspect

import (
	"errors"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

const (
	maxFormatted = 8 << 10 // bytes of one console line
	maxDepth     = 2       // of objects within objects that a console line shows
)

// Inspector shows the values of one runtime.
type Inspector struct {
	Host language.Host
	// CleanStack is an error's stack with the author's frames alone.
	CleanStack func(stack string) string
	// JSON is JSON.stringify; a value without JSON is an error that wraps
	// language.ErrNotConvertible.
	JSON func(value goja.Value) (string, error)
}

// Format makes one line of console.log's arguments: %s, %d, %i, %f, %j, %o, %O and %c in a leading
// string are filled in, the rest follows after spaces; strings as they are, other values as Node
// shows them, but all in one line. It is cut at 8 KiB. It must be called where JavaScript may run.
func (in *Inspector) Format(args []goja.Value) string { return in.FormatDepth(args, maxDepth) }

// FormatDepth is Format that shows so many levels of objects within objects.
func (in *Inspector) FormatDepth(args []goja.Value, depth int) string {
	i := inspection{in: in, depth: depth}
	if len(args) > 1 {
		if s, ok := stringOf(args[0]); ok {
			args = i.fill(s, args[1:])
			if len(args) > 0 {
				i.write(" ")
			}
		}
	}
	for n, a := range args {
		if n > 0 {
			i.write(" ")
		}
		if s, ok := stringOf(a); ok {
			i.write(s)
		} else {
			i.value(a, 0)
		}
		if i.full() {
			break
		}
	}
	s := string(i.out)
	if len(s) > maxFormatted {
		s = strings.ToValidUTF8(s[:maxFormatted], "") + "…"
	}
	return s
}

// Inspect shows a value as util.inspect does, with so many levels of objects within it.
func (in *Inspector) Inspect(value goja.Value, depth int) string {
	i := inspection{in: in, depth: depth}
	i.value(value, 0)
	return strings.ToValidUTF8(string(i.out[:min(len(i.out), maxFormatted)]), "")
}

func stringOf(a goja.Value) (string, bool) {
	s, ok := a.(goja.String)
	if !ok {
		return "", false
	}
	return s.String(), true
}

// fill fills the verbs of a format and gives the arguments left.
func (i *inspection) fill(format string, args []goja.Value) []goja.Value {
	for at := 0; at < len(format); at++ {
		if format[at] != '%' || at+1 == len(format) {
			i.out = append(i.out, format[at])
			continue
		}
		verb := format[at+1]
		if verb == '%' {
			i.write("%")
			at++
			continue
		}
		if len(args) == 0 || !strings.ContainsRune("sdifjoOc", rune(verb)) {
			i.write("%")
			continue
		}
		i.verb(verb, args[0])
		args, at = args[1:], at+1
	}
	return args
}

func (i *inspection) verb(verb byte, a goja.Value) {
	switch verb {
	case 's':
		i.asText(a)
	case 'd', 'i', 'f':
		i.write(asNumber(verb, a))
	case 'j':
		i.asJSON(a)
	case 'o':
		deeper := inspection{in: i.in, out: i.out, depth: 4}
		deeper.value(a, 0)
		i.out = deeper.out
	case 'O':
		i.value(a, 0)
	}
}

// asText is %s: String(a), but an object without a toString of its author's is shown with nothing
// in it.
func (i *inspection) asText(a goja.Value) {
	o, ok := a.(*goja.Object)
	if !ok {
		if s, ok := stringOf(a); ok {
			i.write(s)
		} else {
			i.primitive(a)
		}
		return
	}
	if canBeCalled(o) {
		i.write(o.String())
		return
	}
	if f, ok := o.Get("toString").(*goja.Object); ok && o.ClassName() != "Error" && !strings.Contains(f.String(), "[native code]") {
		i.write(o.String())
		return
	}
	flat := inspection{in: i.in, out: i.out}
	flat.value(a, 0)
	i.out = flat.out
}

var (
	leadingInteger = regexp.MustCompile(`^\s*[+-]?\d+`)
	leadingFloat   = regexp.MustCompile(`^\s*[+-]?(Infinity|\d+\.?\d*(e[+-]?\d+)?|\.\d+(e[+-]?\d+)?)`)
)

func asNumber(verb byte, a goja.Value) string {
	if _, ok := a.(*goja.Symbol); ok {
		return "NaN"
	}
	if b, ok := language.Exported[*big.Int](a); ok && verb != 'f' {
		return b.String() + "n"
	}
	if _, ok := a.(*goja.Object); ok && verb == 'd' {
		return "NaN"
	}
	switch verb {
	case 'i':
		return parsed(leadingInteger, a)
	case 'f':
		return parsed(leadingFloat, a)
	}
	if f := a.ToFloat(); f == 0 && math.Signbit(f) {
		return "-0"
	}
	return a.ToNumber().String()
}

func parsed(number *regexp.Regexp, a goja.Value) string {
	found := strings.TrimSpace(number.FindString(a.String()))
	f, err := strconv.ParseFloat(found, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return "NaN"
	}
	return numberText(f)
}

func (i *inspection) asJSON(a goja.Value) {
	text, err := i.in.JSON(a)
	switch {
	case err == nil:
		i.write(text)
	case strings.Contains(err.Error(), "circular"):
		i.write("[Circular]")
	case errors.Is(err, language.ErrNotConvertible):
		i.write("undefined")
	}
}
