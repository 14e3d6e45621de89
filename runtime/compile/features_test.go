package compile

import (
	"errors"
	"strings"
	"testing"

	"workflow-worker/runtime/language/features"
)

func TestWhatIsRefusedSaysWhereAndWhy(t *testing.T) {
	t.Parallel()
	all, err := features.Load()
	if err != nil {
		t.Fatal(err)
	}
	c := New(Config{})
	for _, f := range all {
		for _, kind := range []Kind{Workflow, Activity} {
			if !f.Refused || !f.For(string(kind)) {
				continue
			}
			_, err := c.Compile(t.Context(), Source{Name: "a.ts", Kind: kind, Text: f.Code})
			var e *Error
			if !errors.As(err, &e) || e.Line != f.Line || e.Column != f.Column || !strings.Contains(e.Message, f.Message) {
				t.Errorf("%s in an %s: %v; want %d:%d: %s", f.Name, kind, err, f.Line, f.Column, f.Message)
			}
		}
	}
}
