package pattern

import (
	"fmt"
	"strings"
)

// Flags are what follows the expression.
type Flags uint16

const (
	HasIndices  Flags = 1 << iota // d
	Global                        // g
	IgnoreCase                    // i
	Multiline                     // m
	DotAll                        // s
	Unicode                       // u
	UnicodeSets                   // v
	Sticky                        // y
)

const flagLetters = "dgimsuvy" // in the order of the bits, and of RegExp.prototype.flags

// ParseFlags reads them. None may be named twice, and u and v exclude each other.
func ParseFlags(text string) (Flags, error) {
	var f Flags
	for _, c := range text {
		i := strings.IndexRune(flagLetters, c)
		if i < 0 || f&(1<<i) != 0 {
			return 0, &FlagsError{text}
		}
		f |= 1 << i
	}
	if f&Unicode != 0 && f&UnicodeSets != 0 {
		return 0, &FlagsError{text}
	}
	return f, nil
}

func (f Flags) String() string {
	var b strings.Builder
	for i := range flagLetters {
		if f&(1<<i) != 0 {
			b.WriteByte(flagLetters[i])
		}
	}
	return b.String()
}

// FullUnicode says whether the text is one of code points, with u or v, instead of UTF-16's units.
func (f Flags) FullUnicode() bool { return f&(Unicode|UnicodeSets) != 0 }

// FlagsError is flags that there aren't.
type FlagsError struct{ Flags string }

func (e *FlagsError) Error() string {
	return fmt.Sprintf("Invalid flags supplied to RegExp constructor '%s'", e.Flags)
}

// SyntaxError is what is wrong with an expression, in V8's words.
type SyntaxError struct {
	Source, Flags string
	Reason        string
	// Offset is where, in units of UTF-16.
	Offset int
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("Invalid regular expression: /%s/%s: %s", e.Source, e.Flags, e.Reason)
}
