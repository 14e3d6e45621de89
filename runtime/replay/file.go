package replay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
)

// ReadFile reads a history as Temporal's command line, its web UI and its HTTP API write one: with
// payloads whole or in short, the events in a history, or by themselves, and enums of any age.
func ReadFile(r io.Reader) (*historypb.History, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))) // as editors on Windows begin a file
	if len(text) == 0 {
		return nil, errors.New("the file is empty")
	}
	if text[0] == '[' {
		text = append(append([]byte(`{"events":`), text...), '}')
	}
	var answer struct {
		History       json.RawMessage `json:"history"`
		NextPageToken string          `json:"nextPageToken"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("it is no JSON: %w", err)
	}
	if answer.NextPageToken != "" {
		return nil, errors.New(`it is the first page of a history: "temporal workflow show --output json" writes it whole`)
	}
	if answer.History != nil {
		text = answer.History
	}
	h := new(historypb.History)
	err = temporalproto.CustomJSONUnmarshalOptions{
		DiscardUnknown: true, // a newer server's
		Metadata:       map[string]any{commonpb.EnablePayloadShorthandMetadataKey: true},
	}.Unmarshal(text, h)
	return h, err
}
