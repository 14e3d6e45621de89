package compile

import (
	"regexp"
	"slices"
	"strings"
)

// importClause is an import of names, at the beginning of a text.
var importClause = regexp.MustCompile(`^import\s+(?:[\w$]+\s*,\s*)?\{([^}]*)\}\s*from\s*["']([^"'\n]+)["']`)

// maxClause bounds how long an import may be to be looked at for names that aren't used.
const maxClause = 16 << 10

// unused warns of names that are imported from Temporal's modules, which don't have them, not even as types, and that no value is taken
// of: esbuild leaves such imports out, so that nothing fails. The text is read for it as checkLimits does.
func (e *examiner) unused(sc *scopes) {
	tried := 0
	for i := 0; i < len(e.Text) && tried < maxNotes && !e.full(); i++ {
		switch e.Text[i] {
		case '"', '\'', '`':
			i = skipString(e.Text, i)
		case '\\':
			i++
		case '/':
			i = skipComment(e.Text, i)
		case 'i':
			if i > 0 && strings.IndexByte(" \t\r\n;}/", e.Text[i-1]) < 0 || !strings.HasPrefix(e.Text[i:], "import") {
				continue
			}
			tried++
			if m := importClause.FindStringSubmatchIndex(e.Text[i:min(len(e.Text), i+maxClause)]); m != nil {
				e.unusedOf(sc, e.Text[i+m[4]:i+m[5]], i+m[2], i+m[3])
				i += m[1] - 1
			}
		}
	}
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
