package build

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// exportOf says which export the row's own name means: the default one; else the one named like the
// row in camelCase, PascalCase or snake_case, with or without "Workflow" behind; else the only one.
// functions are the names of the exported functions. Of several that fit equally none is meant, and
// unclear says so: all the same each of them is served under its own name.
func exportOf(row string, functions []string) (export, unclear string, err error) {
	if slices.Contains(functions, "default") {
		return "default", "", nil
	}
	for _, name := range spellings(row) {
		if slices.Contains(functions, name) {
			return name, "", nil
		}
	}
	switch len(functions) {
	case 1:
		return functions[0], "", nil
	case 0:
		return "", "", fmt.Errorf("no function is exported: %q needs one", row)
	}
	unclear = fmt.Sprintf("which function %q starts is unclear: export one of %s as default", row, strings.Join(functions, ", "))
	if name := camel(words(row)); name != "" {
		unclear += ", or name it " + name
	}
	return "", unclear + "; each is served under its own name", nil
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
