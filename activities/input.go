package activities

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
)

// input is the one object that an activity is called with: its members as they came, so that what
// is only handed on stays what it was.
type input struct {
	path    string // of this object inside the activity's input: "" or "rules."
	members map[string]json.RawMessage
}

func readInput(args *commonpb.Payloads) (input, error) {
	const field = "input"
	if len(args.GetPayloads()) == 0 {
		return input{}, invalid(field, "must be one object, got nothing")
	}
	p := args.GetPayloads()[0]
	switch encoding := string(p.GetMetadata()[converter.MetadataEncoding]); encoding {
	case converter.MetadataEncodingJSON:
	case converter.MetadataEncodingNil:
		return input{}, invalid(field, "must be one object, got nothing")
	default:
		return input{}, invalid(field, "must be one object as %s, got %s", converter.MetadataEncodingJSON, encoding)
	}
	return readObject("", field, p.GetData())
}

func readObject(path, field string, raw json.RawMessage) (input, error) {
	if kind := typeOf(raw); kind != "object" || isNull(raw) {
		return input{}, invalid(field, "must be an object, got %s", describe(raw))
	}
	in := input{path: path}
	if err := json.Unmarshal(raw, &in.members); err != nil {
		return input{}, invalid(field, "is not valid JSON: %v", err)
	}
	return in, nil
}

// get returns a member. What is null counts as left out, because that is how forms and databases
// say it.
func (in input) get(name string) (json.RawMessage, bool) {
	raw, ok := in.members[name]
	return raw, ok && !isNull(raw)
}

func (in input) text(name string) (string, error) {
	raw, ok := in.get(name)
	if !ok {
		return "", invalid(in.path+name, "is required")
	}
	if typeOf(raw) != "string" {
		return "", invalid(in.path+name, "must be a string, got %s", describe(raw))
	}
	return textOf(raw), nil
}

func (in input) textOr(name, otherwise string) (string, error) {
	if _, ok := in.get(name); !ok {
		return otherwise, nil
	}
	return in.text(name)
}

func (in input) number(name string) (float64, error) {
	raw, ok := in.get(name)
	if !ok {
		return 0, invalid(in.path+name, "is required")
	}
	if typeOf(raw) != "number" {
		return 0, invalid(in.path+name, "must be a number, got %s", describe(raw))
	}
	n := numberOf(raw)
	if math.IsInf(n, 0) {
		return 0, invalid(in.path+name, "must be a finite number")
	}
	return n, nil
}

func (in input) numberOr(name string, otherwise float64) (float64, error) {
	if _, ok := in.get(name); !ok {
		return otherwise, nil
	}
	return in.number(name)
}

func (in input) boolOr(name string, otherwise bool) (bool, error) {
	raw, ok := in.get(name)
	if !ok {
		return otherwise, nil
	}
	if typeOf(raw) != "boolean" {
		return false, invalid(in.path+name, "must be true or false, got %s", describe(raw))
	}
	return raw[0] == 't', nil
}

func (in input) object(name string) (input, error) {
	raw, ok := in.get(name)
	if !ok {
		return input{}, invalid(in.path+name, "is required")
	}
	return readObject(in.path+name+".", in.path+name, raw)
}

// oneOf reads a string that must be one of a few.
func (in input) oneOf(name string, choices ...string) (string, error) {
	s, err := in.text(name)
	if err != nil {
		return "", err
	}
	for _, c := range choices {
		if s == c {
			return s, nil
		}
	}
	return "", invalid(in.path+name, "must be one of %s, got %q", joinWords(choices), s)
}

// result is what an activity returns: JSON text, or nothing, JavaScript's undefined.
type result struct{ json []byte }

func jsonResult(v any) (result, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return result{}, fmt.Errorf("encode the activity's result: %w", err)
	}
	return result{json: bytes.TrimRight(b.Bytes(), "\n")}, nil
}

func (r result) payloads() *commonpb.Payloads {
	p := &commonpb.Payload{Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingNil)}}
	if r.json != nil {
		p.Metadata[converter.MetadataEncoding] = []byte(converter.MetadataEncodingJSON)
		p.Data = r.json
	}
	return &commonpb.Payloads{Payloads: []*commonpb.Payload{p}}
}
