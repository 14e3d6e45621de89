package intl

import "strings"

// field is one of a date's, in the order that ICU gives them: skeletons are compared field by
// field.
type field int

const (
	eraField field = iota
	yearField
	quarterField
	monthField
	weekField
	weekOfMonthField
	weekdayField
	dayOfYearField
	dayOfWeekField
	dayField
	periodField
	hourField
	minuteField
	secondField
	fractionField
	zoneField
	fieldCount
)

// Kinds of a field's texts. Those of digits are above zero, and grow by the number of digits; kinds
// that are near each other may stand in for one another. The numbers are ICU's: they decide which
// of two formats is the nearer.
const (
	narrowKind  = -0x101
	shorterKind = -0x102
	shortKind   = -0x103
	longKind    = -0x104
	numericKind = 0x100
	delta       = 0x10
)

// letterKind says which field a letter of CLDR's patterns is, from which length on, and of which
// kind.
type letterKind struct {
	letter byte
	field  field
	kind   int
	least  int
}

var letterKinds = []letterKind{
	{'G', eraField, shortKind, 1}, {'G', eraField, longKind, 4}, {'G', eraField, narrowKind, 5},
	{'y', yearField, numericKind, 1}, {'Y', yearField, numericKind + delta, 1}, {'u', yearField, numericKind + 2*delta, 1},
	{'Q', quarterField, numericKind, 1}, {'Q', quarterField, shortKind, 3}, {'Q', quarterField, longKind, 4}, {'Q', quarterField, narrowKind, 5},
	{'q', quarterField, numericKind + delta, 1}, {'q', quarterField, shortKind - delta, 3}, {'q', quarterField, longKind - delta, 4},
	{'M', monthField, numericKind, 1}, {'M', monthField, shortKind, 3}, {'M', monthField, longKind, 4}, {'M', monthField, narrowKind, 5},
	{'L', monthField, numericKind + delta, 1}, {'L', monthField, shortKind - delta, 3}, {'L', monthField, longKind - delta, 4},
	{'L', monthField, narrowKind - delta, 5},
	{'w', weekField, numericKind, 1}, {'W', weekOfMonthField, numericKind, 1},
	{'E', weekdayField, shortKind, 1}, {'E', weekdayField, longKind, 4}, {'E', weekdayField, narrowKind, 5}, {'E', weekdayField, shorterKind, 6},
	{'c', weekdayField, numericKind + 2*delta, 1}, {'c', weekdayField, shortKind - 2*delta, 3}, {'c', weekdayField, longKind - 2*delta, 4},
	{'c', weekdayField, narrowKind - 2*delta, 5}, {'c', weekdayField, shorterKind - 2*delta, 6},
	{'e', weekdayField, numericKind + delta, 1}, {'e', weekdayField, shortKind - delta, 3}, {'e', weekdayField, longKind - delta, 4},
	{'e', weekdayField, narrowKind - delta, 5},
	{'d', dayField, numericKind, 1}, {'g', dayField, numericKind + delta, 1},
	{'D', dayOfYearField, numericKind, 1}, {'F', dayOfWeekField, numericKind, 1},
	{'a', periodField, shortKind, 1}, {'a', periodField, longKind, 4}, {'a', periodField, narrowKind, 5},
	{'b', periodField, shortKind - delta, 1}, {'b', periodField, longKind - delta, 4}, {'b', periodField, narrowKind - delta, 5},
	{'B', periodField, shortKind - 3*delta, 1}, {'B', periodField, longKind - 3*delta, 4}, {'B', periodField, narrowKind - 3*delta, 5},
	{'H', hourField, numericKind + 10*delta, 1}, {'k', hourField, numericKind + 11*delta, 1},
	{'h', hourField, numericKind, 1}, {'K', hourField, numericKind + delta, 1},
	{'m', minuteField, numericKind, 1},
	{'s', secondField, numericKind, 1}, {'A', secondField, numericKind + delta, 1},
	{'S', fractionField, numericKind, 1},
	{'v', zoneField, shortKind - 2*delta, 1}, {'v', zoneField, longKind - 2*delta, 4},
	{'z', zoneField, shortKind, 1}, {'z', zoneField, longKind, 4},
	{'Z', zoneField, narrowKind - delta, 1}, {'Z', zoneField, longKind - delta, 4}, {'Z', zoneField, shortKind - delta, 5},
	{'O', zoneField, shortKind - delta, 1}, {'O', zoneField, longKind - delta, 4},
	{'V', zoneField, shortKind - delta, 1}, {'V', zoneField, longKind - delta, 4},
}

// kindOf finds a letter of some length.
func kindOf(letter byte, length int) (letterKind, bool) {
	var found letterKind
	for _, k := range letterKinds {
		if k.letter == letter && k.least <= length {
			found = k
		}
	}
	return found, found.letter != 0
}

// token is a field of a pattern, or a text in it.
type token struct {
	letter  byte
	length  int
	literal string
}

// tokens reads a pattern: "d. MMMM 'of' y".
func tokens(pattern string) []token {
	var out []token
	quoted := false
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c == '\'' && i+1 < len(pattern) && pattern[i+1] == '\'':
			out = addLiteral(out, "'")
			i += 2
		case c == '\'':
			quoted = !quoted
			i++
		case !quoted && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'):
			n := 1
			for i+n < len(pattern) && pattern[i+n] == c {
				n++
			}
			out = append(out, token{letter: c, length: n})
			i += n
		default:
			out = addLiteral(out, pattern[i:i+1])
			i++
		}
	}
	return out
}

func addLiteral(list []token, text string) []token {
	if n := len(list); n > 0 && list[n-1].letter == 0 {
		list[n-1].literal += text
		return list
	}
	return append(list, token{literal: text})
}

// patternOf writes tokens as a pattern.
func patternOf(list []token) string {
	var b strings.Builder
	for _, t := range list {
		if t.letter != 0 {
			b.WriteString(strings.Repeat(string(t.letter), t.length))
			continue
		}
		text := strings.ReplaceAll(t.literal, "'", "''")
		if strings.ContainsAny(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz{}") {
			text = "'" + text + "'"
		}
		b.WriteString(text)
	}
	return b.String()
}

// skeleton says which fields there are, with their kinds; 0 is none.
type skeleton struct {
	kinds [fieldCount]int
	// letters and lengths are as they were asked for.
	letters [fieldCount]byte
	lengths [fieldCount]int
	// base has the least length of each kind.
	base [fieldCount]token
	// exactHours wants hours of just as many digits.
	exactHours bool
}

// skeletonOf reads a skeleton, or the fields of a pattern.
func skeletonOf(text string) skeleton {
	var s skeleton
	for _, t := range tokens(text) {
		if k, ok := kindOf(t.letter, t.length); ok && t.letter != 0 {
			s.set(k, t)
		}
	}
	if s.kinds[minuteField] != 0 && s.kinds[fractionField] != 0 && s.kinds[secondField] == 0 {
		s.add('s')
	}
	switch {
	case s.kinds[hourField] == 0:
	case s.letters[hourField] != 'h' && s.letters[hourField] != 'K':
		s.kinds[periodField], s.letters[periodField], s.lengths[periodField], s.base[periodField] = 0, 0, 0, token{}
	case s.kinds[periodField] == 0:
		s.add('a')
	}
	return s
}

func (s *skeleton) add(letter byte) {
	k, _ := kindOf(letter, 1)
	s.set(k, token{letter: letter, length: 1})
}

func (s *skeleton) set(k letterKind, t token) {
	s.letters[k.field], s.lengths[k.field] = t.letter, t.length
	s.base[k.field] = token{letter: k.letter, length: k.least}
	s.kinds[k.field] = k.kind
	if k.kind > 0 {
		s.kinds[k.field] += t.length
	}
}

// baseText is what formats of the same base have in common.
func (s *skeleton) baseText() string {
	var list []token
	for _, t := range s.base {
		if t.letter != 0 {
			list = append(list, t)
		}
	}
	return patternOf(list)
}

// fields gives those that are there, one bit each.
func (s *skeleton) fields() int {
	mask := 0
	for f, kind := range s.kinds {
		if kind != 0 {
			mask |= 1 << f
		}
	}
	return mask
}
