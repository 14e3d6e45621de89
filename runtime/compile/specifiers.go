package compile

import (
	"regexp"
	"strings"
	"unicode/utf16"
)

var (
	// comments are blanked within the braces of an import.
	comments = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)
	// clauses are what imports and exports of names, and of a default, look like.
	clauses = regexp.MustCompile(`\b(?:import|export)\s+(?:([\w$]+)\s*,?\s*)?(?:\{([^}]*)\}\s*)?from\s*["']([^"'\n]+)["']`)
)

// clause is one import or export of a text.
type clause struct {
	at          []int // the submatches of clauses
	first, last int   // lines
}

// clauses gives the imports and exports of the text, which is read once for them.
func (e *examiner) clauses() []clause {
	if e.read {
		return e.found
	}
	e.read = true
	for _, at := range clauses.FindAllStringSubmatchIndex(e.Text, maxNotes) {
		first := e.placeOf(at[0]).Line
		e.found = append(e.found, clause{at, first, first + strings.Count(e.Text[at[0]:at[1]], "\n")})
	}
	return e.found
}

// specifier finds where a text imports a name from a module. esbuild's map leads to the statement
// only.
func (e *examiner) specifier(statement Note, module, name string) (Note, bool) {
	best := -1
	for _, c := range e.clauses() {
		m, at := c.at, -1
		switch {
		case e.Text[m[6]:m[7]] != module:
		case name == "default" && m[2] >= 0:
			at = m[2]
		case m[4] >= 0:
			if at = named(e.Text[m[4]:m[5]], name); at >= 0 {
				at += m[4]
			}
		}
		if at < 0 {
			continue
		}
		if c.first <= statement.Line && statement.Line <= c.last {
			return e.placeOf(at), true // of several statements the one that is meant
		}
		if best < 0 {
			best = at
		}
	}
	if best < 0 {
		return Note{}, false
	}
	return e.placeOf(best), true
}

// named gives the index of a name among what is imported: "a, type B, name as c".
func named(list, name string) int {
	list = blanked(list)
	from := 0
	for item := range strings.SplitSeq(list, ",") {
		words := strings.Fields(item)
		if len(words) > 0 && strings.Trim(words[0], `"'`) == name {
			return from + strings.Index(item, words[0])
		}
		from += len(item) + 1
	}
	return -1
}

// blanked has blanks for comments.
func blanked(list string) string {
	return comments.ReplaceAllStringFunc(list, func(c string) string { return strings.Repeat(" ", len(c)) })
}

// placeOf counts lines and columns as source maps do.
func (e *examiner) placeOf(at int) Note {
	before := e.Text[:at]
	line := strings.Count(before, "\n")
	start := strings.LastIndexByte(before, '\n') + 1
	return Note{Line: line + 1, Column: len(utf16.Encode([]rune(before[start:]))) + 1}
}
