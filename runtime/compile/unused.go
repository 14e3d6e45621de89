package compile

import (
	"iter"
	"regexp"
	"slices"
	"strings"
)

// importClause is an import of names, at the beginning of a text.
var importClause = regexp.MustCompile(`^import\s+(?:[\w$]+\s*,\s*)?\{([^}]*)\}\s*from\s*["']([^"'\n]+)["']`)

// maxClause bounds how long an import may be to be looked at for names that aren't used.
const maxClause = 16 << 10

// unused warns of names that are imported from Temporal's modules, which don't have them, not even
// as types, and that no value is taken of: esbuild leaves such imports out, so that nothing fails.
// The text is read for it as checkLimits does.
func (e *examiner) unused(sc *scopes) {
	for i := range importsIn(e.Text) {
		if m := importClause.FindStringSubmatchIndex(e.Text[i:min(len(e.Text), i+maxClause)]); m != nil {
			e.unusedOf(sc, e.Text[i+m[4]:i+m[5]], i+m[2], i+m[3])
		}
		if e.full() {
			return
		}
	}
}

// importsIn gives the places where imports begin, the first maxNotes.
func importsIn(text string) iter.Seq[int] {
	return func(yield func(int) bool) {
		tried := 0
		for i := 0; i < len(text) && tried < maxNotes; i++ {
			switch text[i] {
			case '"', '\'', '`':
				i = skipString(text, i)
			case '\\':
				i++
			case '/':
				i = skipComment(text, i)
			case 'i':
				if i > 0 && strings.IndexByte(" \t\r\n;}/", text[i-1]) < 0 || !strings.HasPrefix(text[i:], "import") {
					continue
				}
				tried++
				if !yield(i) {
					return
				}
			}
		}
	}
}

// importedNames is what an import binds, without the module.
var importedNames = regexp.MustCompile(`^import\b([^"';=]*?)(?:\bfrom\s*["']|=)`)

// importedValues gives the names that a text imports as values. esbuild leaves an import out of
// which only code that never runs takes a value: after a return, in if (false).
func importedValues(text string) map[string]bool {
	names := map[string]bool{}
	for i := range importsIn(text) {
		m := importedNames.FindStringSubmatch(text[i:min(len(text), i+maxClause)])
		if m == nil {
			continue
		}
		outer, braces, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(blanked(m[1])), "}"), "{")
		if words := strings.Fields(outer); len(words) > 0 && words[0] == "type" && (len(words) > 1 || braces != "") {
			continue
		}
		for item := range strings.SplitSeq(outer+","+braces, ",") {
			words := strings.Fields(item)
			if n := len(words); n > 0 && (n == 1 || words[n-2] == "as") && !(words[0] == "type" && n > 3) {
				names[words[n-1]] = true
			}
		}
	}
	return names
}

func (e *examiner) unusedOf(sc *scopes, module string, from, to int) {
	have, known := e.Kind.names(module)
	if !known || !e.Kind.isTemporal(module) {
		return
	}
	for item := range strings.SplitSeq(blanked(e.Text[from:to]), ",") {
		if e.full() {
			return
		}
		words := strings.Fields(item)
		if len(words) == 0 || words[0] == "type" && len(words) > 1 && words[1] != "as" {
			from += len(item) + 1
			continue
		}
		name := words[0]
		at := from + strings.Index(item, name)
		from += len(item) + 1
		taken := slices.ContainsFunc(sc.uses, func(u use) bool { return u.named && u.module == module && u.name == name })
		if taken || slices.Contains(have, name) || isType(module, name) {
			continue
		}
		n := e.placeOf(at)
		n.File, n.Message = e.Name, missingName(module, name, append(slices.Clone(have), provides().Types...))
		e.out.warnings = append(e.out.warnings, n)
	}
}
