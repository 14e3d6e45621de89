package pattern

import (
	"strconv"
	"strings"
	"unicode/utf16"
)

// disguised is how the disguise of an expression begins. No expression that somebody writes does.
const disguised = "\x01"

// native are the flags that goja knows.
const native = Global | IgnoreCase | Multiline | DotAll | Unicode | Sticky

// Disguise makes of an expression one that goja takes for mere letters, whatever it is, and flags
// that goja knows: so that an object of goja's can stand for an expression that goja would refuse
// or match otherwise. Reveal reads it back.
func Disguise(source []uint16, flags Flags) (text, nativeFlags string) {
	var b strings.Builder
	b.Grow(len(source) + 16)
	b.WriteString(disguised)
	b.WriteString(flags.String())
	b.WriteString(disguised)
	for _, c := range source {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == ' ':
			b.WriteByte(byte(c))
		case c < 256:
			b.WriteByte('_')
			b.WriteByte(hexDigits[c>>4])
			b.WriteByte(hexDigits[c&15])
		default:
			b.WriteString("__")
			for shift := 12; shift >= 0; shift -= 4 {
				b.WriteByte(hexDigits[c>>shift&15])
			}
		}
	}
	return b.String(), (flags & native).String()
}

const hexDigits = "0123456789abcdef"

// Reveal gives the expression that a disguise stands for.
func Reveal(text string) (source []uint16, flags string, ok bool) {
	rest, ok := strings.CutPrefix(text, disguised)
	if !ok {
		return nil, "", false
	}
	flags, rest, ok = strings.Cut(rest, disguised)
	if !ok {
		return nil, "", false
	}
	source = make([]uint16, 0, len(rest))
	for i := 0; i < len(rest); {
		if rest[i] != '_' {
			source = append(source, uint16(rest[i]))
			i++
			continue
		}
		from, digits := i+1, 2
		if from < len(rest) && rest[from] == '_' {
			from, digits = i+2, 4
		}
		if from+digits > len(rest) {
			return nil, "", false
		}
		c, err := strconv.ParseUint(rest[from:from+digits], 16, 16)
		if err != nil {
			return nil, "", false
		}
		source = append(source, uint16(c))
		i = from + digits
	}
	return source, flags, true
}

// DisguiseLiteral is Disguise for the source of a literal, which it checks.
func DisguiseLiteral(source, flags string) (text, nativeFlags string, err error) {
	units := utf16.Encode([]rune(source))
	p, err := Compiled(units, flags)
	if err != nil {
		return "", "", err
	}
	text, nativeFlags = Disguise(units, p.Flags)
	return text, nativeFlags, nil
}

// EscapedSource is what RegExp.prototype.source shows: what between two slashes is the expression.
func EscapedSource(source []uint16) []uint16 {
	if len(source) == 0 {
		return utf16.Encode([]rune("(?:)"))
	}
	out := make([]uint16, 0, len(source))
	inClass := false
	for i := 0; i < len(source); i++ {
		c := source[i]
		if c == '\\' && i+1 < len(source) {
			i++
			if escape := lineEndEscape(source[i]); escape != "" {
				out = append(out, utf16.Encode([]rune(escape))...)
				continue
			}
			out = append(out, c, source[i])
			continue
		}
		switch {
		case c == '[':
			inClass = true
		case c == ']':
			inClass = false
		case c == '/' && !inClass:
			out = append(out, '\\')
		}
		if escape := lineEndEscape(c); escape != "" {
			out = append(out, utf16.Encode([]rune(escape))...)
			continue
		}
		out = append(out, c)
	}
	return out
}

func lineEndEscape(c uint16) string {
	switch c {
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case 0x2028:
		return `\u2028`
	case 0x2029:
		return `\u2029`
	}
	return ""
}
