package compile

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	words "workflow-worker/runtime/language/called"
)

// numbered gives what may be a name that esbuild made of another, first one and then the next: it
// gives one that hides another a number. It reads by hand: a regular expression would take as long
// as parsing.
func numbered(text string) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		from, to := -1, -1 // the letter that the name begins with, and the end of its last digit
		for i, r := range text {
			switch {
			case r >= '0' && r <= '9':
				if from >= 0 {
					to = i + 1
				}
				continue
			case r == '_' || r == '$' || unicode.IsLetter(r):
				if from < 0 {
					from = i
				}
				continue
			case r >= utf8.RuneSelf && unicode.IsNumber(r):
				continue
			}
			if to >= 0 && !yield(from, to) {
				return
			}
			from, to = -1, -1
		}
		if to >= 0 {
			yield(from, to)
		}
	}
}

// longLine is where a line, that of a packed text, is no longer looked at: each name in it takes as
// long as what comes before.
const longLine = 2000

// renamed are the author's names where esbuild gave others, by their offsets in a program's text.
// Messages say them, as V8's do. The first line has been moved: the map doesn't fit it.
func renamed(s Source, text string, sourceMap []byte) map[int]string {
	some := false
	for range numbered(text) {
		some = true
		break
	}
	if !some {
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
		for from, to := range numbered(part) {
			if line == 1 || from > longLine {
				continue
			}
			column := units(part[:from])
			_, _, origin, originColumn, ok := m.Source(line, column)
			if !ok || origin < 1 || origin > len(written) || originColumn > longLine {
				continue
			}
			if strings.TrimSpace(part[:from]) != "" { // the place is this one's, and not that of what comes before
				if _, _, l, c, ok := m.Source(line, column-1); ok && l == origin && c == originColumn {
					continue
				}
			}
			name := nameAt(written[origin-1], originColumn)
			number, ok := strings.CutPrefix(part[from:to], name)
			if ok && name != "" && number != "" && strings.Trim(number, "0123456789") == "" {
				names[at+from] = name
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
			return words.Name(line[i:])
		}
		at += utf16.RuneLen(r)
	}
	return ""
}
