package compile

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// Use is a name that a text takes from an npm package. Whether the package has it, only the package
// itself tells.
type Use struct {
	// Module is what the text imports, "zod" or "lodash/fp", Name the export that it takes.
	Module, Name string
	// Refuse says that without it the text can't do what it says: it is imported by its name, or
	// called. Else it is only likely that something is wrong.
	Refuse bool
	// Place is where, without a message.
	Place Note
}

// Missing is the note for a name that the package doesn't have; have are those that it has.
func (u Use) Missing(have []string) Note {
	n := u.Place
	n.Message = missingName(u.Module, u.Name, have)
	return n
}

// examined is what the names of a text tell about it.
type examined struct {
	// refused are the names that modules don't have, warnings what is only likely to be wrong.
	refused, warnings []Note
	// undefined are the names that the warnings of names which nothing defines are about.
	undefined map[Note]string
	// packaged are the names taken from packages.
	packaged []Use
}

// examine looks for names that stand for nothing.
// At most maxNotes are given.
func examine(s Source, tree *ast.Program, siblings []string) examined {
	e := examiner{Source: s, file: tree.File, out: examined{undefined: map[Note]string{}}}
	sc := resolve(tree)
	e.members(sc)
	e.free(sc, siblings)
	e.unused(sc)
	e.out.refused, e.out.warnings = inOrder(e.out.refused), inOrder(e.out.warnings)
	return e.out
}

type examiner struct {
	Source
	file *file.File
	out  examined

	read  bool // the text, for clauses
	found []clause
}

// maxNotes bounds what is said of one text, maxNames the names that one which somebody misspelt is
// compared with: a text may be made to have a great many.
const (
	maxNotes = 100
	maxNames = 2000
)

// full reports whether enough was said.
func (e *examiner) full() bool {
	return len(e.out.refused)+len(e.out.warnings) >= maxNotes || len(e.out.packaged) >= 10*maxNotes
}

func (e *examiner) note(at file.Idx, message string) Note {
	pos := e.file.Position(int(at) - e.file.Base())
	return Note{Message: message, File: e.Name, Line: pos.Line, Column: pos.Column + 1} // mapped columns count from 0
}

// members looks at the names that are taken from modules.
func (e *examiner) members(sc *scopes) {
	type member struct{ module, name string }
	worst := map[member]use{}
	var order []member
	tested := map[member]bool{}
	for _, u := range sc.uses {
		m := member{u.module, u.name}
		if !u.named && u.how == isTested {
			tested[m] = true
		}
		was, known := worst[m]
		if !known {
			order = append(order, m)
		}
		if !known || weight(u) > weight(was) {
			worst[m] = u
		}
	}
	for _, m := range order {
		u := worst[m]
		if (u.named || !tested[m]) && !e.full() {
			e.member(u)
		}
	}
}

// weight orders uses by how certain it is that they need what they name.
func weight(u use) int {
	switch {
	case u.named && u.how != isExported:
		return 3
	case u.how == isCalled:
		return 2
	case u.named:
		return 1
	}
	return 0
}

func (e *examiner) member(u use) {
	refuse := weight(u) > 0
	have, known := e.Kind.names(u.module)
	n := e.note(u.at.Idx0(), "")
	if u.named && !slices.Contains(have, u.name) {
		if at, ok := e.specifier(e.note(u.required.Idx0(), ""), u.module, u.name); ok {
			n.Line, n.Column = at.Line, at.Column
		}
	}
	switch e.Kind.meaningOf(u.module) {
	case packaged:
		if u.how != isExported { // which may be a type
			e.out.packaged = append(e.out.packaged, Use{Module: u.module, Name: u.name, Refuse: refuse, Place: n})
		}
		return
	case refused: // said already
		return
	}
	if !known || slices.Contains(have, u.name) || inherited(u.name) {
		return
	}
	isType := strings.HasPrefix(u.module, "@temporalio/") && isType(u.module, u.name)
	if u.how == isExported && (isType || !e.Kind.isTemporal(u.module)) {
		return
	}
	n.Message = e.missing(u.module, u.name, have)
	if isType && !strings.HasPrefix(u.module, "@temporalio/client") {
		n.Message = fmt.Sprintf("%q is a type of %q: it has no value when the code runs", u.name, u.module)
	}
	if refuse {
		e.out.refused = append(e.out.refused, n)
	} else {
		e.out.warnings = append(e.out.warnings, n)
	}
}

// inherited are the names that every object has.
func inherited(name string) bool {
	switch name {
	case "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf", "__proto__", "__esModule",
		"call", "apply", "bind":
		return true
	}
	return false
}

// missing is missingName for the service's own modules: another one of them may have the name.
func (e *examiner) missing(module, name string, have []string) string {
	if other := e.moduleOf(name); other != "" && e.Kind.isTemporal(other) == e.Kind.isTemporal(module) {
		return fmt.Sprintf("%q has no %q: import it from %q", module, name, other)
	}
	return missingName(module, name, have)
}

// moduleOf gives a module that has a name; empty for none.
func (e *examiner) moduleOf(name string) string {
	for _, m := range e.Kind.Modules() {
		if have, _ := e.Kind.names(m); name != "default" && slices.Contains(have, name) {
			return m
		}
	}
	return ""
}

func missingName(module, name string, have []string) string {
	if name == "default" {
		return fmt.Sprintf("%q has no default export: import what it has by name, import { … } from %[1]q, or all of it, import * as name from %[1]q", module)
	}
	what := fmt.Sprintf("%q has no %q", module, name)
	if other := nearest(name, have); other != "" && other != "default" {
		what += fmt.Sprintf(": did you mean %q?", other)
	}
	return what
}

// free looks at the names that nothing defines.
func (e *examiner) free(sc *scopes, siblings []string) {
	globals := e.Kind.provides().Globals
	if len(globals) == 0 {
		return
	}
	said := map[string]bool{}
	var imported map[string]bool
	for _, id := range sc.free {
		name := id.Name.String()
		if e.full() {
			return
		}
		if said[name] || sc.tested[name] || slices.Contains(globals, name) || slices.Contains(siblings, name) {
			continue
		}
		if imported == nil {
			imported = importedValues(e.Text)
		}
		if imported[name] {
			continue
		}
		said[name] = true
		n := e.note(id.Idx, e.undefined(name, sc))
		e.out.warnings, e.out.undefined[n] = append(e.out.warnings, n), name
	}
}

// definedBy leaves out the warnings of names which the code of packages seems to make globals of.
func (p *Program) definedBy(code string) {
	p.Warnings = slices.DeleteFunc(slices.Clone(p.Warnings), func(n Note) bool {
		name := p.undefined[n]
		if name == "" || !strings.Contains(code, name) {
			return false
		}
		quoted := regexp.QuoteMeta(name)
		return regexp.MustCompile(`\.` + quoted + `\s*=[^=]|["']` + quoted + `["']\s*[,\]:]`).MatchString(code)
	})
}

// undefined says what to do about a name that nothing defines.
func (e *examiner) undefined(name string, sc *scopes) string {
	what := fmt.Sprintf("%s is not defined: the line fails with a ReferenceError when it runs", name)
	if absent[name] != "" {
		return what + "; " + absent[name]
	}
	if m := e.moduleOf(name); m != "" {
		return what + fmt.Sprintf("; import { %s } from %q", name, m)
	}
	if e.Kind == Workflow && slices.Contains(Activity.provides().Globals, name) {
		return what + "; workflows don't have it, call an activity"
	}
	var own []string
	for n := range sc.all {
		own = append(own, n)
	}
	slices.Sort(own)
	own = own[:min(len(own), maxNames)]
	if other := nearest(name, own, e.Kind.provides().Globals); other != "" {
		return what + fmt.Sprintf("; did you mean %s?", other)
	}
	return what
}

// besides drops the notes about places that others are about.
func besides(notes, others []Note) []Note {
	return slices.DeleteFunc(slices.Clone(notes), func(n Note) bool {
		return slices.ContainsFunc(others, func(o Note) bool { return o.Line == n.Line && o.Column == n.Column })
	})
}

// inOrder sorts notes by their places, and drops those that say the same of the same place.
func inOrder(notes []Note) []Note {
	slices.SortStableFunc(notes, func(a, b Note) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
	return slices.Compact(notes)
}
