package compile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/parser"
	"github.com/evanw/esbuild/pkg/api"
	"github.com/go-sourcemap/sourcemap"

	words "workflow-worker/runtime/language/called"
	"workflow-worker/runtime/language/keywords"
	"workflow-worker/runtime/language/operators"
)

// transformed is what esbuild makes of a text: CommonJS and its source map.
type transformed struct {
	Code string
	Map  []byte
	// Warnings are esbuild's.
	Warnings []Note
	Learned  learned
	// Linked says that it was tried whether a program can be made of it.
	Linked bool
}

// inProcess transforms in the calling process.
type inProcess struct{}

func (inProcess) transform(_ context.Context, s Source) (transformed, error) {
	t, _, err := understand(s)
	return t, err
}

func (inProcess) bundle(_ context.Context, q bundleRequest) (bundled, error) { return bundle(q) }
func (inProcess) probe(_ context.Context, text string) error                 { parseScript(text); return nil }
func (inProcess) close()                                                     {}

// understand transforms a text and learns what it tells.
func understand(s Source) (t transformed, tree *ast.Program, err error) {
	if t, err = transform(s); err == nil {
		t.Learned, tree, err = learn(s, t)
	}
	return t, tree, err
}

// transform strips the types and makes the module CommonJS. esbuild's Transform, unlike its Build,
// never touches the file system.
func transform(s Source) (transformed, error) {
	r := transformWith(s, tsconfig)
	if slices.ContainsFunc(r.Errors, func(m api.Message) bool { return strings.HasPrefix(m.Text, parameterDecorators) }) {
		r = transformWith(s, legacyDecorators)
		// What a parameter's decorator returns is nothing's; esbuild takes it for the class.
		r.Code = bytes.Replace(r.Code, []byte("=> decorator(target, key, index)"), []byte("=> { decorator(target, key, index) }"), 1)
	}
	warnings := notesOf(s, r.Warnings)
	if len(r.Errors) > 0 {
		return transformed{}, firstOf(notesOf(s, r.Errors), warnings)
	}
	if len(r.Code) > maxMade {
		return transformed{}, &Error{File: s.Name, Message: fmt.Sprintf("the text becomes %d MB of JavaScript; the limit is %d MB", len(r.Code)>>20, maxMade>>20)}
	}
	return transformed{Code: string(r.Code), Map: r.Map, Warnings: warnings}, nil
}

// maxMade bounds what a text becomes: it lives in the process that runs it, as long as the row does. What
// is largest of honest texts becomes twice as long.
const maxMade = 8 << 20

func transformWith(s Source, tsconfig string) api.TransformResult {
	return api.Transform(s.Text, api.TransformOptions{
		Loader:     api.LoaderTS,
		Format:     api.FormatCommonJS,
		Platform:   api.PlatformNeutral,
		Sourcefile: s.Name,
		Sourcemap:  api.SourceMapExternal,
		// The text itself is kept elsewhere; goja only needs the positions.
		SourcesContent: api.SourcesContentExclude,
		// Not a lower year: ES2017 would turn private fields into WeakMaps, twenty times slower on
		// goja.
		Target:      api.ESNext,
		Supported:   supported(),
		TsconfigRaw: tsconfig,
		LogLevel:    api.LogLevelSilent,
		// It would be an empty object.
		LogOverride: map[string]api.LogLevel{"empty-import-meta": api.LogLevelError},
	})
}

func notesOf(s Source, messages []api.Message) []Note {
	var out []Note
	for _, m := range messages[:min(len(messages), maxNotes)] {
		n := Note{File: s.Name, Message: m.Text}
		if m.Location != nil {
			// esbuild's columns count bytes from 0.
			n.Line, n.Column = m.Location.Line, m.Location.Column+1
		}
		out = append(out, n)
	}
	return inOrder(out)
}

const tsconfig = `{"compilerOptions":{"useDefineForClassFields":true,"experimentalDecorators":false}}`

// The standard's decorators have none for parameters, so a text that has such means TypeScript's
// older ones, as Temporal's bundler does.
const (
	parameterDecorators = "Parameter decorators only work"
	legacyDecorators    = `{"compilerOptions":{"useDefineForClassFields":true,"experimentalDecorators":true}}`
)

// supported says of some syntax that goja lacks it, so that esbuild puts it into other words.
func supported() map[string]bool {
	return map[string]bool{
		"async-generator": false,
		"for-await":       false,
		"using":           false,
		"decorators":      false,
		// Becomes a call of require, so that it is refused or resolved like any import.
		"dynamic-import": false,
	}
}

// parse reads transformed code as the wrapper function around it. The prefix stays on the first
// line, so that the source map fits all others.
func parse(s Source, t transformed, siblings []string) (*ast.Program, error) {
	if operators.LongLiteral(t.Code) >= 0 {
		return nil, &Error{File: s.Name, Message: fmt.Sprintf("a BigInt has more than %d digits: make it of a text while the code runs", operators.MaxLiteral)}
	}
	var b strings.Builder
	b.Grow(len(t.Code) + 128)
	if len(siblings) > 0 {
		b.WriteString("(function(){")
		for _, n := range siblings {
			// Only its name is ever used: startChild and executeChild take the workflow type from
			// it.
			fmt.Fprintf(&b, "function %s(){throw new Error(%q)}", n, n+" is a workflow of another row: start it with startChild or executeChild")
		}
		b.WriteString("return ")
	}
	// Modules are strict; esbuild's CommonJS doesn't say so.
	b.WriteString(`(function(require,module,exports){"use strict";`)
	b.WriteString(t.Code)
	b.WriteString("\n})")
	if len(siblings) > 0 {
		b.WriteString("})()")
	}
	b.WriteString(words.Renamed(renamed(s, b.String(), t.Map)))
	// Added last, because goja takes the last such comment: one in the text must not name a file of
	// its choice.
	b.WriteString("\n//# sourceMappingURL=" + mapName)
	p, err := parseText(s.Name, b.String(), t.Map)
	if err != nil {
		return nil, parseError(s, t, err)
	}
	return p, nil
}

// parseText has goja parse a text that names its source map.
func parseText(name, text string, sourceMap []byte) (*ast.Program, error) {
	d := keywords.Disguise(text)
	p, err := parser.ParseFile(nil, name, d.Text, 0, parser.WithSourceMapLoader(func(string) ([]byte, error) { return sourceMap, nil }))
	if err != nil {
		return nil, err
	}
	d.Reveal(p)
	return p, nil
}

const mapName = "program.map"

// parseError is for text that esbuild takes and goja doesn't: a regular expression that it can't
// compile, for example. goja has not read the source map yet when it fails, so the place is looked
// up here.
func parseError(s Source, t transformed, err error) error {
	e := &Error{File: s.Name, Message: err.Error()}
	var list parser.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		return e
	}
	e.Message = list[0].Message
	m, err := parseMap(string(t.Map))
	if err != nil {
		return e
	}
	at := list[0].Position
	if _, _, line, column, ok := m.Source(at.Line, at.Column-1); ok {
		e.Line, e.Column = line, column+1
	}
	return e
}

func parseMap(text string) (*sourcemap.Consumer, error) { return sourcemap.Parse("", []byte(text)) }
