package activities

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf16"

	engine "workflow-worker/runtime/language/pattern"
)

// In bytes. A longer one is no check of a field.
const longestPattern = 10_000

var errPatternTimeout = errors.New("the match took too long")

// pattern is a regular expression of JavaScript without flags. It may go back and forth, and so is
// given a limit of time.
type pattern struct {
	source  string
	timeout time.Duration
	program *engine.Program
}

func compilePattern(source string, timeout time.Duration) (*pattern, error) {
	if len(source) > longestPattern {
		return nil, fmt.Errorf("it is longer than %d bytes", longestPattern)
	}
	program, err := engine.Compile(utf16.Encode([]rune(source)), "")
	if err != nil {
		return nil, err
	}
	return &pattern{source: source, timeout: timeout, program: program}, nil
}

// matches reports whether the pattern matches anywhere in s, as RegExp.prototype.test does.
func (p *pattern) matches(s string) (bool, error) {
	deadline := time.Now().Add(p.timeout)
	m := engine.Machine{Poll: func() error {
		if time.Now().After(deadline) {
			return errPatternTimeout
		}
		return nil
	}}
	found, err := m.MatchUTF16(p.program, utf16.Encode([]rune(s)), 0)
	return found != nil, err
}
