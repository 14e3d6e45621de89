package compile

import (
	"errors"
	"fmt"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"

	"workflow-worker/runtime/language/linear"
	"workflow-worker/runtime/language/operators"
)

// link makes the program of transformed code: refuses imports that don't exist, finds exports and
// siblings.
func link(s Source, t transformed) (p *Program, err error) {
	defer func() {
		// goja's compiler panics on what it doesn't support; no text may end the process.
		if r := recover(); r != nil {
			p, err = nil, &Error{File: s.Name, Message: fmt.Sprintf("unsupported code: %v", r)}
		}
	}()
	tree, err := parse(s, t, nil)
	if err != nil {
		return nil, err
	}
	found := inspect(tree)
	var siblings []string
	if s.Kind == Workflow {
		siblings = found.siblings()
	}
	if s.since("2") {
		inlineAmbient(s, tree, found.declared)
	}
	names := examine(s, tree, siblings)
	names.warnings = inOrder(append(names.warnings, t.Warnings...))
	packages, wrong := importsOf(s, tree, found)
	if wrong = append(wrong, refuseAbsent(s, tree, found.declared)...); len(wrong) > 0 {
		warnings := besides(names.warnings, wrong)
		return nil, firstOf(inOrder(append(wrong, names.refused...)), warnings)
	}
	defer func() {
		if bad, ok := errors.AsType[*Error](err); ok {
			bad.More, bad.Warnings = append(bad.More, names.refused...), names.warnings
		}
	}()
	if len(siblings) > 0 {
		if tree, err = parse(s, t, siblings); err != nil {
			return nil, err
		}
		if s.since("2") {
			inlineAmbient(s, tree, found.declared)
		}
	}
	if s.since("2") {
		propertiesFirst(tree)
		handOn(tree, t.Code)
	}
	assignCaught(tree)
	if err := disguiseRegExps(s.Name, tree); err != nil {
		return nil, err
	}
	if at, err := operators.Rewrite(tree, t.Code); err != nil {
		pos := tree.File.Position(int(at) - tree.File.Base())
		return nil, &Error{File: s.Name, Line: pos.Line, Column: pos.Column + 1, Message: err.Error()} // mapped columns count from 0
	}
	js, err := goja.CompileAST(tree, false)
	if err != nil {
		return nil, compileError(s, err)
	}
	return &Program{
		Name: s.Name, Kind: s.Kind, JS: linear.Tune(js), Exports: found.exports(), Siblings: siblings, imported: packages,
		WantsOwnBuiltins: wantsOwnBuiltins(s.Text) || found.takesMore(),
		Refused:          names.refused, Warnings: names.warnings, Uses: names.packaged, undefined: names.undefined,
	}, nil
}

// importsOf refuses imports that stand for nothing, and gives those of npm packages.
func importsOf(s Source, tree *ast.Program, f *found) (packages []imported, wrong []Note) {
	for _, im := range f.imports {
		pos := tree.File.Position(int(im.at) - tree.File.Base())
		im.line, im.column = pos.Line, pos.Column+1 // goja counts mapped columns from 0
		switch s.Kind.meaningOf(im.module) {
		case refused:
			wrong = append(wrong, im.error(s.Name, s.Kind.Refusal(im.module)).note())
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
	module       string
	at           file.Idx
	line, column int
}

func (im imported) error(file, message string) *Error {
	return &Error{File: file, Line: im.line, Column: im.column, Message: message}
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
