package compile

import (
	"regexp"
	"strings"
	"unicode/utf16"
)

// comments are blanked within the braces of an import.
var comments = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)

// specifier finds where a text imports a name from a module. esbuild's map leads to the statement only.
func (e *examiner) specifier(statement Note, module, name string) (Note, bool) {
	quoted := regexp.QuoteMeta(module)
	clause := regexp.MustCompile(`\b(?:import|export)\s+(?:([\w$]+)\s*,?\s*)?(?:\{([^}]*)\}\s*)?from\s*(?:"` + quoted + `"|'` + quoted + `')`)
	var best Note
	for _, m := range clause.FindAllStringSubmatchIndex(e.Text, -1) {
		at := -1
		switch {
		case name == "default" && m[2] >= 0:
			at = m[2]
		case m[4] >= 0:
			at = named(e.Text[m[4]:m[5]], name)
			if at >= 0 {
				at += m[4]
			}
		}
		if at < 0 {
			continue
		}
		n := e.placeOf(at)
		first, last := e.placeOf(m[0]).Line, e.placeOf(m[1]).Line
		if first <= statement.Line && statement.Line <= last {
			return n, true // of several statements the one that is meant
		}
		if best.Line == 0 {
			best = n
		}
	}
	return best, best.Line > 0
}

// named gives the index of a name among what is imported: "a, type B, name as c".
func named(list, name string) int {
	list = comments.ReplaceAllStringFunc(list, func(c string) string { return strings.Repeat(" ", len(c)) })
	from := 0
	for item := range strings.SplitSeq(list, ",") {
		first := strings.TrimLeft(item, " \t\r\n")
		word := strings.Trim(strings.Join(strings.Fields(first)[:min(1, len(strings.Fields(first)))], ""), `"'`)
		if word == name {
			return from + len(item) - len(first)
		}
		from += len(item) + 1
	}
	return -1
}

// placeOf counts lines and columns as source maps do.
func (e *examiner) placeOf(at int) Note {
	before := e.Text[:at]
	line := strings.Count(before, "\n")
	start := strings.LastIndexByte(before, '\n') + 1
	return Note{Line: line + 1, Column: len(utf16.Encode([]rune(before[start:]))) + 1}
}
