package compile

import (
	"reflect"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
)

// absent names what other engines have and this one hasn't, with what to do instead.
var absent = map[string]string{
	"Float16Array":        "use a Float32Array, or a DataView's getFloat16 and setFloat16",
	"Temporal":            "use Date, or a package",
	"WebAssembly":         "use JavaScript",
	"Intl.DisplayNames":   "write the names yourself, or use a package",
	"Intl.DurationFormat": "use Intl.NumberFormat with style: 'unit' and Intl.ListFormat",
	"Intl.Locale":         "use the locale's name, as de-AT",
	"Intl.Segmenter":      "use Array.from(text) for characters, or a package",
}

// refuseAbsent gives errors for a text that uses what isn't there, as new Float16Array(1) does. A
// text that looks first whether it is, in any way, is left alone, and so is one that declares it.
func refuseAbsent(s Source, code string, tree *ast.Program, declared map[string]Is) (wrong []Note) {
	if !mentionsAbsent(code) {
		return nil
	}
	uses := map[string][]file.Idx{}
	mentions := map[string]int{}
	use := func(e ast.Expression) {
		if name := nameOf(e); absent[name] != "" {
			uses[name] = append(uses[name], e.Idx0())
		}
	}
	walk(reflect.ValueOf(tree.Body), func(n ast.Node) {
		switch n := n.(type) {
		case *ast.NewExpression:
			use(n.Callee)
		case *ast.CallExpression:
			if d, ok := n.Callee.(*ast.DotExpression); ok {
				use(d.Left)
			}
		case *ast.Identifier:
			mentions[n.Name.String()]++
		case *ast.DotExpression:
			mentions[n.Identifier.Name.String()]++
		case *ast.StringLiteral:
			mentions[n.Value.String()]++
		}
	})
	for name, places := range uses {
		object, last, found := strings.Cut(name, ".")
		if !found {
			last = object
		}
		if _, bound := declared[object]; bound || mentions[last] > len(places) {
			continue
		}
		at := tree.File.Position(int(places[0]) - tree.File.Base())
		wrong = append(wrong, Note{File: s.Name, Line: at.Line, Column: at.Column + 1, Message: name + " is not supported: " + absent[name]}) // mapped columns count from 0
	}
	return wrong
}

// mentionsAbsent tells whether a text may use any of it: most don't, and the tree needn't be looked at.
func mentionsAbsent(code string) bool {
	for name := range absent {
		if strings.Contains(code, name[strings.LastIndexByte(name, '.')+1:]) {
			return true
		}
	}
	return false
}

func nameOf(e ast.Expression) string {
	switch e := e.(type) {
	case *ast.Identifier:
		return e.Name.String()
	case *ast.DotExpression:
		if object, ok := e.Left.(*ast.Identifier); ok {
			return object.Name.String() + "." + e.Identifier.Name.String()
		}
	}
	return ""
}
