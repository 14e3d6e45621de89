package builtins

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// inBase is Number.prototype.toString in another base than ten, as V8 writes it: no more digits
// than tell the number from its neighbours, and zeros where it has none to tell.
func inBase(r *goja.Runtime, call goja.FunctionCall, original language.Function) goja.Value {
	n := call.This
	if n == nil || !language.IsNumber(n) || goja.IsUndefined(call.Argument(0)) {
		return original(call)
	}
	x := n.ToFloat()
	if math.IsNaN(x) || math.IsInf(x, 0) || x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		return original(call)
	}
	base := call.Argument(0).ToInteger()
	if base < 2 || base > 36 || base == 10 {
		return original(goja.FunctionCall{This: n, Arguments: []goja.Value{r.ToValue(base)}})
	}
	return r.ToValue(digits(x, int(base)))
}

// parseFloat reads a long text without goja's expression.
func parseFloat(r *goja.Runtime, call goja.FunctionCall, original language.Function) goja.Value {
	if text, ok := call.Argument(0).(goja.String); ok && text.Length() > longNumber {
		return r.ToValue(leadingNumber(text.String()))
	}
	return original(call)
}

func digits(x float64, base int) string {
	const names = "0123456789abcdefghijklmnopqrstuvwxyz"
	size, radix := math.Abs(x), float64(base)
	whole := math.Floor(size)
	rest := size - whole
	near := max((math.Nextafter(size, math.Inf(1))-size)/2, math.SmallestNonzeroFloat64)
	var fraction []int
	for rest >= near {
		rest *= radix
		near *= radix
		digit := int(rest)
		fraction = append(fraction, digit)
		rest -= float64(digit)
		if (rest > 0.5 || rest == 0.5 && digit%2 == 1) && rest+near > 1 {
			whole += float64(carry(&fraction, base))
			break
		}
	}
	var front []byte
	for {
		if _, exponent := math.Frexp(whole / radix); exponent <= 53 {
			break
		}
		whole /= radix
		front = append(front, '0')
	}
	for ok := true; ok; ok = whole > 0 {
		digit := math.Mod(whole, radix)
		front = append(front, names[int(digit)])
		whole = (whole - digit) / radix
	}
	var b strings.Builder
	if x < 0 {
		b.WriteByte('-')
	}
	for i := len(front) - 1; i >= 0; i-- {
		b.WriteByte(front[i])
	}
	if len(fraction) > 0 {
		b.WriteByte('.')
	}
	for _, digit := range fraction {
		b.WriteByte(names[digit])
	}
	return b.String()
}

// carry rounds up the last digit, and gives what is left for the whole part.
func carry(fraction *[]int, base int) int {
	for list := *fraction; len(list) > 0; list = *fraction {
		last := len(list) - 1
		if list[last]+1 < base {
			list[last]++
			return 0
		}
		*fraction = list[:last]
	}
	return 1
}

// longNumber is from which length on parseFloat doesn't look for a number by goja's expression,
// which takes 100 ns for each character.
const longNumber = 10_000

// leadingNumber is the number that a text begins with, as parseFloat reads it.
func leadingNumber(text string) float64 {
	text = strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) && r != '\u0085' || r == '\uFEFF' })
	at := 0
	digits := func() bool {
		from := at
		for at < len(text) && text[at] >= '0' && text[at] <= '9' {
			at++
		}
		return at > from
	}
	if at < len(text) && (text[at] == '+' || text[at] == '-') {
		at++
	}
	if strings.HasPrefix(text[at:], "Infinity") {
		return math.Inf(1 - 2*strings.Count(text[:at], "-"))
	}
	any := digits()
	if at < len(text) && text[at] == '.' {
		at++
		any = digits() || any
	}
	if !any {
		return math.NaN()
	}
	if end := at; at < len(text) && (text[at] == 'e' || text[at] == 'E') {
		if at++; at < len(text) && (text[at] == '+' || text[at] == '-') {
			at++
		}
		if !digits() {
			at = end
		}
	}
	f, _ := strconv.ParseFloat(text[:at], 64) // of what is too large, it gives the infinity
	return f
}
