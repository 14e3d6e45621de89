package activities

import (
	"context"
	"slices"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// transformData: {data, transformation: uppercase | lowercase | reverse | json-parse |
// json-stringify} → the transformed data.
//
// The first three work on strings and hand everything else on as it came. json-parse takes a
// string; of what is no string, it takes what JSON.parse would give back unchanged: numbers,
// booleans and null.
func (s *Set) transformData(_ context.Context, in input) (result, error) {
	how, err := in.oneOf("transformation", "uppercase", "lowercase", "reverse", "json-parse", "json-stringify")
	if err != nil {
		return result{}, err
	}
	data, given := in.members["data"] // null is data like any other
	if !given {
		return result{}, invalid("data", "is required")
	}
	switch kind := typeOf(data); {
	case how == "json-stringify":
		return s.stringified(data)
	case kind == "string":
		return s.transformText(textOf(data), how)
	case how == "json-parse" && describe(data) != "null" && (kind == "object" || kind == "array"):
		return result{}, invalid("data", "must be a string of JSON, got %s", describe(data))
	default:
		return result{json: data}, nil
	}
}

func (s *Set) transformText(text, how string) (result, error) {
	switch how {
	case "uppercase": // x/text knows "ß" → "SS" and the final sigma, as JavaScript does; package strings doesn't
		return jsonResult(cases.Upper(language.Und).String(text))
	case "lowercase":
		return jsonResult(cases.Lower(language.Und).String(text))
	case "reverse":
		runes := []rune(text)
		slices.Reverse(runes)
		return jsonResult(string(runes))
	default:
		return s.parsed(text)
	}
}

func (s *Set) parsed(text string) (result, error) {
	v, err := parseJSON([]byte(text))
	if err != nil {
		return result{}, invalid("data", "is %v", err)
	}
	out, ok := stringify(v, 0, s.o.MaxResultBytes)
	if !ok {
		return result{}, s.tooLarge("transformData")
	}
	return result{json: []byte(out)}, nil
}

func (s *Set) stringified(data []byte) (result, error) {
	v, err := parseJSON(data)
	if err != nil {
		return result{}, invalid("data", "is %v", err)
	}
	out, ok := stringify(v, 2, s.o.MaxResultBytes)
	if !ok {
		return result{}, s.tooLarge("transformData")
	}
	return jsonResult(out)
}
