package activities

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
)

const (
	// A pattern's compiler and matcher recurse with its groups, on a stack whose overflow ends the process.
	longestPattern = 10_000
	deepestPattern = 100
	// In machine words. The engine's own 100,000 are used up by matching (?:a|b)* against as many characters.
	backtrackingStack = 4 << 20
)

var errPatternTimeout = errors.New("the match took too long")

// pattern is a regular expression of JavaScript without flags. It may backtrack, and so is given a limit of time.
type pattern struct {
	source  string
	timeout time.Duration
	engine  *regexp2.Regexp
}

func compilePattern(source string, timeout time.Duration) (*pattern, error) {
	if len(source) > longestPattern {
		return nil, fmt.Errorf("it is longer than %d bytes", longestPattern)
	}
	translated, err := translatePattern(source)
	if err != nil {
		return nil, err
	}
	engine, err := regexp2.Compile(translated, regexp2.ECMAScript, regexp2.OptionMaxBacktrackingStackSize(backtrackingStack))
	if err != nil {
		return nil, err
	}
	engine.MatchTimeout = timeout
	return &pattern{source: source, timeout: timeout, engine: engine}, nil
}

// matches reports whether the pattern matches anywhere in s, as RegExp.prototype.test does: on UTF-16 code units.
func (p *pattern) matches(s string) (bool, error) {
	units := utf16.Encode([]rune(s))
	runes := make([]rune, len(units))
	for i, u := range units {
		runes[i] = rune(u)
	}
	began := time.Now()
	ok, err := p.engine.MatchRunes(runes)
	if err != nil && time.Since(began) >= p.timeout {
		return false, errPatternTimeout // the engine's own message quotes the whole input
	}
	return ok, err
}

// translatePattern says in regexp2's syntax what a pattern means in JavaScript's. regexp2 has an ECMAScript mode; this is what the mode
// leaves over: .NET's groups and class subtraction, which JavaScript doesn't have, and a few escapes that mean something else.
func translatePattern(source string) (string, error) {
	t := translator{rest: source}
	for t.rest != "" {
		if err := t.next(); err != nil {
			return "", err
		}
	}
	return t.out.String(), nil
}

type translator struct {
	out     strings.Builder
	rest    string
	inClass bool
	depth   int
}

func (t *translator) next() error {
	r, size := utf8.DecodeRuneInString(t.rest)
	switch {
	case r == '\\':
		t.escape()
		return nil
	case t.inClass:
		t.class(r, size)
		return nil
	}
	switch r {
	case '[':
		t.inClass = true
	case '(':
		if t.depth++; t.depth > deepestPattern {
			return fmt.Errorf("its groups nest deeper than %d", deepestPattern)
		}
		if err := checkGroup(t.rest); err != nil {
			return err
		}
	case ')':
		t.depth--
	case '.': // regexp2 lets it match the line separators
		t.replace(size, `[^\n\r\u2028\u2029]`)
		return nil
	}
	t.literal(r, size)
	return nil
}

func (t *translator) class(r rune, size int) {
	switch r {
	case ']':
		t.inClass = false
		t.replace(size, "]")
	case '[': // "[a-z-[aeiou]]" is a subtraction in .NET
		t.replace(size, `\[`)
	default:
		t.literal(r, size)
	}
}

// escape copies a backslash and what it escapes.
func (t *translator) escape() {
	if len(t.rest) == 1 {
		t.replace(1, `\`) // regexp2 complains
		return
	}
	r, size := utf8.DecodeRuneInString(t.rest[1:])
	switch {
	case r == 'b' && !t.inClass: // regexp2's knows letters beyond ASCII
		t.replace(1+size, `(?:(?<=\w)(?!\w)|(?<!\w)(?=\w))`)
	case r == 'B' && !t.inClass:
		t.replace(1+size, `(?:(?<=\w)(?=\w)|(?<!\w)(?!\w))`)
	case r == 'a' || r == 'e': // the bell and the escape character in .NET, themselves in JavaScript
		t.replace(1+size, string(r))
	case r == 'c' && !isLetter(t.rest[2:]): // no control character: a backslash and a "c"
		t.replace(1+size, `\\c`)
	case r >= 0x10000:
		t.rest = t.rest[1:]
		t.literal(r, size)
	default:
		t.replace(1+size, t.rest[:1+size])
	}
}

// literal copies a character; one beyond the basic plane is two of JavaScript's.
func (t *translator) literal(r rune, size int) {
	if r < 0x10000 {
		t.replace(size, t.rest[:size])
		return
	}
	high, low := utf16.EncodeRune(r)
	t.replace(size, fmt.Sprintf(`\u%04x\u%04x`, high, low))
}

func (t *translator) replace(size int, with string) {
	t.out.WriteString(with)
	t.rest = t.rest[size:]
}

func isLetter(s string) bool {
	return s != "" && (s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z')
}

// checkGroup refuses the groups that .NET has and JavaScript hasn't.
func checkGroup(s string) error {
	if !strings.HasPrefix(s, "(?") {
		return nil
	}
	for _, known := range []string{"(?:", "(?=", "(?!", "(?<"} {
		if strings.HasPrefix(s, known) {
			return nil
		}
	}
	return errors.New("invalid group")
}
