package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

const generated = "Made from the service's types and tables: `make schema` writes it anew."

// jsonSchema writes all as definitions of one schema.
func jsonSchema(all []*named) ([]byte, error) {
	var definitions object
	for _, e := range all {
		one := e.shape.json()
		if e.doc != "" {
			one = append(object{{"description", e.doc}}, one...)
		}
		definitions = append(definitions, entry{e.name, one})
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"$comment", generated},
		{"$defs", definitions},
	})
	return out.Bytes(), err
}

// object is JSON whose keys keep their order.
type object []entry

type entry struct {
	key   string
	value any
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, e := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := encoder.Encode(e.key); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := encoder.Encode(e.value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func (s *shape) json() object {
	if len(s.oneOf) > 0 {
		var list []object
		for _, o := range s.oneOf {
			list = append(list, o.json())
		}
		return s.orNull(object{{"anyOf", list}})
	}
	switch s.kind {
	case "any":
		return object{}
	case "ref":
		return s.orNull(object{{"$ref", "#/$defs/" + s.ref}})
	case "duration":
		return s.orNull(object{{"type", []string{"number", "string"}}})
	}
	kind := map[string]string{"map": "object"}[s.kind]
	if kind == "" {
		kind = s.kind
	}
	out := object{{"type", kind}}
	if s.null {
		out = object{{"type", []string{kind, "null"}}}
	}
	if s.format != "" {
		out = append(out, entry{"format", s.format})
	}
	if s.values != nil {
		values := []any{}
		for _, v := range s.values {
			values = append(values, v)
		}
		if s.null {
			values = append(values, nil)
		}
		out = append(out, entry{"enum", values})
	}
	switch s.kind {
	case "array":
		out = append(out, entry{"items", s.of.json()})
	case "map":
		out = append(out, entry{"additionalProperties", s.of.json()})
	case "object":
		properties, required := object{}, []string{}
		for _, f := range s.fields {
			one := f.shape.json()
			if f.doc != "" {
				one = append(object{{"description", f.doc}}, one...)
			}
			properties = append(properties, entry{f.name, one})
			if !f.optional {
				required = append(required, f.name)
			}
		}
		out = append(out, entry{"properties", properties})
		if len(required) > 0 {
			out = append(out, entry{"required", required})
		}
		if s.closed {
			out = append(out, entry{"additionalProperties", false})
		}
	}
	return out
}

func (s *shape) orNull(o object) object {
	if !s.null {
		return o
	}
	return object{{"anyOf", []object{o, {{"type", "null"}}}}}
}

// typeScript writes all as interfaces.
func typeScript(all []*named) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "// %s\n// Fields that are not listed may come.\n", generated)
	for _, e := range all {
		b.WriteByte('\n')
		remark(&b, "", e.doc)
		if e.shape.kind == "object" && len(e.shape.oneOf) == 0 {
			fmt.Fprintf(&b, "export interface %s %s\n", e.name, e.shape.typeScript(""))
		} else {
			fmt.Fprintf(&b, "export type %s = %s;\n", e.name, e.shape.typeScript(""))
		}
	}
	return b.Bytes()
}

// remark is a comment of lines that are no longer than ours.
func remark(b *bytes.Buffer, indent, text string) {
	if text == "" {
		return
	}
	const most = 96
	text = strings.ReplaceAll(text, "*/", "* /")
	if len(indent)+len(text)+len("/**  */") <= most {
		fmt.Fprintf(b, "%s/** %s */\n", indent, text)
		return
	}
	fmt.Fprintf(b, "%s/**\n", indent)
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(indent)+len(" * ")+len(line)+1+len(word) > most {
			fmt.Fprintf(b, "%s * %s\n", indent, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	fmt.Fprintf(b, "%s * %s\n%s */\n", indent, line, indent)
}

func (s *shape) typeScript(indent string) string {
	var text string
	switch {
	case len(s.oneOf) > 0:
		var parts []string
		for _, o := range s.oneOf {
			parts = append(parts, o.typeScript(indent))
		}
		text = strings.Join(parts, " | ")
	case s.values != nil:
		var parts []string
		for _, v := range s.values {
			parts = append(parts, "'"+v+"'")
		}
		text = strings.Join(parts, " | ")
	case s.kind == "any":
		return "unknown"
	case s.kind == "ref":
		text = s.ref
	case s.kind == "duration":
		text = "number | string"
	case s.kind == "integer":
		text = "number"
	case s.kind == "array":
		text = s.of.typeScript(indent)
		if strings.Contains(text, " | ") {
			text = "(" + text + ")"
		}
		text += "[]"
	case s.kind == "map":
		text = "{ [name: string]: " + s.of.typeScript(indent) + " }"
	case s.kind == "object":
		var b bytes.Buffer
		b.WriteString("{\n")
		for _, f := range s.fields {
			remark(&b, indent+"  ", f.doc)
			mark := ""
			if f.optional {
				mark = "?"
			}
			fmt.Fprintf(&b, "%s  %s%s: %s;\n", indent, f.name, mark, f.shape.typeScript(indent+"  "))
		}
		b.WriteString(indent + "}")
		text = b.String()
	default:
		text = s.kind
	}
	if s.null {
		text += " | null"
	}
	return text
}
