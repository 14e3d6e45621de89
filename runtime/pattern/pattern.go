package pattern

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Expand replaces \p{…} and \P{…}, which goja takes for ordinary letters, by classes of the characters they stand for. They
// exist with the flag u alone; other expressions are returned as they are.
func Expand(source, flags string) (string, error) {
	if !strings.Contains(flags, "u") || !strings.Contains(source, `\p`) && !strings.Contains(source, `\P`) {
		return source, nil
	}
	var b strings.Builder
	inClass := false
	for i := 0; i < len(source); {
		switch c := source[i]; {
		case c == '\\' && i+1 < len(source) && (source[i+1] == 'p' || source[i+1] == 'P'):
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
		case c == '[':
			inClass = true
		case c == ']':
			inClass = false
		}
		b.WriteByte(source[i])
		i++
	}
	return b.String(), nil
}

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
