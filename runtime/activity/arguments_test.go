package activity

import (
	"testing"

	commonpb "go.temporal.io/api/common/v1"
)

// A symbol or a function arrives so: see cmd/conformance/cases/payloads.yaml.
func TestArgumentsThatAreNoneAreWordedAsByTemporalsOwnWorker(t *testing.T) {
	t.Parallel()
	c := code(t, `export function main() { return 1; }`, CodeOptions{})
	for text, want := range map[string]struct{ encoding, errType, message string }{
		"":       {"json/plain", "SyntaxError", "Unexpected end of JSON input"},
		`{"a":x`: {"json/plain", "SyntaxError", `Unexpected token 'x', "{"a":x" is not valid JSON`},
		"x":      {"odd", "ValueError", "Unknown encoding: odd"},
	} {
		p := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte(want.encoding)}, Data: []byte(text)}
		_, err := c.Execute(t.Context(), "main", &commonpb.Payloads{Payloads: []*commonpb.Payload{p}})
		app := wantApplication(t, err, want.errType, false)
		if got := app.Message(); got != "Failed to parse activity args for activity main: "+want.message {
			t.Errorf("%q: %s", text, got)
		}
	}
}
