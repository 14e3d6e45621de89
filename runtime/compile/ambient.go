package compile

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/parser"
	"github.com/dop251/goja/token"
	"github.com/evanw/esbuild/pkg/api"

	"workflow-worker/runtime/language/nodes"
)

// mayBeAmbient finds texts in which there may be const enums that are only declared.
var mayBeAmbient = regexp.MustCompile(`\bdeclare\b[\s\S]*\bconst\s+enum\b`)

// mayDeclare asks it where the words are there at all: it is slow.
func mayDeclare(text string) bool {
	return strings.Contains(text, "declare") && strings.Contains(text, "enum") && mayBeAmbient.MatchString(text)
}

// enum is one declaration of an enum in a text.
type enum struct {
	spaces  []string // the namespaces that it is in
	name    string
	body    string
	members []string
	ambient bool // it is a const enum that is only declared: nothing is there when the program runs
	real    bool // the namespaces are there
}

func (e enum) path() string { return strings.Join(append(slices.Clone(e.spaces), e.name), ".") }

// inlineAmbient puts the values of const enums that a text only declares into the places where
// their members are used, as Temporal's bundler does; esbuild does so with those that the text
// defines. esbuild computes the values, too: of a text that has nothing but the enums, defined.
func inlineAmbient(s Source, tree *ast.Program, declared map[string]Is) {
	if !mayDeclare(s.Text) {
		return
	}
	enums := enumsOf(s.Text)
	if !slices.ContainsFunc(enums, func(e enum) bool { return e.ambient }) {
		return
	}
	values := map[string]ast.Expression{}
	for place, v := range valuesOf(enums) {
		e := enums[place.enum]
		if !e.ambient {
			continue
		}
		member := "\x00" + place.member
		if len(e.spaces) > 0 && e.real {
			values[e.name+member] = v // inside of them
		}
		if _, bound := declared[strings.SplitN(e.path(), ".", 2)[0]]; !bound || len(e.spaces) > 0 && e.real {
			values[e.path()+member] = v
		}
	}
	if len(values) > 0 {
		replaceConstants(reflect.ValueOf(tree).Elem().FieldByName("Body"), values)
	}
}

// defineAmbient has a package's text define the const enums that it only declares, for esbuild to
// inline them. Places stay.
func defineAmbient(text string) string {
	if !mayDeclare(text) {
		return text
	}
	t, starts := tokens(text)
	out := []byte(text)
	for i := range max(0, len(t)-2) {
		if t[i] == "declare" && t[i+1] == "const" && t[i+2] == "enum" && (i == 0 || t[i-1] != ".") {
			copy(out[starts[i]:], "       ")
		}
	}
	return string(out)
}

// enumsOf finds the enums of a text.
func enumsOf(text string) []enum {
	t, starts := tokens(text)
	type scope struct {
		spaces  []string
		ambient bool
		lost    bool // a namespace of another module's
	}
	scopes := []scope{{}}
	var enums []enum
	word := func(i int) string {
		if i >= 0 && i < len(t) {
			return t[i]
		}
		return ""
	}
	for i := 0; i < len(t); i++ {
		in := scopes[len(scopes)-1]
		switch {
		case t[i] == "{":
			scopes = append(scopes, scope{ambient: in.ambient, lost: in.lost})
		case t[i] == "}":
			scopes = scopes[:max(1, len(scopes)-1)]
		case t[i] == "enum" && word(i+2) == "{" && word(i-1) != ".":
			constant := word(i-1) == "const"
			before := i - 1
			if constant {
				before--
			}
			ambient := in.ambient || word(before) == "declare"
			end := closing(t, i+2)
			if end == len(t) {
				return enums
			}
			if !in.lost {
				enums = append(enums, enum{
					spaces: in.spaces, name: t[i+1], body: text[starts[i+2]+1 : starts[end]], members: membersOf(t[i+3 : end]),
					ambient: ambient && constant, real: !in.ambient,
				})
			}
			i = end
		case (t[i] == "namespace" || t[i] == "module" || t[i] == "global") && word(i-1) != ".":
			spaces, j := slices.Clone(in.spaces), i+1
			for ; word(j) != "" && (t[j] == "." || isWordByte(t[j][0])); j++ {
				if t[j] != "." {
					spaces = append(spaces, t[j])
				}
			}
			lost := t[i] == "global" || strings.HasPrefix(word(j), `"`) || strings.HasPrefix(word(j), "'")
			if lost && t[i] == "module" {
				j++
			}
			if word(j) != "{" || !lost && j == i+1 {
				continue
			}
			scopes = append(scopes, scope{spaces: spaces, ambient: in.ambient || word(i-1) == "declare", lost: in.lost || lost})
			i = j
		}
	}
	return enums
}

// closing gives the index of the bracket that closes the one at i.
func closing(t []string, i int) int {
	depth := 0
	for ; i < len(t); i++ {
		switch t[i] {
		case "{", "(", "[":
			depth++
		case "}", ")", "]":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(t)
}

func membersOf(body []string) (names []string) {
	depth, next := 0, true
	for _, t := range body {
		switch t {
		case "{", "(", "[":
			depth++
		case "}", ")", "]":
			depth--
		case ",":
			next = next || depth == 0
			continue
		}
		if next && depth == 0 {
			name := t
			if t[0] == '"' || t[0] == '\'' {
				name = t[1 : len(t)-1]
			}
			names, next = append(names, name), false
		}
	}
	return names
}

// place is a member of one of some enums.
type place struct {
	enum   int
	member string
}

// valuesOf gives the members that are constants.
func valuesOf(enums []enum) map[place]ast.Expression {
	var text strings.Builder
	var places []place
	for i, e := range enums {
		for _, n := range e.spaces {
			fmt.Fprintf(&text, "export namespace %s {", n)
		}
		fmt.Fprintf(&text, "export const enum %s {%s}%s\n", e.name, e.body, strings.Repeat("}", len(e.spaces)))
		for _, m := range e.members {
			places = append(places, place{i, m})
		}
	}
	for _, p := range places {
		fmt.Fprintf(&text, ";probe(%s[%s])\n", enums[p.enum].path(), strconv.Quote(p.member))
	}
	r := api.Transform(text.String(), api.TransformOptions{Loader: api.LoaderTS, Target: api.ESNext, TsconfigRaw: tsconfig, LogLevel: api.LogLevelSilent})
	if len(r.Errors) > 0 {
		return nil
	}
	code := string(r.Code)
	probes := strings.LastIndex(code, "\n})") // of the enums, which come first
	tree, err := parser.ParseFile(nil, "", code[strings.Index(code[max(probes, 0):], "probe(")+max(probes, 0):], 0)
	if err != nil {
		return nil
	}
	values := map[place]ast.Expression{}
	n := 0
	for _, s := range tree.Body {
		e, ok := s.(*ast.ExpressionStatement)
		if !ok {
			continue
		}
		c, ok := e.Expression.(*ast.CallExpression)
		if !ok || called(c) != "probe" || len(c.ArgumentList) != 1 || n == len(places) {
			continue
		}
		if isConstant(c.ArgumentList[0]) {
			values[places[n]] = c.ArgumentList[0]
		}
		n++
	}
	if n != len(places) {
		return nil
	}
	return values
}

func isConstant(e ast.Expression) bool {
	switch e := e.(type) {
	case *ast.NumberLiteral, *ast.StringLiteral:
		return true
	case *ast.UnaryExpression:
		return e.Operator == token.MINUS && isConstant(e.Operand)
	}
	return false
}

// replaceConstants puts values in the places of members, by path and member.
func replaceConstants(v reflect.Value, values map[string]ast.Expression) {
	nodes.Walk(v, func(v reflect.Value) bool {
		e, ok := v.Interface().(ast.Expression)
		if !ok || v.Kind() != reflect.Interface {
			return true
		}
		path, member, ok := memberPath(e)
		if !ok {
			return true
		}
		value := values[path+"\x00"+member]
		if value != nil {
			v.Set(reflect.ValueOf(at(value, e.Idx0())))
		}
		return value == nil
	})
}

// memberPath takes apart A.B.member and A.B["member"].
func memberPath(e ast.Expression) (path, member string, ok bool) {
	var left ast.Expression
	switch e := e.(type) {
	case *ast.DotExpression:
		left, member = e.Left, e.Identifier.Name.String()
	case *ast.BracketExpression:
		switch m := e.Member.(type) {
		case *ast.StringLiteral:
			left, member = e.Left, m.Value.String()
		case *ast.TemplateLiteral:
			if len(m.Expressions) > 0 || m.Tag != nil || len(m.Elements) != 1 {
				return "", "", false
			}
			left, member = e.Left, m.Elements[0].Parsed.String()
		default:
			return "", "", false
		}
	default:
		return "", "", false
	}
	if id, isName := left.(*ast.Identifier); isName {
		return id.Name.String(), member, true
	}
	above, name, ok := memberPath(left)
	return above + "." + name, member, ok
}

// at is a constant at another place.
func at(e ast.Expression, i file.Idx) ast.Expression {
	switch e := e.(type) {
	case *ast.NumberLiteral:
		return &ast.NumberLiteral{Idx: i, Literal: e.Literal, Value: e.Value}
	case *ast.StringLiteral:
		return &ast.StringLiteral{Idx: i, Literal: e.Literal, Value: e.Value}
	case *ast.UnaryExpression:
		return &ast.UnaryExpression{Operator: e.Operator, Idx: i, Operand: at(e.Operand, i)}
	}
	return e
}
