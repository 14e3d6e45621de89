package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"go.yaml.in/yaml/v3"
)

// A value is what a payload holds: JSON's types as encoding/json has them, or one of these.
type (
	undefined struct{}
	octets    string
	// raw is a payload of another encoding.
	raw struct{ encoding, data string }
	// pattern and anything are only in expectations.
	pattern  struct{ *regexp.Regexp }
	anything struct{}
)

// readValue makes a value of YAML; replace is applied to strings.
func readValue(n *yaml.Node, replace *strings.Replacer) (any, error) {
	switch n.Kind {
	case yaml.AliasNode:
		return readValue(n.Alias, replace)
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			v, err := readValue(item, replace)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i < len(n.Content); i += 2 {
			v, err := readValue(n.Content[i+1], replace)
			if err != nil {
				return nil, err
			}
			m[n.Content[i].Value] = v
		}
		if n.Tag == "!payload" {
			encoding, _ := m["encoding"].(string)
			data, _ := m["data"].(string)
			return raw{encoding, data}, nil
		}
		return m, nil
	case yaml.ScalarNode:
		return readScalar(n, replace)
	}
	return nil, fmt.Errorf("line %d: no value", n.Line)
}

func readScalar(n *yaml.Node, replace *strings.Replacer) (any, error) {
	switch n.ShortTag() {
	case "!any":
		return anything{}, nil
	case "!undefined":
		return undefined{}, nil
	case "!bytes":
		b, err := base64.StdEncoding.DecodeString(n.Value)
		return octets(b), err
	case "!re":
		re, err := regexp.Compile(replace.Replace(n.Value))
		return pattern{re}, err
	case "!!null":
		return nil, nil
	case "!!bool":
		var b bool
		err := n.Decode(&b)
		return b, err
	case "!!int", "!!float":
		var f float64
		err := n.Decode(&f)
		return f, err
	case "!!str", "!!timestamp":
		return replace.Replace(n.Value), nil
	}
	return nil, fmt.Errorf("line %d: unknown tag %s", n.Line, n.Tag)
}

// payloadOf encodes a value as Temporal's TypeScript client does.
func payloadOf(v any) (*commonpb.Payload, error) {
	encoded := func(encoding string, data []byte) *commonpb.Payload {
		return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte(encoding)}, Data: data}
	}
	switch v := v.(type) {
	case undefined:
		return encoded("binary/null", nil), nil
	case octets:
		return encoded("binary/plain", []byte(v)), nil
	case raw:
		return encoded(v.encoding, []byte(v.data)), nil
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return encoded("json/plain", data), nil
}

func payloadsOf(values []any) (*commonpb.Payloads, error) {
	if len(values) == 0 {
		return nil, nil
	}
	out := &commonpb.Payloads{}
	for _, v := range values {
		p, err := payloadOf(v)
		if err != nil {
			return nil, err
		}
		out.Payloads = append(out.Payloads, p)
	}
	return out, nil
}

func payloadMap(values map[string]any) (map[string]*commonpb.Payload, error) {
	out := make(map[string]*commonpb.Payload, len(values))
	for name, v := range values {
		p, err := payloadOf(v)
		if err != nil {
			return nil, err
		}
		out[name] = p
	}
	return out, nil
}

// valueOf decodes a payload.
func valueOf(p *commonpb.Payload) any {
	switch encoding := string(p.GetMetadata()["encoding"]); encoding {
	case "binary/null":
		return undefined{}
	case "binary/plain":
		return octets(p.GetData())
	case "json/plain":
		var v any
		if json.Unmarshal(p.GetData(), &v) == nil {
			return v
		}
		return raw{encoding, string(p.GetData())}
	default:
		return raw{encoding, string(p.GetData())}
	}
}

func valuesOf(ps *commonpb.Payloads) []any {
	out := make([]any, 0, len(ps.GetPayloads()))
	for _, p := range ps.GetPayloads() {
		out = append(out, valueOf(p))
	}
	return out
}

// single is the value of a result: no payload is undefined.
func single(ps *commonpb.Payloads) any {
	if len(ps.GetPayloads()) == 0 {
		return undefined{}
	}
	return valueOf(ps.GetPayloads()[0])
}

// show prints a value for people.
func show(v any) string {
	switch v := v.(type) {
	case undefined:
		return "undefined"
	case anything:
		return "anything"
	case octets:
		return fmt.Sprintf("bytes(%q)", string(v))
	case raw:
		return fmt.Sprintf("payload(%s, %q)", v.encoding, v.data)
	case pattern:
		return "/" + v.String() + "/"
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = show(v[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, k+": "+show(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// differ says where got isn't what was wanted; "" if it is. With partly, maps may have more than
// was wanted, and null stands for an absent member.
func differ(want, got any, partly bool) string { return differAt("", want, got, partly) }

func differAt(path string, want, got any, partly bool) string {
	at := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	wrong := func() string {
		if path == "" {
			return fmt.Sprintf("got %s, want %s", show(got), show(want))
		}
		return fmt.Sprintf("%s: got %s, want %s", path, show(got), show(want))
	}
	switch want := want.(type) {
	case anything:
		return ""
	case pattern:
		if s, ok := got.(string); !ok || !want.MatchString(s) {
			return wrong()
		}
		return ""
	case map[string]any:
		have, ok := got.(map[string]any)
		if !ok || (!partly && len(have) != len(want)) {
			return wrong()
		}
		for _, k := range slices.Sorted(maps.Keys(want)) {
			v, ok := have[k]
			if !ok && (want[k] != nil || !partly) {
				return fmt.Sprintf("%s: absent, want %s", at(k), show(want[k]))
			}
			if d := differAt(at(k), want[k], v, partly); d != "" {
				return d
			}
		}
		return ""
	case []any:
		have, ok := got.([]any)
		if !ok || len(have) != len(want) {
			return wrong()
		}
		for i := range want {
			if d := differAt(fmt.Sprintf("%s[%d]", path, i), want[i], have[i], partly); d != "" {
				return d
			}
		}
		return ""
	}
	if want != got {
		return wrong()
	}
	return ""
}

// replaced applies r to all strings of a value.
func replaced(v any, r *strings.Replacer) any {
	switch v := v.(type) {
	case string:
		return r.Replace(v)
	case []any:
		out := slices.Clone(v)
		for i := range out {
			out[i] = replaced(out[i], r)
		}
		return out
	case map[string]any:
		out := maps.Clone(v)
		for k := range out {
			out[k] = replaced(out[k], r)
		}
		return out
	}
	return v
}
