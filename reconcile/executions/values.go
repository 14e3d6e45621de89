package executions

import (
	"encoding/base64"
	"encoding/json"

	commonpb "go.temporal.io/api/common/v1"
)

// hideValues is what max is where rows show no values.
const hideValues = -1

// value is a payload as JSON for a row; nil for none. What is larger than max is a note of its
// size, what is no JSON a note of what it is.
func value(p *commonpb.Payload, max int) *string {
	if p == nil {
		return nil
	}
	encoding := string(p.GetMetadata()["encoding"])
	var text string
	switch {
	case encoding == "binary/null":
		return nil
	case max == hideValues:
		text = hidden
	case len(p.GetData()) > max:
		text = omitted(len(p.GetData()))
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

// values is several payloads: none, the only one, or an array of them.
func values(p *commonpb.Payloads, max int) *string {
	switch all := p.GetPayloads(); {
	case len(all) == 0:
		return nil
	case len(all) == 1:
		return value(all[0], max)
	case max == hideValues:
		return new(hidden)
	default:
		list, size := []json.RawMessage{}, 0
		for _, one := range all {
			v := value(one, max)
			if v == nil {
				v = new("null")
			}
			list, size = append(list, json.RawMessage(*v)), size+len(*v)
		}
		if size > max {
			return new(omitted(size))
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

// omitted is written where a value is too large for a row.
func omitted(bytes int) string { return noteOf("larger than a row takes", bytes) }

// noteOf is written in a value's place.
func noteOf(why string, bytes int) string {
	b, err := json.Marshal(map[string]any{"omitted": why, "bytes": bytes})
	if err != nil {
		return "{}"
	}
	return string(b)
}
