package dates

import "unicode"

type kind int

const (
	end kind = iota
	number
	symbol
	space
	word
	unknown
)

// what a word means.
type meaning int

const (
	garbage meaning = iota
	month
	half // of the day
	zone
	separator // of date and time
)

type token struct {
	kind   kind
	value  int // a number's, a symbol's character, a word's
	length int
	means  meaning
}

func (t token) is(c rune) bool          { return t.kind == symbol && t.value == int(c) }
func (t token) isSign() bool            { return t.is('+') || t.is('-') }
func (t token) digits(n int) bool       { return t.kind == number && t.length == n }
func (t token) isZ() bool               { return t.kind == word && t.means == zone && t.length == 1 }
func (t token) within(low, hi int) bool { return t.value >= low && t.value <= hi }

// significant is how many digits of a number count.
const significant = 9

// prefix is how many letters of a word count.
const prefix = 3

var words = map[string]token{
	"jan": {means: month, value: 1}, "feb": {means: month, value: 2}, "mar": {means: month, value: 3}, "apr": {means: month, value: 4},
	"may": {means: month, value: 5}, "jun": {means: month, value: 6}, "jul": {means: month, value: 7}, "aug": {means: month, value: 8},
	"sep": {means: month, value: 9}, "oct": {means: month, value: 10}, "nov": {means: month, value: 11}, "dec": {means: month, value: 12},
	"am": {means: half, value: 0}, "pm": {means: half, value: 12},
	"ut": {means: zone}, "utc": {means: zone}, "z": {means: zone}, "gmt": {means: zone},
	"est": {means: zone, value: -5}, "edt": {means: zone, value: -4}, "cst": {means: zone, value: -6}, "cdt": {means: zone, value: -5},
	"mst": {means: zone, value: -7}, "mdt": {means: zone, value: -6}, "pst": {means: zone, value: -8}, "pdt": {means: zone, value: -7},
	"t": {means: separator},
}

// scanner cuts a text into tokens, of which it shows the next.
type scanner struct {
	text []rune
	at   int
	peek token
}

func scan(text string) *scanner {
	s := &scanner{text: []rune(text)}
	s.next()
	return s
}

// next gives the token that was shown.
func (s *scanner) next() token {
	t := s.peek
	s.peek = s.read()
	return t
}

func (s *scanner) skip(c rune) bool {
	if s.peek.is(c) {
		s.next()
		return true
	}
	return false
}

func (s *scanner) read() token {
	if s.at >= len(s.text) {
		return token{}
	}
	switch c := s.text[s.at]; {
	case c >= '0' && c <= '9':
		return s.number()
	case c == ':' || c == '-' || c == '+' || c == '.' || c == ')':
		s.at++
		return token{kind: symbol, value: int(c)}
	case c >= 'A' && !isSpace(c):
		return s.word()
	case isSpace(c):
		for s.at < len(s.text) && isSpace(s.text[s.at]) {
			s.at++
		}
		return token{kind: space}
	case c == '(':
		s.comment()
		return token{kind: unknown}
	}
	s.at++
	return token{kind: unknown}
}

func (s *scanner) number() token {
	t := token{kind: number}
	counted, leading := 0, true
	for ; s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9'; s.at++ {
		t.length++
		if leading = leading && s.text[s.at] == '0'; leading {
			continue
		}
		if counted++; counted <= significant {
			t.value = t.value*10 + int(s.text[s.at]-'0')
		}
	}
	return t
}

func (s *scanner) word() token {
	var start []rune
	length := 0
	for ; s.at < len(s.text) && s.text[s.at] >= 'A' && !isSpace(s.text[s.at]); s.at++ {
		c := s.text[s.at]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if length++; length <= prefix {
			start = append(start, c)
		}
	}
	t := words[string(start)]
	if length > prefix && t.means != month {
		t = token{}
	}
	t.kind, t.length = word, length
	return t
}

// comment goes over parentheses and what is in them, to the end where they aren't closed.
func (s *scanner) comment() {
	for depth := 0; s.at < len(s.text); {
		switch s.text[s.at] {
		case '(':
			depth++
		case ')':
			depth--
		}
		if s.at++; depth == 0 {
			return
		}
	}
}

func isSpace(c rune) bool {
	return c == '\t' || c == '\n' || c == '\v' || c == '\f' || c == '\r' || c == 0x2028 || c == 0x2029 || c == 0xfeff || unicode.Is(unicode.Zs, c)
}
