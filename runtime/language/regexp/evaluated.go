package regexp

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/dop251/goja"
	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/parser"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/nodes"
	"workflow-worker/runtime/language/pattern"
)

// literal is a regular expression in a text that code makes a program of.
type literal struct {
	at, length int
	text       string // what is there instead: see pattern.Disguise
}

// Disguised gives texts that goja makes one program of with their regular expressions disguised, as
// the compiler does it in the author's; the texts stand in the program where the frame has gaps.
// What is no program is left to goja to refuse.
func (r *RegExps) Disguised(frame []string, texts ...string) []string {
	// Without either, there is nothing to find and nothing to fear.
	if !slices.ContainsFunc(texts, func(t string) bool { return strings.ContainsAny(t, `/\`) }) {
		return texts
	}
	var program strings.Builder
	starts := make([]int, len(texts))
	for i, t := range texts {
		program.WriteString(frame[i])
		starts[i] = program.Len()
		program.WriteString(t)
	}
	program.WriteString(frame[len(texts)])
	literals := r.literals(program.String())
	if len(literals) == 0 {
		return texts
	}
	out := slices.Clone(texts)
	for _, l := range slices.Backward(literals) {
		for i, start := range slices.Backward(starts) {
			if l.at >= start {
				at := l.at - start
				if end := at + l.length; end <= len(texts[i]) {
					out[i] = out[i][:at] + l.text + out[i][end:]
				}
				break
			}
		}
	}
	return out
}

// literals finds a program's in the order of the text; it throws a SyntaxError for one that is
// none.
func (r *RegExps) literals(text string) []literal {
	tree, err := r.parse(text)
	if err != nil {
		return nil
	}
	var out []literal
	eachLiteral(reflect.ValueOf(tree.Body), func(re *ast.RegExpLiteral) {
		disguise, flags, err := pattern.DisguiseLiteral(re.Pattern, re.Flags)
		var bad *pattern.FlagsError
		switch {
		case errors.As(err, &bad):
			language.Throw(r.h, "SyntaxError", "Invalid regular expression flags")
		case err != nil:
			language.Throw(r.h, "SyntaxError", err.Error())
		}
		at := int(re.Idx) - tree.File.Base()
		l := literal{at, len(re.Pattern) + len(re.Flags) + 2, "/" + disguise + "/" + flags}
		if at >= 0 && at+l.length <= len(text) && text[at] == '/' {
			out = append(out, l)
		}
	})
	slices.SortFunc(out, func(a, b literal) int { return a.at - b.at })
	return slices.CompactFunc(out, func(a, b literal) bool { return a.at == b.at })
}

// parse reads a program. goja's parser panics at some escapes in strings, which nothing of goja's
// would stop.
func (r *RegExps) parse(text string) (*ast.Program, error) {
	defer func() {
		if recover() != nil {
			language.Throw(r.h, "SyntaxError", "Invalid or unexpected token")
		}
	}()
	return parser.ParseFile(nil, "", text, 0, parser.WithDisableSourceMaps)
}

// eachLiteral calls f for every regular expression below v.
func eachLiteral(v reflect.Value, f func(*ast.RegExpLiteral)) {
	nodes.Walk(v, func(v reflect.Value) bool {
		if re, ok := v.Interface().(*ast.RegExpLiteral); ok && v.Kind() == reflect.Pointer {
			f(re)
		}
		return true
	})
}

// frames are what goja puts around the texts of a function, by the constructor: before the
// parameters, and before the body.
var frames = map[string]string{
	"Function": "(function anonymous(", "AsyncFunction": "(async function anonymous(", "GeneratorFunction": "(function* anonymous(",
}

// DisguisedFunction is Disguised for the arguments of a constructor of functions.
func (r *RegExps) DisguisedFunction(class string, args []goja.Value) []goja.Value {
	if len(args) == 0 {
		return args
	}
	texts := make([]string, len(args))
	frame := make([]string, len(args)+1)
	for i, a := range args {
		texts[i] = a.String()
		frame[i] = ","
	}
	if len(args) == 1 {
		frame[0] = frames[class] + "\n) {\n"
	} else {
		frame[0] = frames[class]
		frame[len(args)-1] = "\n) {\n"
	}
	frame[len(args)] = "\n})"
	out := slices.Clone(args)
	for i, t := range r.Disguised(frame, texts...) {
		if t != texts[i] {
			out[i] = r.rt.ToValue(t)
		}
	}
	return out
}
