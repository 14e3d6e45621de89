package sandbox

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
	"workflow-worker/runtime/language/operators"
)

// maxEvaluated is how long a text may be that code makes a program of while it runs. goja parses in this process, recurses with
// the text's nesting, and can't be interrupted: 128 KB of "[" take it 500 MB of stack and 3 MB end the process; a chain of "||"
// takes time that grows with its length's square, 20 s for 128 KB. A text of this length costs some milliseconds at worst.
const maxEvaluated = 4 << 10

// evaluators are the builtins that make programs of texts.
var evaluators = sync.OnceValues(func() (*goja.Program, error) {
	return goja.Compile(Internal+"evaluators>", `[eval, Function, (async function () {}).constructor, (function* () {}).constructor]`, true)
})

// guardEvaluators puts functions in front of eval and the constructors of functions that look at the length of texts. It can't
// wait for code to name them: every function leads to its constructor. Calls of eval become indirect by it: they see globals,
// not the caller's variables.
func (v *VM) guardEvaluators() error {
	p, err := evaluators()
	if err != nil {
		return fmt.Errorf("compile the evaluators: %w", err)
	}
	list, err := v.Runtime.RunProgram(p)
	if err != nil {
		return fmt.Errorf("find the evaluators: %w", err)
	}
	at := func(i string) *goja.Object { return list.ToObject(v.Runtime).Get(i).ToObject(v.Runtime) }
	if err := v.guardEval(at("0")); err != nil {
		return fmt.Errorf("guard eval: %w", err)
	}
	for _, i := range []string{"1", "2", "3"} {
		if err := v.guardConstructor(at(i)); err != nil {
			return fmt.Errorf("guard the constructors of functions: %w", err)
		}
	}
	if err := v.boundGenerators(at("3")); err != nil {
		return fmt.Errorf("bound generators: %w", err)
	}
	return nil
}

func (v *VM) guardEval(original *goja.Object) error {
	eval, ok := goja.AssertFunction(original)
	if !ok {
		return fmt.Errorf("eval is a %s", original.ClassName())
	}
	guarded, err := language.NewFunction(v.host, "eval", 1, func(call goja.FunctionCall) goja.Value {
		if text, ok := language.Exported[string](call.Argument(0)); ok {
			v.mayEvaluate("eval", text)
			disguised := text
			if half := call.Argument(0); language.WellFormed(v.host, language.Text(v.host, half)).StrictEquals(half) { // Go has no letters for halves of pairs
				disguised = v.regexps.Disguised([]string{"", ""}, text)[0]
			}
			if program := v.rewritten(disguised, false); program != nil {
				return v.evaluate(program)
			}
			if disguised != text {
				call.Arguments = []goja.Value{v.Runtime.ToValue(disguised)}
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
	v.made["eval"] = guarded
	return v.global.DefineDataProperty("eval", guarded, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

func (v *VM) guardConstructor(original *goja.Object) error {
	construct, ok := goja.AssertConstructor(original)
	if !ok {
		return fmt.Errorf("%v is no constructor", original)
	}
	name := original.Get("name").String()
	var guarded *goja.Object
	guarded = v.Runtime.ToValue(func(call goja.ConstructorCall) *goja.Object {
		args := make([]goja.Value, len(call.Arguments))
		for i, a := range call.Arguments {
			args[i] = a.ToString() // once: what is looked at must be what is used
		}
		v.mayEvaluate("new "+name, functionSource(name, args))
		args = v.regexps.DisguisedFunction(name, args)
		newTarget := call.NewTarget
		if newTarget == nil || newTarget == guarded {
			newTarget = original
		}
		if f := v.rewrittenFunction(name, args); f != nil {
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
	}).ToObject(v.Runtime)
	prototype := original.Get("prototype").ToObject(v.Runtime)
	err := errors.Join(
		guarded.SetPrototype(original.Prototype()),
		guarded.DefineDataProperty("name", v.Runtime.ToValue(name), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		guarded.DefineDataProperty("length", v.Runtime.ToValue(1), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE),
		guarded.DefineDataProperty("prototype", prototype, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE),
		prototype.DefineDataProperty("constructor", guarded, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE))
	if err != nil || name != "Function" { // the others are no globals
		return err
	}
	v.made[name] = guarded
	return v.global.DefineDataProperty(name, guarded, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// rewritten is the program of a text in which there is something that goja would get wrong; nil if there isn't.
func (v *VM) rewritten(text string, function bool) *goja.Program {
	if !operators.NeededHere(text) && !keywords.Needed(text) {
		return nil
	}
	program, err := rewrite(text, function)
	if err != nil {
		language.Throw(v.host, "SyntaxError", err.Error())
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
	return goja.CompileAST(tree, false)
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
func (v *VM) rewrittenFunction(constructor string, args []goja.Value) *goja.Object {
	program := v.rewritten(functionSource(constructor, args), true)
	if program == nil {
		return nil
	}
	return v.evaluate(program).ToObject(v.Runtime)
}

func (v *VM) evaluate(program *goja.Program) goja.Value {
	result, err := v.Runtime.RunProgram(program)
	if err != nil {
		panic(err) // goja's way to throw into JavaScript
	}
	return result
}

// mayEvaluate throws a RangeError for a text that is too long to be parsed here unseen.
func (v *VM) mayEvaluate(what, text string) {
	if len(text) <= maxEvaluated {
		return
	}
	if operators.LongLiteral(text) >= 0 {
		language.Throw(v.host, "SyntaxError", fmt.Sprintf("a BigInt has more than %d digits", operators.MaxLiteral))
	}
	reason := fmt.Sprintf("the limit is %d", maxEvaluated)
	if v.opts.Probe != nil {
		err := v.opts.Probe(text)
		if err == nil {
			return
		}
		if later, ok := errors.AsType[interface {
			error
			Temporary() bool
		}](err); ok && later.Temporary() {
			v.end(err)
		}
		reason = err.Error()
	}
	e, err := v.Runtime.New(v.native.Get("RangeError"), v.Runtime.ToValue(fmt.Sprintf("%s of a text of %d bytes: %s", what, len(text), reason)))
	if err != nil {
		panic(err)
	}
	panic(e)
}
