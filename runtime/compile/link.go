package compile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"

	"workflow-worker/runtime/language/linear"
	"workflow-worker/runtime/language/operators"
)

// learned is what a text alone tells of its module. Whoever transforms the text finds it out; who
// makes the program of it needn't again.
type learned struct {
	Exports  []Export
	Siblings []string
	// Imported are the npm packages.
	Imported         []imported
	WantsOwnBuiltins bool
	Quiet            bool
	Refused          []Note
	Warnings         []Note
	Uses             []Use
	Undefined        map[Note]string // see examined
}

// learn looks at transformed code: it refuses imports that don't exist, finds exports and siblings.
// The tree is that which was looked at.
func learn(s Source, t transformed) (l learned, tree *ast.Program, err error) {
	defer unsupported(s, &err)
	if tree, err = parse(s, t, nil); err != nil {
		return l, nil, err
	}
	found := inspect(tree)
	if s.Kind == Workflow {
		l.Siblings = found.siblings()
	}
	if s.since("2") {
		inlineAmbient(s, tree, found.declared)
	}
	names := examine(s, tree, l.Siblings)
	names.warnings = inOrder(append(names.warnings, t.Warnings...))
	packages, wrong := importsOf(s, tree, found)
	if wrong = append(wrong, refuseAbsent(s, t.Code, tree, found.declared)...); len(wrong) > 0 {
		warnings := besides(names.warnings, wrong)
		return l, nil, firstOf(inOrder(append(wrong, names.refused...)), warnings)
	}
	l.Exports, l.Imported = found.exports(), packages
	l.WantsOwnBuiltins = wantsOwnBuiltins(s.Text) || found.takesMore()
	l.Quiet = quiet(s.Kind, tree)
	l.Refused, l.Warnings, l.Uses, l.Undefined = names.refused, names.warnings, names.packaged, names.undefined
	return l, tree, nil
}

// link makes what runs of transformed code. tree is the code's, as learn left it; nil to have it
// parsed.
func link(s Source, t transformed, tree *ast.Program) (js *goja.Program, err error) {
	l := t.Learned
	defer func() {
		if bad, ok := errors.AsType[*Error](err); ok {
			bad.More, bad.Warnings = append(bad.More, l.Refused...), l.Warnings
		}
	}()
	defer unsupported(s, &err)
	if tree == nil || len(l.Siblings) > 0 {
		if tree, err = parse(s, t, l.Siblings); err != nil {
			return nil, err
		}
		if s.since("2") && mayDeclare(s.Text) {
			inlineAmbient(s, tree, inspect(tree).without(l.Siblings).declared)
		}
	}
	// Each goes through the whole tree: only where a word says that there may be something to do.
	if s.since("2") {
		if strings.Contains(t.Code, "constructor") {
			propertiesFirst(tree)
		}
		handOn(tree, t.Code)
	}
	if strings.Contains(t.Code, "catch") {
		assignCaught(tree)
	}
	if err := disguiseRegExps(s.Name, tree); err != nil {
		return nil, err
	}
	if at, err := operators.Rewrite(tree, t.Code); err != nil {
		pos := tree.File.Position(int(at) - tree.File.Base())
		return nil, &Error{File: s.Name, Line: pos.Line, Column: pos.Column + 1, Message: err.Error()} // mapped columns count from 0
	}
	if js, err = goja.CompileAST(tree, false); err != nil {
		return nil, compileError(s, err)
	}
	if operators.Signed(t.Code) {
		return linear.TuneSigned(js), nil
	}
	return linear.Tune(js), nil
}

// unsupported makes an error of a panic: goja's compiler panics on what it doesn't support, and no
// text may end the process.
func unsupported(s Source, err *error) {
	if r := recover(); r != nil {
		*err = &Error{File: s.Name, Message: fmt.Sprintf("unsupported code: %v", r)}
	}
}

// importsOf refuses imports that stand for nothing, and gives those of npm packages.
func importsOf(s Source, tree *ast.Program, f *found) (packages []imported, wrong []Note) {
	for _, im := range f.imports {
		pos := tree.File.Position(int(im.at) - tree.File.Base())
		im.Line, im.Column = pos.Line, pos.Column+1 // goja counts mapped columns from 0
		switch s.Kind.meaningOf(im.Module) {
		case refused:
			wrong = append(wrong, im.error(s.Name, s.Kind.Refusal(im.Module)).note())
		case packaged:
			packages = append(packages, im)
		}
	}
	return packages, wrong
}

// compileError is for text that goja parses and can't compile.
func compileError(s Source, err error) error {
	e := &Error{File: s.Name, Message: err.Error()}
	if c, ok := errors.AsType[*goja.CompilerSyntaxError](err); ok {
		e.Message = c.Message
		if c.File != nil {
			pos := c.File.Position(c.Offset)
			e.Line, e.Column = pos.Line, pos.Column+1 // goja counts mapped columns from 0
		}
	}
	return e
}

// Is says what an export is known to be from the text alone.
type Is string

// What an export may be known to be.
const (
	Function Is = "function"
	Value    Is = "value" // certainly no function
	Unknown  Is = "unknown"
)

// Export is one name that a module exports.
type Export struct {
	// Name is the export's name, "default" for the default one.
	Name string
	Is   Is // as far as the text tells
}

// found is what a program's tree says of its module.
type found struct {
	imports  []imported
	exported []exported
	// declared are all names that are bound anywhere in the module, with what they are where they
	// are bound to it.
	declared map[string]Is
	// aliases are names that only stand for another: esbuild makes `var x_default = run` of `export
	// default run`.
	aliases map[string]string
	// started are the names passed to startChild or executeChild.
	started []string
	// open is set by `export * from` and by assignments to module.exports: there are exports that
	// no name tells.
	open bool
}

type imported struct {
	Module       string
	Line, Column int
	at           file.Idx
}

func (im imported) error(file, message string) *Error {
	return &Error{File: file, Line: im.Line, Column: im.Column, Message: message}
}

type exported struct{ name, local string }

// exports gives the exports in the order of the code, which esbuild sorts by name.
func (f *found) exports() []Export {
	var out []Export
	for _, x := range f.exported {
		local := x.local
		if same, ok := f.aliases[local]; ok {
			local = same
		}
		is, ok := f.declared[local]
		if !ok {
			is = Unknown
		}
		out = append(out, Export{x.name, is})
	}
	if f.open {
		out = append(out, Export{"*", Unknown})
	}
	return out
}

// without forgets the functions that stand for siblings: the author's text has no such names.
func (f *found) without(siblings []string) *found {
	for _, n := range siblings {
		delete(f.declared, n)
	}
	return f
}

// siblings gives the names that are started as children and bound nowhere.
func (f *found) siblings() []string {
	var out []string
	seen := map[string]bool{}
	for _, n := range f.started {
		if _, bound := f.declared[n]; !bound && !seen[n] && n != "undefined" {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}
