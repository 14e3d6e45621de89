package shown

import (
	"bytes"
	"encoding/base64"
	"encoding/json"

	commonpb "go.temporal.io/api/common/v1"
)

// Limits are what rows show at most. The zero value shows nothing but sizes.
type Limits struct {
	// MaxValue is how many bytes of a value a row takes: a note of its size is written instead of
	// more, and of Hide instead of all.
	MaxValue int
	// HideFailures leaves out what failures say.
	HideFailures bool
}

// Hide is what MaxValue is where rows show no values.
const Hide = -1

// Value is a payload as JSON for a row; nil for none. What is larger than max is a note of its
// size, what is no JSON a note of what it is.
func Value(p *commonpb.Payload, max int) *string {
	if p == nil {
		return nil
	}
	encoding := string(p.GetMetadata()["encoding"])
	var text string
	switch {
	case encoding == "binary/null":
		return nil
	case max == Hide:
		text = hidden
	case len(p.GetData()) > max:
		text = Omitted(len(p.GetData()))
	case (encoding == "json/plain" || encoding == "json/protobuf") && json.Valid(p.GetData()):
		text = string(p.GetData())
	default:
		b, err := json.Marshal(map[string]string{"encoding": encoding, "data": base64.StdEncoding.EncodeToString(p.GetData())})
		if err != nil {
			return nil
		}
		text = string(b)
	}
	return &text
}

// Values is several payloads: none, the only one, or an array of them.
func Values(p *commonpb.Payloads, max int) *string {
	switch all := p.GetPayloads(); {
	case len(all) == 0:
		return nil
	case len(all) == 1:
		return Value(all[0], max)
	case max == Hide:
		return new(hidden)
	default:
		list, size := []json.RawMessage{}, 0
		for _, one := range all {
			v := Value(one, max)
			if v == nil {
				v = new("null")
			}
			list, size = append(list, json.RawMessage(*v)), size+len(*v)
		}
		if size > max {
			return new(Omitted(size))
		}
		b, err := json.Marshal(list)
		if err != nil {
			return nil
		}
		return new(string(b))
	}
}

// hidden is written where rows show no values.
const hidden = `{"omitted":"values are hidden: payloads are encrypted (RECORD_VALUES)"}`

// Omitted is written where a value is too large for a row.
func Omitted(bytes int) string { return Note("larger than a row takes", bytes) }

// Note is written in a value's place.
func Note(why string, bytes int) string {
	b, err := json.Marshal(map[string]any{"omitted": why, "bytes": bytes})
	if err != nil {
		return "{}"
	}
	return string(b)
}

// Payload is JSON as Temporal's SDKs send it.
func Payload(json []byte) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: bytes.Clone(json)}
}

// Bytes is how many bytes of values payloads have.
func Bytes(p *commonpb.Payloads) (n int) {
	for _, one := range p.GetPayloads() {
		n += len(one.GetData())
	}
	return n
}
