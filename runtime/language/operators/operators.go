package operators

import (
	"errors"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/token"
	"github.com/dop251/goja/unistring"

	"workflow-worker/runtime/language/keywords"
	"workflow-worker/runtime/language/nodes"
)

// Names are the global functions that rewritten operators call, with two operands; Assign is called
// for what can't be evaluated twice, with a name, the object, the key and the right operand.
const (
	Power    = "<**>"
	Left     = "<<<>"
	Right    = "<>>>"
	Multiply = "<*>"
	Assign   = "<=>"
)

// arithmetic are those that give a number, or a BigInt if they get one.
var arithmetic = []string{Power, Left, Right, Multiply}

var calls = map[token.Token]string{
	token.EXPONENT: Power, token.SHIFT_LEFT: Left, token.SHIFT_RIGHT: Right, token.MULTIPLY: Multiply,
}

// For literals: a product with one is little larger than the other factor, and what is shifted by
// one, than it was.
const (
	smallBits = 1024
	shiftBits = 10
)

// mostTexts is how many texts goja may join in one step; what it makes of more is looked at as it
// grows.
const mostTexts = 8

// visible finds BigInts in a text: their names, and literals. Where there are none, products are left
// to goja's instruction, and to linear, which bounds those of BigInts that nobody sees in a text.
func visible(text string) bool {
	for i := range len(text) {
		switch text[i] {
		case 'B':
			if strings.HasPrefix(text[i:], "BigInt") || strings.HasPrefix(text[i:], "BigUint") {
				return true
			}
		case 'n':
			if endsLiteral(text, i) {
				return true
			}
		}
	}
	return false
}

// mayEndLiteral tells a digit, hexadecimal ones too, before an n that ends a word.
func mayEndLiteral(text string, i int) bool {
	return i > 0 && isDigit(text[i-1]) && (i+1 == len(text) || !keywords.IsWord(text[i+1]))
}

// endsLiteral tells such an n whose word begins with a digit, as those of then and token don't.
func endsLiteral(text string, i int) bool {
	if !mayEndLiteral(text, i) {
		return false
	}
	for i > 0 && keywords.IsWord(text[i-1]) {
		i--
	}
	return text[i] >= '0' && text[i] <= '9'
}

// Signed tells of a text whose products always had the sign of a zero, as the language has it: those
// of all words such as then were looked at for BigInts once, not by goja, which gives 0 for 0 * -5.
func Signed(text string) bool {
	if visible(text) {
		return true
	}
	for i := range len(text) {
		if text[i] == 'n' && mayEndLiteral(text, i) {
			return true
		}
	}
	return false
}

// isDigit tells those of all literals.
func isDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' || c == '_'
}

// ErrPrivate is an assignment that can't be put into other words.
var ErrPrivate = errors.New("an assignment such as f().#x **= y is not supported: write it as two steps")

// Needed tells whether there may be something to rewrite in a text.
func Needed(text string) bool {
	for _, operator := range []string{"**", "<<", ">>"} {
		if strings.Contains(text, operator) {
			return true
		}
	}
	for _, word := range []string{"...", newTarget, taken} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return strings.Count(text, "${") > mostTexts || visible(text)
}

// NeededHere is Needed for a text that is evaluated where another may have made BigInts that nobody
// sees in it.
func NeededHere(text string) bool { return Needed(text) || strings.ContainsAny(text, "<>=*") }

const newTarget = "new.target"

// Rewrite changes the tree of a text. The place is that of what ErrPrivate is about.
func Rewrite(tree *ast.Program, text string) (file.Idx, error) {
	if mayRuleOut(text) {
		openConditions(tree)
	}
	if !Needed(text) {
		return 0, nil
	}
	w := rewriter{products: visible(text), elements: bigArrays(text)}
	w.walk(reflect.ValueOf(tree).Elem().FieldByName("Body"))
	return w.at, w.err
}

// RewriteHere is Rewrite for such a text.
func RewriteHere(tree *ast.Program) (file.Idx, error) {
	openConditions(tree)
	w := rewriter{products: true, elements: true}
	w.walk(reflect.ValueOf(tree).Elem().FieldByName("Body"))
	return w.at, w.err
}

type rewriter struct {
	products bool                 // and comparisons: there are BigInts
	elements bool                 // there are arrays of them
	function kind                 // the innermost that isn't an arrow function
	body     *ast.FunctionLiteral // that of a method or a constructor, and what it is
	bodyIs   kind
	scope    *scope                    // the innermost function, arrow functions too
	names    *ast.ArrowFunctionLiteral // it stands in parameters and takes the function's arguments
	at       file.Idx
	err      error
}

// walk goes through all that a value holds, and puts other expressions in the places of some.
func (w *rewriter) walk(v reflect.Value) {
	switch v.Kind() { //nolint:exhaustive // the rest holds nothing
	case reflect.Interface:
		if v.IsNil() {
			return
		}
		w.walk(v.Elem())
		if e, ok := v.Interface().(ast.Expression); ok && v.CanSet() {
			if other := w.rewritten(e); other != nil {
				v.Set(reflect.ValueOf(other))
			}
		}
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		before := w.function
		w.enter(v.Interface())
		w.enterScope(v.Interface())
		w.walk(v.Elem())
		w.leaveScope(v.Interface())
		w.function = before
	default:
		nodes.Each(v, w.walk)
	}
}

// rewritten is what stands for an expression; nil if it may stay.
func (w *rewriter) rewritten(e ast.Expression) ast.Expression {
	switch e := e.(type) {
	case *ast.BinaryExpression:
		if w.large(e.Operator, e.Left, e.Right) {
			return call(calls[e.Operator], e.Left, e.Right)
		}
		if w.products {
			return comparison(e)
		}
	case *ast.AssignExpression:
		if w.large(e.Operator, e.Left, e.Right) {
			return w.assignment(e)
		}
		if w.elements {
			return element(e)
		}
	case *ast.CallExpression:
		spread(e.ArgumentList)
	case *ast.NewExpression:
		spread(e.ArgumentList)
	case *ast.ArrayLiteral:
		items(e.Value)
	case *ast.ArrowFunctionLiteral:
		if w.names == e {
			return named(e.Start, e)
		}
	case *ast.MetaProperty:
		if e.Meta.Name == "new" {
			return w.target(e)
		}
	case *ast.TemplateLiteral:
		if e.Tag == nil && len(e.Expressions) > mostTexts {
			return parts(e)
		}
	}
	return nil
}

// large tells whether an operation may have a result that is much larger than its operands.
func (w *rewriter) large(operator token.Token, left, right ast.Expression) bool {
	switch operator { //nolint:exhaustive // see calls
	case token.EXPONENT:
		return true // goja's isn't exact with numbers, either
	case token.SHIFT_LEFT, token.SHIFT_RIGHT:
		return !isNumber(left) && !isNumber(right) && !isSmall(right, shiftBits)
	case token.MULTIPLY:
		return w.products && !isNumber(left) && !isNumber(right) && !isSmall(left, smallBits) && !isSmall(right, smallBits)
	}
	return false
}

// isNumber tells what can't be a BigInt, or throws: a BigInt and a number are never operands of one
// operator.
func isNumber(e ast.Expression) bool {
	switch e := e.(type) {
	case *ast.NumberLiteral:
		_, isBig := e.Value.(*big.Int)
		return !isBig
	case *ast.StringLiteral, *ast.BooleanLiteral, *ast.NullLiteral:
		return true
	case *ast.UnaryExpression:
		return e.Operator == token.PLUS || (e.Operator == token.MINUS || e.Operator == token.BITWISE_NOT) && isNumber(e.Operand)
	case *ast.BinaryExpression:
		switch e.Operator { //nolint:exhaustive // others give anything
		case token.UNSIGNED_SHIFT_RIGHT:
			return true
		case token.MINUS, token.MULTIPLY, token.SLASH, token.REMAINDER, token.AND, token.OR, token.EXCLUSIVE_OR, token.SHIFT_LEFT, token.SHIFT_RIGHT:
			return isNumber(e.Left) || isNumber(e.Right)
		}
	case *ast.CallExpression: // that was an operator
		if id, ok := e.Callee.(*ast.Identifier); ok && slices.Contains(arithmetic, id.Name.String()) {
			return isNumber(e.ArgumentList[0]) || isNumber(e.ArgumentList[1])
		}
	}
	return false
}

// isSmall tells a literal BigInt of no more bits.
func isSmall(e ast.Expression, bits int) bool {
	n, ok := e.(*ast.NumberLiteral)
	if !ok {
		return false
	}
	b, ok := n.Value.(*big.Int)
	return ok && b.BitLen() <= bits
}

func call(name string, arguments ...ast.Expression) ast.Expression {
	first, last := arguments[0], arguments[len(arguments)-1]
	return &ast.CallExpression{
		Callee:          &ast.Identifier{Name: unistring.NewFromString(name), Idx: first.Idx0()},
		LeftParenthesis: first.Idx0(), ArgumentList: arguments, RightParenthesis: last.Idx1(),
	}
}

// assignment is a = a ** b for a **= b.
func (w *rewriter) assignment(e *ast.AssignExpression) ast.Expression {
	set := func() ast.Expression {
		return &ast.AssignExpression{Operator: token.ASSIGN, Left: e.Left, Right: call(calls[e.Operator], e.Left, e.Right)}
	}
	apart := func(object, key ast.Expression) ast.Expression {
		name := &ast.StringLiteral{Idx: e.Idx0(), Value: unistring.NewFromString(calls[e.Operator])}
		return call(Assign, name, object, key, e.Right)
	}
	switch left := e.Left.(type) {
	case *ast.Identifier:
		return set()
	case *ast.DotExpression:
		if isStill(left.Left) {
			return set()
		}
		return apart(left.Left, &ast.StringLiteral{Idx: left.Identifier.Idx, Value: left.Identifier.Name})
	case *ast.BracketExpression:
		if isStill(left.Left) && isStill(left.Member) {
			return set()
		}
		if _, isSuper := left.Left.(*ast.SuperExpression); !isSuper {
			return apart(left.Left, left.Member)
		}
	case *ast.PrivateDotExpression:
		if isStill(left.Left) {
			return set()
		}
	}
	w.at, w.err = e.Idx0(), ErrPrivate
	return nil
}

// isStill tells what may be evaluated twice.
func isStill(e ast.Expression) bool {
	switch e.(type) {
	case *ast.Identifier, *ast.ThisExpression, *ast.SuperExpression, *ast.StringLiteral, *ast.NumberLiteral:
		return true
	}
	return false
}

// parts joins a long template piece by piece.
func parts(e *ast.TemplateLiteral) ast.Expression {
	var out ast.Expression
	for i := 0; i < len(e.Expressions); i += mostTexts {
		end := min(i+mostTexts, len(e.Expressions))
		part := &ast.TemplateLiteral{OpenQuote: e.OpenQuote, CloseQuote: e.CloseQuote, Expressions: e.Expressions[i:end]}
		part.Elements = append(part.Elements, e.Elements[i:end]...)
		last := e.Elements[len(e.Elements)-1]
		if end < len(e.Expressions) {
			empty := unistring.NewFromString("")
			last = &ast.TemplateElement{Idx: e.Elements[end].Idx, Parsed: empty, Valid: true}
		}
		if part.Elements = append(part.Elements, last); out == nil {
			out = part
		} else {
			out = call(Join, out, part)
		}
	}
	return out
}
