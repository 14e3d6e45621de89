package compile

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/token"
	"github.com/dop251/goja/unistring"
	"github.com/evanw/esbuild/pkg/api"

	"workflow-worker/runtime/language/nodes"
)

// propertiesFirst has classes assign their parameter properties before their fields' initializers
// run, as Temporal's bundler does with the settings that it has (swc, ES2017): first all fields are
// there, undefined, then come the parameter properties, then what the fields are initialized with.
// esbuild leaves the initializers to the engine, which runs them before the constructor's body.
//
// The initializers move into the constructor as they are. No name in it hides one that they use:
// esbuild has given those that did others. A name that is computed by more than a reference is kept
// in a variable of its own, beside the class.
func propertiesFirst(tree *ast.Program) {
	at := func(i file.Idx) file.Position { return tree.File.Position(int(i) - tree.File.Base()) }
	keys := map[*ast.ClassLiteral][]*ast.Binding{}
	count := 0
	walk(reflect.ValueOf(tree.Body), func(n ast.Node) {
		if c, ok := n.(*ast.ClassLiteral); ok {
			if kept := moveInitializers(c, at, &count); len(kept) > 0 {
				keys[c] = kept
			}
		}
	})
	if len(keys) > 0 {
		declareKeys(reflect.ValueOf(tree).Elem().FieldByName("Body"), keys)
	}
}

// moveInitializers gives the variables that the class needs for names. count is how many there were
// before.
func moveInitializers(c *ast.ClassLiteral, at func(file.Idx) file.Position, count *int) (keys []*ast.Binding) {
	constructor := constructorOf(c)
	if constructor == nil {
		return nil
	}
	properties := parameterProperties(c, constructor, at)
	if len(properties) == 0 {
		return nil
	}
	list, after := assigned(&constructor.Body.List, properties)
	if list == nil {
		return nil
	}
	var moved []ast.Statement
	for _, e := range c.Body {
		f, ok := e.(*ast.FieldDefinition)
		if !ok || f.Static || f.Initializer == nil {
			continue
		}
		field := fieldOf(f)
		if field == nil {
			*count++
			key := ast.Identifier{Name: unistring.String("field " + strconv.Itoa(*count)), Idx: f.Idx} // no text can say that
			keys = append(keys, &ast.Binding{Target: &key})
			f.Key = &ast.AssignExpression{Operator: token.ASSIGN, Left: &key, Right: f.Key}
			field = &ast.BracketExpression{Left: &ast.ThisExpression{Idx: f.Idx}, Member: &key, LeftBracket: f.Idx, RightBracket: f.Idx}
		}
		moved = append(moved, &ast.ExpressionStatement{Expression: &ast.AssignExpression{Operator: token.ASSIGN, Left: field, Right: f.Initializer}})
		f.Initializer = nil
	}
	*list = slices.Insert(*list, after, moved...)
	return keys
}

// declareKeys declares the variables of the classes in v before the statements that have the
// classes, so that each evaluation of a class has its own. It gives those that have no such place
// in v.
func declareKeys(v reflect.Value, keys map[*ast.ClassLiteral][]*ast.Binding) (open []*ast.Binding) {
	switch v.Kind() { //nolint:exhaustive // the rest holds nothing
	case reflect.Interface:
		open = declareKeys(v.Elem(), keys)
		if body, ok := v.Interface().(*ast.ExpressionBody); ok && len(open) > 0 {
			at := body.Idx0()
			v.Set(reflect.ValueOf(&ast.BlockStatement{LeftBrace: at, RightBrace: body.Idx1(), List: []ast.Statement{
				&ast.LexicalDeclaration{Idx: at, Token: token.LET, List: open}, &ast.ReturnStatement{Return: at, Argument: body.Expression},
			}}))
			return nil
		}
		return open
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		open = declareKeys(v.Elem(), keys)
		if c, ok := v.Interface().(*ast.ClassLiteral); ok {
			open = append(open, keys[c]...)
		}
		return open
	case reflect.Slice:
		if list, ok := v.Interface().([]ast.Statement); ok {
			var with []ast.Statement
			for i, s := range list {
				if found := declareKeys(v.Index(i), keys); len(found) > 0 {
					with = append(with, &ast.LexicalDeclaration{Idx: s.Idx0(), Token: token.LET, List: found})
				}
				with = append(with, list[i])
			}
			if len(with) > len(list) {
				v.Set(reflect.ValueOf(with))
			}
			return nil
		}
	}
	nodes.Each(v, func(below reflect.Value) { open = append(open, declareKeys(below, keys)...) })
	return open
}

func constructorOf(c *ast.ClassLiteral) *ast.FunctionLiteral {
	for _, e := range c.Body {
		if m, ok := e.(*ast.MethodDefinition); ok && !m.Static && !m.Computed {
			if key, ok := m.Key.(*ast.StringLiteral); ok && key.Value == "constructor" {
				return m.Body
			}
		}
	}
	return nil
}

// parameterProperties are the names of the fields that esbuild made of parameters: it says of both
// that they come from the same place of the text, where no field is that somebody wrote.
func parameterProperties(c *ast.ClassLiteral, constructor *ast.FunctionLiteral, at func(file.Idx) file.Position) []string {
	parameters := map[file.Position]bool{}
	for _, p := range constructor.ParameterList.List {
		if id, ok := p.Target.(*ast.Identifier); ok {
			parameters[at(id.Idx)] = true
		}
	}
	var names []string
	for _, e := range c.Body {
		if f, ok := e.(*ast.FieldDefinition); ok && !f.Static && f.Initializer == nil {
			if key, ok := f.Key.(*ast.StringLiteral); ok && parameters[at(key.Idx)] {
				names = append(names, key.Value.String())
			}
		}
	}
	return names
}

// assigned finds where all properties have been assigned: in the constructor, or in the function
// that stands in it for super if that is called in more than one way.
func assigned(list *[]ast.Statement, properties []string) (in *[]ast.Statement, after int) {
	for i, s := range *list {
		switch s := s.(type) {
		case *ast.ExpressionStatement:
			if assigns(s, properties[0]) {
				return list, i + len(properties)
			}
		case *ast.VariableStatement:
			for _, b := range s.List {
				if f, ok := b.Initializer.(*ast.ArrowFunctionLiteral); ok {
					if body, ok := f.Body.(*ast.BlockStatement); ok {
						if in, after = assigned(&body.List, properties); in != nil {
							return in, after
						}
					}
				}
			}
		}
	}
	return nil, 0
}

func assigns(s *ast.ExpressionStatement, property string) bool {
	a, ok := s.Expression.(*ast.AssignExpression)
	if !ok {
		return false
	}
	d, ok := a.Left.(*ast.DotExpression)
	if !ok {
		return false
	}
	_, ok = d.Left.(*ast.ThisExpression)
	return ok && d.Identifier.Name.String() == property
}

// fieldOf is the field of this; nil if its name can't be evaluated twice.
func fieldOf(f *ast.FieldDefinition) ast.Expression {
	this := &ast.ThisExpression{Idx: f.Idx}
	switch key := f.Key.(type) {
	case *ast.PrivateIdentifier:
		return &ast.PrivateDotExpression{Left: this, Identifier: *key}
	case *ast.StringLiteral, *ast.NumberLiteral:
		return &ast.BracketExpression{Left: this, Member: key, LeftBracket: f.Idx, RightBracket: f.Idx}
	}
	if !isReference(f.Key) {
		return nil
	}
	return &ast.BracketExpression{Left: this, Member: f.Key, LeftBracket: f.Idx, RightBracket: f.Idx}
}

// isReference tells a name, or a member of one: Symbol.toStringTag.
func isReference(e ast.Expression) bool {
	switch e := e.(type) {
	case *ast.Identifier:
		return true
	case *ast.DotExpression:
		return isReference(e.Left)
	}
	return false
}

// mayHaveProperties finds texts in which there may be parameter properties.
var mayHaveProperties = regexp.MustCompile(`\bconstructor\s*\([^)]*\b(?:public|private|protected|readonly|override)\s`)

// lowered is a package's file, if that is TypeScript with const enums that it only declares, or
// with parameter properties: bundles keep no columns, by which propertiesFirst tells them. There
// esbuild puts all fields into constructors, which is slower with private ones, but few packages
// come as TypeScript. It is nothing for other files.
func lowered(path string) (api.OnLoadResult, error) {
	loader, ok := map[string]api.Loader{".ts": api.LoaderTS, ".mts": api.LoaderTS, ".cts": api.LoaderTS, ".tsx": api.LoaderTSX}[filepath.Ext(path)]
	if !ok {
		return api.OnLoadResult{}, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return api.OnLoadResult{}, nil //nolint:nilerr // esbuild says it better
	}
	defined := defineAmbient(string(text))
	if !mayHaveProperties.MatchString(defined) {
		if defined == string(text) {
			return api.OnLoadResult{}, nil
		}
		return api.OnLoadResult{Contents: &defined, Loader: loader, ResolveDir: filepath.Dir(path)}, nil
	}
	without := supported()
	without["class-field"] = false
	r := api.Transform(defined, api.TransformOptions{
		Loader: loader, Sourcefile: path, Sourcemap: api.SourceMapInline, SourcesContent: api.SourcesContentExclude,
		Target: api.ESNext, Supported: without, TsconfigRaw: tsconfig, LogLevel: api.LogLevelSilent,
	})
	if len(r.Errors) > 0 {
		return api.OnLoadResult{}, nil // as above
	}
	code := string(r.Code)
	return api.OnLoadResult{Contents: &code, Loader: api.LoaderJS, ResolveDir: filepath.Dir(path)}, nil
}
