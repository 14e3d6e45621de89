package pattern

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Expand replaces \p{…} and \P{…}, which goja takes for ordinary letters, by classes of the characters they stand for; they
// exist with the flag u alone. With the flag m it replaces ^ and $, which goja takes for the ends of lines that \n ends, by
// what stands for all of JavaScript's line ends, \r\n above all. Other expressions are returned as they are.
func Expand(source, flags string) (string, error) {
	properties := strings.Contains(flags, "u") && (strings.Contains(source, `\p`) || strings.Contains(source, `\P`))
	multiline := strings.Contains(flags, "m") && strings.ContainsAny(source, "^$")
	if !properties && !multiline {
		return source, nil
	}
	var b strings.Builder
	inClass := false
	for i := 0; i < len(source); {
		switch c := source[i]; {
		case c == '\\' && properties && i+1 < len(source) && (source[i+1] == 'p' || source[i+1] == 'P'):
			name, after, ok := property(source[i+2:])
			if !ok {
				return "", fmt.Errorf(`Invalid property name: %s`, source[i:min(i+2, len(source))])
			}
			set, err := lookup(name)
			if err != nil {
				return "", err
			}
			writeSet(&b, set, source[i+1] == 'P', inClass)
			i += 2 + after
			continue
		case c == '\\':
			_, size := utf8.DecodeRuneInString(source[min(i+1, len(source)):])
			b.WriteString(source[i : i+1+size])
			i += 1 + size
			continue
		case c == '[' && !inClass:
			inClass = true
			if i+1 < len(source) && source[i+1] == '^' { // not the begin of a line
				b.WriteByte('[')
				i++
			}
		case c == ']':
			inClass = false
		case multiline && !inClass && c == '^':
			b.WriteString(lineBegin)
			i++
			continue
		case multiline && !inClass && c == '$':
			b.WriteString(lineEnd)
			i++
			continue
		}
		b.WriteByte(source[i])
		i++
	}
	return b.String(), nil
}

// The ends of lines, in the places of ^ and $.
const (
	lineBegin = `(?:^|(?<=[\r\u2028\u2029]))`
	lineEnd   = `(?:$|(?=[\r\u2028\u2029]))`
)

// property reads {name} and tells where it ends.
func property(s string) (name string, after int, ok bool) {
	if !strings.HasPrefix(s, "{") {
		return "", 0, false
	}
	end := strings.IndexByte(s, '}')
	if end < 0 {
		return "", 0, false
	}
	return s[1:end], end + 1, true
}

func writeSet(b *strings.Builder, s set, not, inClass bool) {
	switch {
	case !inClass && not:
		b.WriteString("[^")
	case !inClass:
		b.WriteByte('[')
	case not:
		s = s.complement()
	}
	for _, r := range s {
		writeRune(b, r.lo)
		if r.hi > r.lo {
			b.WriteByte('-')
			writeRune(b, r.hi)
		}
	}
	if !inClass {
		b.WriteByte(']')
	}
}

// writeRune avoids everything that means something in a class, and what can't be in a source text.
func writeRune(b *strings.Builder, r rune) {
	if r > 0xffff {
		fmt.Fprintf(b, `\u{%x}`, r)
		return
	}
	fmt.Fprintf(b, `\u%04x`, r)
}
