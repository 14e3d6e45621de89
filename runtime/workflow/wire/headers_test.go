package wire

import (
	"testing"

	"google.golang.org/grpc/metadata"
)

func TestHeadersHaveWhatHeadersTake(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"workflow:order 1/ä\n": "workflow:order%201%2F%C3%A4%0A",
		"workflow:order 1/a~%": "workflow:order 1/a~%",
	} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), resourceHeader, id, "other", "ä")
		got, _ := metadata.FromOutgoingContext(printable(ctx))
		if v := got.Get(resourceHeader); len(v) != 1 || v[0] != want || got.Get("other")[0] != "ä" {
			t.Errorf("%q: %q", id, got)
		}
	}
	if ctx := t.Context(); printable(ctx) != ctx {
		t.Error("what has no headers is another")
	}
}
