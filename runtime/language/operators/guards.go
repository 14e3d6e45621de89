package operators

import (
	"math/big"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/token"
	"github.com/dop251/goja/unistring"
)

// Names of the functions that the rest of what is rewritten calls: Spread with what is spread into
// the arguments of a call, Items with what is spread into an array, Join with two texts, Element
// with what an element of an array becomes, the others with two operands.
const (
	Spread       = "<...>"
	Items        = "<[...]>"
	Join         = "<$>"
	Element      = "<[]=>"
	Less         = "<less>"
	Greater      = "<greater>"
	LessEqual    = "<lessequal>"
	GreaterEqual = "<greaterequal>"
	Equal        = "<equal>"
	NotEqual     = "<notequal>"
)

// comparisons make a BigInt of a text that one is compared with: goja does it in Go, for as long as
// the text's length squared.
var comparisons = map[token.Token]string{
	token.LESS: Less, token.GREATER: Greater, token.LESS_OR_EQUAL: LessEqual, token.GREATER_OR_EQUAL: GreaterEqual,
	token.EQUAL: Equal, token.NOT_EQUAL: NotEqual,
}

// shortText is how long a literal may be that nobody needs to look at.
const shortText = 1000

// bigArrays are those whose elements are BigInts: a text that is assigned to one becomes such.
func bigArrays(text string) bool {
	return strings.Contains(text, "BigInt64Array") || strings.Contains(text, "BigUint64Array")
}

// spread has a function look at what is spread into the arguments of a call. goja puts them one by
// one on its stack, in one step, and copies that for each thousand: the function sees how many
// there are before, and makes room for them.
func spread(list []ast.Expression) { lookedAt(Spread, list) }

// items has a function look at what is spread into an array: goja takes the characters of a text
// one by one, in one step.
func items(list []ast.Expression) { lookedAt(Items, list) }

func lookedAt(name string, list []ast.Expression) {
	for _, a := range list {
		if s, ok := a.(*ast.SpreadElement); ok {
			s.Expression = looked(name, s.Expression)
		}
	}
}

// comparison is one of operands that may be a BigInt and a text; nil if they can't.
func comparison(e *ast.BinaryExpression) ast.Expression {
	name, ok := comparisons[e.Operator]
	if !ok || isHarmless(e.Left) || isHarmless(e.Right) {
		return nil
	}
	checked := call(name, e.Left, e.Right)
	id, ok := e.Left.(*ast.Identifier)
	if !ok {
		return checked
	}
	// A number is compared with a text as a number: the loops that count stay as fast as they were.
	number := &ast.BinaryExpression{
		Operator: token.STRICT_EQUAL, Left: &ast.UnaryExpression{Operator: token.TYPEOF, Idx: e.Idx0(), Operand: id},
		Right: &ast.StringLiteral{Idx: e.Idx0(), Literal: `"number"`, Value: unistring.NewFromString("number")},
	}
	return &ast.ConditionalExpression{Test: number, Consequent: e, Alternate: checked}
}

// isHarmless tells what is neither a BigInt nor a long text.
func isHarmless(e ast.Expression) bool {
	switch e := e.(type) {
	case *ast.StringLiteral:
		return len(e.Value) <= shortText
	case *ast.NumberLiteral:
		_, isBig := e.Value.(*big.Int)
		return !isBig
	case *ast.UnaryExpression:
		return e.Operator == token.TYPEOF || e.Operator == token.VOID || e.Operator == token.NOT || isNumber(e)
	case *ast.Identifier:
		return e.Name == "undefined" || e.Name == "NaN" || e.Name == "Infinity"
	case *ast.ObjectLiteral, *ast.FunctionLiteral, *ast.ArrowFunctionLiteral, *ast.RegExpLiteral:
		return false
	}
	return isNumber(e)
}

// element is an assignment to what may be an element of such an array; nil if it isn't one.
func element(e *ast.AssignExpression) ast.Expression {
	if _, ok := e.Left.(*ast.BracketExpression); !ok || e.Operator != token.ASSIGN || isHarmless(e.Right) {
		return nil
	}
	return &ast.AssignExpression{Operator: token.ASSIGN, Left: e.Left, Right: call(Element, e.Right)}
}

// MaxLiteral is how many digits a BigInt may have in a text: goja makes a number of them where it
// parses, and nothing interrupts that.
const MaxLiteral = 10_000

// LongLiteral finds a BigInt with more digits; -1 if there is none.
func LongLiteral(text string) int {
	begin := 0
	for i := range len(text) {
		if c := text[i]; c >= '0' && c <= '9' || c == '_' {
			continue
		}
		if text[i] == 'n' && i-begin > MaxLiteral {
			return begin
		}
		begin = i + 1
	}
	return -1
}

// looked has a function look at what is spread. goja notes the call where it would note the
// expression, by which what isn't iterable is named.
func looked(name string, e ast.Expression) ast.Expression {
	guarded := call(name, e)
	if c, ok := guarded.(*ast.CallExpression); ok {
		c.LeftParenthesis = Noted(e)
	}
	return guarded
}

// Noted is the place that goja notes for what it makes of an expression.
func Noted(e ast.Expression) file.Idx {
	switch e := e.(type) {
	case *ast.CallExpression:
		return e.LeftParenthesis
	case *ast.DotExpression:
		return e.Identifier.Idx
	case *ast.BracketExpression:
		return e.LeftBracket
	case *ast.OptionalChain:
		return Noted(e.Expression)
	}
	return e.Idx0()
}
