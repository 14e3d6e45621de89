package compile

import (
	"regexp"
	"strings"
	"unicode/utf16"
)

var (
	// numbered finds what may be a name that esbuild made of another: it gives one that hides
	// another a number.
	numbered  = regexp.MustCompile(`[\pL_$][\pL\pN_$]*\d`)
	nameThere = regexp.MustCompile(`^[\pL_$][\pL\pN_$]*`)
)

// longLine is where a line, that of a packed text, is no longer looked at: each name in it takes as
// long as what comes before.
const longLine = 2000

// renamed are the author's names where esbuild gave others, by their offsets in a program's text.
// Messages say them, as V8's do. The first line has been moved: the map doesn't fit it.
func renamed(s Source, text string, sourceMap []byte) map[int]string {
	if !numbered.MatchString(text) {
		return nil
	}
	m, err := parseMap(string(sourceMap))
	if err != nil {
		return nil
	}
	written := strings.Split(s.Text, "\n")
	names := map[int]string{}
	at, line := 0, 0
	for part := range strings.SplitAfterSeq(text, "\n") {
		line++
		for _, found := range numbered.FindAllStringIndex(part, -1) {
			if line == 1 || found[0] > longLine {
				continue
			}
			column := units(part[:found[0]])
			_, _, from, fromColumn, ok := m.Source(line, column)
			if !ok || from < 1 || from > len(written) || fromColumn > longLine {
				continue
			}
			if strings.TrimSpace(part[:found[0]]) != "" { // the place is this one's, and not that of what comes before
				if _, _, l, c, ok := m.Source(line, column-1); ok && l == from && c == fromColumn {
					continue
				}
			}
			name := nameAt(written[from-1], fromColumn)
			number, ok := strings.CutPrefix(part[found[0]:found[1]], name)
			if ok && name != "" && number != "" && strings.Trim(number, "0123456789") == "" {
				names[at+found[0]] = name
			}
		}
		at += len(part)
	}
	return names
}

// units is a text's length as source maps count it.
func units(s string) int { return len(utf16.Encode([]rune(s))) }

// nameAt is the name that stands in a line.
func nameAt(line string, column int) string {
	at := 0
	for i, r := range line {
		if at == column {
			return nameThere.FindString(line[i:])
		}
		at += utf16.RuneLen(r)
	}
	return ""
}
