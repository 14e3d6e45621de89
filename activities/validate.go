package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// validateData: {data, rules: {required, type, minLength, maxLength, pattern}} → {valid, errors}.
//
// Missing data breaks "required" and nothing else; so do null and the empty string where it is
// required. Types are typeof's, with arrays a type of their own, so null is an object. Lengths are
// of strings, in UTF-16 code units, and of arrays, and say nothing of other values. A pattern is
// matched against strings, and against numbers and booleans as JavaScript prints them.
func (s *Set) validateData(_ context.Context, in input) (result, error) {
	given, err := in.object("rules")
	if err != nil {
		return result{}, err
	}
	rules, err := s.readRules(given)
	if err != nil {
		return result{}, err
	}
	found, err := rules.check(in.members["data"])
	if err != nil {
		return result{}, err
	}
	return jsonResult(struct {
		Valid  bool     `json:"valid"`
		Errors []string `json:"errors"`
	}{len(found) == 0, found})
}

type rules struct {
	required             bool
	kind                 string
	minLength, maxLength *float64
	pattern              *pattern
}

func (s *Set) readRules(in input) (r rules, err error) {
	if r.required, err = in.boolOr("required", false); err != nil {
		return r, err
	}
	if _, ok := in.get("type"); ok {
		if r.kind, err = in.oneOf("type", "string", "number", "boolean", "object", "array"); err != nil {
			return r, err
		}
	}
	if r.minLength, err = readLength(in, "minLength"); err != nil {
		return r, err
	}
	if r.maxLength, err = readLength(in, "maxLength"); err != nil {
		return r, err
	}
	if _, ok := in.get("pattern"); !ok {
		return r, nil
	}
	source, err := in.text("pattern")
	if err != nil {
		return r, err
	}
	if r.pattern, err = compilePattern(source, s.o.PatternTimeout); err != nil {
		return r, invalid(in.path+"pattern", "is not a regular expression of JavaScript: %v", err)
	}
	return r, nil
}

func readLength(in input, name string) (*float64, error) {
	if _, ok := in.get(name); !ok {
		return nil, nil
	}
	n, err := in.number(name)
	if err != nil {
		return nil, err
	}
	if n < 0 {
		return nil, invalid(in.path+name, "must not be negative")
	}
	return &n, nil
}

// check returns what the data breaks, in the rules' order; an error only where a rule can't be
// applied.
func (r rules) check(data json.RawMessage) ([]string, error) {
	kind := typeOf(data)
	found := []string{}
	if kind == "undefined" || isNull(data) || kind == "string" && textOf(data) == "" {
		if r.required {
			return append(found, "data is required"), nil
		}
		if kind == "undefined" {
			return found, nil
		}
	}
	if r.kind != "" && r.kind != kind {
		found = append(found, fmt.Sprintf("data must be of type %s, got %s", r.kind, describe(data)))
	}
	if unit, length, ok := lengthOf(kind, data); ok {
		if r.minLength != nil && float64(length) < *r.minLength {
			found = append(found, fmt.Sprintf("data must have at least %s %s, got %d", numberText(*r.minLength), unit, length))
		}
		if r.maxLength != nil && float64(length) > *r.maxLength {
			found = append(found, fmt.Sprintf("data must have at most %s %s, got %d", numberText(*r.maxLength), unit, length))
		}
	}
	if text, ok := matchable(kind, data); ok && r.pattern != nil {
		matches, err := r.pattern.matches(text)
		if errors.Is(err, errPatternTimeout) {
			return nil, invalid("rules.pattern", "takes longer than %v to match the data", r.pattern.timeout)
		}
		if err != nil {
			return nil, invalid("rules.pattern", "can't be matched: %v", err)
		}
		if !matches {
			found = append(found, "data must match the pattern "+r.pattern.source)
		}
	}
	return found, nil
}

func lengthOf(kind string, data json.RawMessage) (unit string, n int, ok bool) {
	switch kind {
	case "string":
		return "characters", utf16Length(textOf(data)), true
	case "array":
		var items []json.RawMessage
		if json.Unmarshal(data, &items) != nil {
			return "", 0, false
		}
		return "items", len(items), true
	default:
		return "", 0, false
	}
}

func matchable(kind string, data json.RawMessage) (string, bool) {
	switch kind {
	case "string":
		return textOf(data), true
	case "number":
		return numberText(numberOf(data)), true
	case "boolean":
		return strconv.FormatBool(data[0] == 't'), true
	default:
		return "", false
	}
}
