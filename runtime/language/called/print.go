package called

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/dop251/goja/ast"
	"github.com/dop251/goja/token"
)

// between stands for what has no short name.
const between = "(intermediate value)"

// maxText bounds what is printed of an expression.
const maxText = 200

// print is an expression in V8's words.
func print(e ast.Expression) string {
	var p printer
	p.print(e)
	text := p.String()
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	if text == "" {
		return between
	}
	return text
}

type printer struct{ strings.Builder }

func (p *printer) write(parts ...string) {
	for _, part := range parts {
		if p.Len() <= maxText {
			p.WriteString(part)
		}
	}
}

func (p *printer) print(e ast.Expression) {
	if p.Len() > maxText {
		return
	}
	switch e := e.(type) {
	case *ast.Identifier:
		p.write(e.Name.String())
	case *ast.ThisExpression:
		p.write("this")
	case *ast.DotExpression:
		p.member(e.Left, "."+e.Identifier.Name.String())
	case *ast.PrivateDotExpression:
		p.print(e.Left)
		p.write("[#", e.Identifier.Name.String(), "]")
	case *ast.BracketExpression:
		p.bracket(e)
	case *ast.OptionalChain:
		p.print(e.Expression)
	case *ast.Optional:
		p.print(e.Expression)
	case *ast.CallExpression:
		p.print(e.Callee)
		p.write("(...)")
	case *ast.SequenceExpression:
		p.sequence(e)
	case *ast.AssignExpression:
		p.print(e.Left)
	case *ast.BinaryExpression:
		p.write("(")
		p.print(e.Left)
		p.write(" ", e.Operator.String(), " ")
		p.print(e.Right)
		p.write(")")
	case *ast.UnaryExpression:
		p.unary(e)
	case *ast.ConditionalExpression:
		p.write(between, between, between)
	case *ast.ArrayLiteral:
		p.array(e)
	case *ast.ObjectLiteral:
		p.write("{", strings.Repeat(between, min(len(e.Value), maxText)), "}")
	case *ast.SpreadElement:
		p.write("(...")
		p.print(e.Expression)
		p.write(")")
	case *ast.TemplateLiteral:
		p.template(e)
	default:
		p.literal(e)
	}
}

func (p *printer) literal(e ast.Expression) {
	switch e := e.(type) {
	case *ast.StringLiteral:
		p.write(`"`, e.Value.String(), `"`)
	case *ast.NullLiteral:
		p.write("null")
	case *ast.BooleanLiteral:
		p.write(strconv.FormatBool(e.Value))
	case *ast.RegExpLiteral:
		p.write("/", e.Pattern, "/", e.Flags)
	case *ast.NumberLiteral:
		switch n := e.Value.(type) {
		case *big.Int:
			p.write(between)
		case float64:
			text := strconv.FormatFloat(n, 'g', -1, 64)
			if n < 1e21 && n >= 1e-6 {
				text = strconv.FormatFloat(n, 'f', -1, 64)
			}
			p.write(text)
		default:
			p.write(fmt.Sprint(n))
		}
	default: // functions, classes, what is made with new, super
		p.write(between)
	}
}

// member writes a property of what may be a link in an optional chain.
func (p *printer) member(of ast.Expression, name string) {
	p.print(of)
	if _, optional := of.(*ast.Optional); optional {
		name = "?." + strings.TrimPrefix(name, ".")
	}
	p.write(name)
}

func (p *printer) bracket(e *ast.BracketExpression) {
	switch key := e.Member.(type) {
	case *ast.StringLiteral:
		p.member(e.Left, "."+key.Value.String())
		return
	case *ast.TemplateLiteral:
		if key.Tag == nil && len(key.Expressions) == 0 && len(key.Elements) == 1 {
			p.member(e.Left, "."+key.Elements[0].Parsed.String())
			return
		}
	}
	p.member(e.Left, "[")
	p.key(e.Member)
	p.write("]")
}

func (p *printer) key(e ast.Expression) {
	// A negative number is one.
	if u, ok := e.(*ast.UnaryExpression); ok && u.Operator == token.MINUS {
		if n, ok := u.Operand.(*ast.NumberLiteral); ok {
			p.write("-")
			p.print(n)
			return
		}
	}
	p.print(e)
}

// sequence also is how bundlers call what a module imports, without its this: (0, module.name)().
// Of that the name counts.
func (p *printer) sequence(e *ast.SequenceExpression) {
	if zero, ok := e.Sequence[0].(*ast.NumberLiteral); ok && len(e.Sequence) == 2 && zero.Literal == "0" {
		if dot, ok := e.Sequence[1].(*ast.DotExpression); ok {
			if module, ok := dot.Left.(*ast.Identifier); ok && strings.HasPrefix(module.Name.String(), "import_") {
				p.write(dot.Identifier.Name.String())
				return
			}
		}
	}
	p.write("(")
	for i, one := range e.Sequence {
		if i > 0 {
			p.write(" , ")
		}
		p.print(one)
	}
	p.write(")")
}

func (p *printer) unary(e *ast.UnaryExpression) {
	operator := e.Operator.String()
	zero, isNumber := e.Operand.(*ast.NumberLiteral)
	switch {
	case e.Operator == token.VOID && isNumber && zero.Literal == "0": // as compilers write it
		p.write("undefined")
		return
	case e.Postfix:
		p.write("(")
		p.print(e.Operand)
		p.write(operator, ")")
		return
	case e.Operator == token.TYPEOF || e.Operator == token.VOID || e.Operator == token.DELETE:
		operator += " "
	}
	p.write("(", operator)
	p.print(e.Operand)
	p.write(")")
}

func (p *printer) array(e *ast.ArrayLiteral) {
	p.write("[")
	for i, item := range e.Value {
		if i > 0 {
			p.write(",")
		}
		if item == nil {
			p.write(between)
			continue
		}
		p.print(item)
	}
	p.write("]")
}

// template writes what is put into the text, as V8 does, which has no words for the text.
func (p *printer) template(e *ast.TemplateLiteral) {
	if e.Tag != nil {
		p.print(e.Tag)
		p.write("(...)")
		return
	}
	if len(e.Expressions) == 0 && len(e.Elements) == 1 {
		p.write(`"`, e.Elements[0].Parsed.String(), `"`)
		return
	}
	for _, inside := range e.Expressions {
		p.print(inside)
	}
}
