package intl

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Error is what JavaScript is to throw.
type Error struct {
	// Type is RangeError or TypeError.
	Type    string
	Message string
}

func (e *Error) Error() string { return e.Type + ": " + e.Message }

func rangeError(format string, args ...any) error {
	return &Error{"RangeError", fmt.Sprintf(format, args...)}
}

func typeError(format string, args ...any) error {
	return &Error{"TypeError", fmt.Sprintf(format, args...)}
}

// Options are the properties of an options object that are not undefined: strings, float64 and
// bool.
type Options map[string]any

// Part is a piece of a formatted text, with its type as formatToParts names it.
type Part struct{ Type, Value string }

// Text joins parts.
func Text(parts []Part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Value)
	}
	return b.String()
}

// Entry is a property of resolvedOptions.
type Entry struct {
	Name  string
	Value any
}

// reader reads options and keeps the first mistake.
type reader struct {
	service string
	o       Options
	err     error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// text reads an option that is one of values; fallback if it isn't there.
func (r *reader) text(name, fallback string, values ...string) string {
	v, ok := r.o[name]
	if !ok {
		return fallback
	}
	s := toString(v)
	if !slices.Contains(values, s) {
		r.fail(rangeError("Value %s out of range for Intl.%s options property %s", s, r.service, name))
	}
	return s
}

// number reads an option that is a whole number from low to high; -1 if it isn't there.
func (r *reader) number(name string, low, high int) int {
	v, ok := r.o[name]
	if !ok {
		return -1
	}
	f := toNumber(v)
	if math.IsNaN(f) || f < float64(low) || f > float64(high) {
		r.fail(rangeError("%s value is out of range.", name))
		return low
	}
	return int(math.Floor(f))
}

// extended reads an option that a locale's extension may give, too: the option if it is known, else
// the extension, else fallback. The tag keeps an extension only if it is what came out.
func (r *reader) extended(tag *string, key, fallback, option string, known func(string) bool) string {
	value := fallback
	extension, given := extensionOf(*tag, key)
	if given && extension == "" {
		extension = "true"
	}
	if given && known(extension) {
		value = extension
	} else {
		given = false
	}
	if option != "" && known(option) {
		given = given && option == value
		value = option
	}
	if !given {
		*tag = withoutKey(*tag, key)
	}
	return value
}

// only refuses a value other than those that change nothing.
func (r *reader) only(name string, supported ...string) {
	if v, ok := r.o[name]; ok && !slices.Contains(supported, toString(v)) {
		r.fail(rangeError("the %s %q is not supported here: %s is", name, toString(v), strings.Join(supported, ", ")))
	}
}

func (r *reader) has(name string) bool {
	_, ok := r.o[name]
	return ok
}

func toString(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

func toNumber(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	case string:
		if f, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil {
			return f
		}
	}
	return math.NaN()
}
