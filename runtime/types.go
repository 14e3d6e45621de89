package runtime

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// workflowExport says which export the row's own name starts: the default one; else the one named like the kebab name in
// camelCase, PascalCase or snake_case, with or without "Workflow" behind; else the only one. functions are the names of the
// exported functions.
func workflowExport(kebab string, functions []string) (string, error) {
	if slices.Contains(functions, "default") {
		return "default", nil
	}
	for _, name := range spellings(kebab) {
		if slices.Contains(functions, name) {
			return name, nil
		}
	}
	switch len(functions) {
	case 1:
		return functions[0], nil
	case 0:
		return "", fmt.Errorf("no function is exported: %q needs one", kebab)
	}
	return "", fmt.Errorf("which function %q starts is unclear: export one of %s as default, or name it %s",
		kebab, strings.Join(functions, ", "), camel(words(kebab)))
}

// spellings are the names that an author may give the function of a row, best first.
func spellings(kebab string) []string {
	w := words(kebab)
	var out []string
	for _, name := range []string{kebab, camel(w), pascal(w), strings.Join(w, "_")} {
		suffix := "Workflow"
		if strings.Contains(name, "_") {
			suffix = "_workflow"
		}
		out = append(out, name, name+suffix)
	}
	return out
}

// words splits a name at hyphens, underscores, spaces and dots, in lower case.
func words(name string) []string {
	return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func pascal(words []string) string {
	var b strings.Builder
	for _, w := range words {
		r := []rune(w)
		b.WriteRune(unicode.ToUpper(r[0]))
		b.WriteString(string(r[1:]))
	}
	return b.String()
}

func camel(words []string) string {
	p := []rune(pascal(words))
	if len(p) > 0 {
		p[0] = unicode.ToLower(p[0])
	}
	return string(p)
}
