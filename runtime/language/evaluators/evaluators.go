package evaluators

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/parser"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/keywords"
	"workflow-worker/runtime/language/linear"
	"workflow-worker/runtime/language/operators"
	"workflow-worker/runtime/language/regexp"
)

// maxEvaluated is how long a text may be that code makes a program of while it runs. goja parses in
// this process, recurses with the text's nesting, and can't be interrupted: 128 KB of "[" take it
// 500 MB of stack and 3 MB end the process; a chain of "||" takes time that grows with its length's
// square, 20 s for 128 KB. A text of this length costs some milliseconds at worst.
const maxEvaluated = 4 << 10

// evaluators are the builtins that make programs of texts.
var evaluators = sync.OnceValues(func() (*goja.Program, error) {
	return goja.Compile(language.Internal+"evaluators>", `[eval, Function, (async function () {}).constructor, (function* () {}).constructor]`, true)
})

// Options of a runtime's evaluators.
type Options struct {
	// Probe says whether a long text can be parsed without harm. Nil: none can, beyond 4 KiB.
	Probe func(text string) error
	// RegExps disguise what literals a text has.
	RegExps *regexp.RegExps
	// Define puts a global in its place.
	Define func(name string, value *goja.Object) error
}

// Guard puts functions in front of eval and the constructors of functions that look at the length
// of texts. It can't wait for code to name them: every function leads to its constructor. Calls of
// eval become indirect by it: they see globals, not the caller's variables.
func Guard(h language.Host, o Options) error {
	p, err := evaluators()
	if err != nil {
		return fmt.Errorf("compile the evaluators: %w", err)
	}
	list, err := h.Runtime().RunProgram(p)
	if err != nil {
		return fmt.Errorf("find the evaluators: %w", err)
	}
	at := func(i string) *goja.Object { return list.ToObject(h.Runtime()).Get(i).ToObject(h.Runtime()) }
	if err := guardEval(h, o, at("0")); err != nil {
		return fmt.Errorf("guard eval: %w", err)
	}
	for _, i := range []string{"1", "2", "3"} {
		if err := guardConstructor(h, o, at(i)); err != nil {
			return fmt.Errorf("guard the constructors of functions: %w", err)
		}
	}
	if err := boundGenerators(h, at("3")); err != nil {
		return fmt.Errorf("bound generators: %w", err)
	}
	return nil
}

func guardEval(h language.Host, o Options, original *goja.Object) error {
	eval, ok := goja.AssertFunction(original)
	if !ok {
		return fmt.Errorf("eval is a %s", original.ClassName())
	}
	guarded, err := language.NewFunction(h, "eval", 1, func(call goja.FunctionCall) goja.Value {
		if text, ok := language.Exported[string](call.Argument(0)); ok {
			mayEvaluate(h, o, "eval", text)
			disguised := text
			if half := call.Argument(0); language.WellFormed(h, language.Text(h, half)).StrictEquals(half) { // Go has no letters for halves of pairs
				disguised = o.RegExps.Disguised([]string{"", ""}, text)[0]
			}
			if program := rewritten(h, disguised, false); program != nil {
				return evaluate(h, program)
			}
			if disguised != text {
				call.Arguments = []goja.Value{h.Runtime().ToValue(disguised)}
			}
		}
		result, err := eval(goja.Undefined(), call.Argument(0))
		if err != nil {
			panic(err) // goja's way to throw into JavaScript
		}
		return result
	})
	if err != nil {
		return err
	}
	return o.Define("eval", guarded)
}

func guardConstructor(h language.Host, o Options, original *goja.Object) error {
	construct, ok := goja.AssertConstructor(original)
	if !ok {
		return fmt.Errorf("%v is no constructor", original)
	}
	name := original.Get("name").String()
	var guarded *goja.Object
	guarded = h.Runtime().ToValue(func(call goja.ConstructorCall) *goja.Object {
		args := make([]goja.Value, len(call.Arguments))
		for i, a := range call.Arguments {
			args[i] = a.ToString() // once: what is looked at must be what is used
		}
		mayEvaluate(h, o, "new "+name, functionSource(name, args))
		args = o.RegExps.DisguisedFunction(name, args)
		newTarget := call.NewTarget
		if newTarget == nil || newTarget == guarded {
			newTarget = original
		}
		if f := rewrittenFunction(h, name, args); f != nil {
			if newTarget != original {
				if prototype, ok := newTarget.Get("prototype").(*goja.Object); ok {
					if err := f.SetPrototype(prototype); err != nil {
						panic(err)
					}
				}
			}
			return f
		}
		made, err := construct(newTarget, args...)
		if err != nil {
			panic(err)
		}
		return made
	}).ToObject(h.Runtime())
	prototype := original.Get("prototype").ToObject(h.Runtime())
	err := errors.Join(
		guarded.SetPrototype(original.Prototype()),
		guarded.DefineDataProperty("name", h.Runtime().ToValue(name), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		guarded.DefineDataProperty("length", h.Runtime().ToValue(1), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		guarded.DefineDataProperty("prototype", prototype, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE),
		prototype.DefineDataProperty("constructor", guarded, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE))
	if err != nil || name != "Function" { // the others are no globals
		return err
	}
	return o.Define(name, guarded)
}

// rewritten is the program of a text in which there is something that goja would get wrong; nil if
// there isn't.
func rewritten(h language.Host, text string, function bool) *goja.Program {
	if !operators.NeededHere(text) && !keywords.Needed(text) {
		return nil
	}
	program, err := rewrite(text, function)
	if err != nil {
		language.Throw(h, "SyntaxError", err.Error())
	}
	return program
}

func rewrite(text string, function bool) (program *goja.Program, err error) {
	defer func() {
		if r := recover(); r != nil { // what goja's compiler doesn't support
			err = fmt.Errorf("unsupported code: %v", r)
		}
	}()
	words := keywords.Disguise(text)
	tree, err := parser.ParseFile(nil, "", words.Text, 0)
	if err != nil {
		return nil, err
	}
	words.Reveal(tree)
	switch {
	case function && !isFunction(tree.Body):
		return nil, errors.New("the parameters or the body end the function")
	case !function && slices.ContainsFunc(tree.Body, isLexical):
		tree.Body = []ast.Statement{&ast.BlockStatement{List: tree.Body}} // they are not the caller's
	}
	if _, err := operators.RewriteHere(tree); err != nil {
		return nil, err
	}
	if program, err = goja.CompileAST(tree, false); err != nil {
		return nil, err
	}
	return linear.Tune(program), nil
}

// isFunction tells whether nothing but a function is in a text.
func isFunction(body []ast.Statement) bool {
	if len(body) != 1 {
		return false
	}
	statement, ok := body[0].(*ast.ExpressionStatement)
	if !ok {
		return false
	}
	_, ok = statement.Expression.(*ast.FunctionLiteral)
	return ok
}

func isLexical(s ast.Statement) bool {
	switch s.(type) {
	case *ast.LexicalDeclaration, *ast.ClassDeclaration:
		return true
	}
	return false
}

// functionSource is the text of the function that a constructor of functions makes.
func functionSource(constructor string, args []goja.Value) string {
	var b strings.Builder
	switch constructor {
	case "AsyncFunction":
		b.WriteString("(async function")
	case "GeneratorFunction":
		b.WriteString("(function*")
	default:
		b.WriteString("(function")
	}
	b.WriteString(" anonymous(")
	body := ""
	for i, a := range args {
		switch {
		case i == len(args)-1:
			body = a.String()
		case i > 0:
			b.WriteByte(',')
			fallthrough
		default:
			b.WriteString(a.String())
		}
	}
	b.WriteString("\n) {\n" + body + "\n})")
	return b.String()
}

// rewrittenFunction is what a constructor of functions makes; nil if goja may make it.
func rewrittenFunction(h language.Host, constructor string, args []goja.Value) *goja.Object {
	program := rewritten(h, functionSource(constructor, args), true)
	if program == nil {
		return nil
	}
	return evaluate(h, program).ToObject(h.Runtime())
}

func evaluate(h language.Host, program *goja.Program) goja.Value {
	result, err := h.Runtime().RunProgram(program)
	if err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
	return result
}

// mayEvaluate throws a RangeError for a text that is too long to be parsed here unseen.
func mayEvaluate(h language.Host, o Options, what, text string) {
	if len(text) <= maxEvaluated {
		return
	}
	if operators.LongLiteral(text) >= 0 {
		language.Throw(h, "SyntaxError", fmt.Sprintf("a BigInt has more than %d digits", operators.MaxLiteral))
	}
	reason := fmt.Sprintf("the limit is %d", maxEvaluated)
	if o.Probe != nil {
		err := o.Probe(text)
		if err == nil {
			return
		}
		if later, ok := errors.AsType[interface {
			error
			Temporary() bool
		}](err); ok && later.Temporary() {
			h.End(err)
		}
		reason = err.Error()
	}
	e, err := h.Runtime().New(h.Native().Get("RangeError"), h.Runtime().ToValue(fmt.Sprintf("%s of a text of %d bytes: %s", what, len(text), reason)))
	if err != nil {
		panic(err)
	}
	panic(e)
}
