package sandbox

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"
	failurepb "go.temporal.io/api/failure/v1"
	"google.golang.org/protobuf/proto"
)

func TestFailuresThatNoServerTakesAreCut(t *testing.T) {
	t.Parallel()
	small := &failurepb.Failure{Message: strings.Repeat("m", maxFailure/2), Cause: &failurepb.Failure{Message: "why"}}
	if got := BoundFailure(small); got != small {
		t.Error("one that a server takes was changed")
	}
	large := &failurepb.Failure{
		Message: "short", StackTrace: strings.Repeat("é", maxFailure),
		Cause: &failurepb.Failure{Message: strings.Repeat("m", 10<<20), FailureInfo: &failurepb.Failure_ApplicationFailureInfo{
			ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: strings.Repeat("T", maxFailure)}}},
	}
	got := BoundFailure(large)
	if size := proto.Size(got); size > 4*MaxMessage || got.GetMessage() != "short" || !strings.HasSuffix(got.GetCause().GetMessage(), "more bytes)") {
		t.Errorf("%d bytes, %q", size, got.GetMessage())
	}
	if len(large.GetCause().GetMessage()) != 10<<20 {
		t.Error("the failure itself was changed")
	}
	if BoundFailure(nil) != nil || Shorten("x") != "x" {
		t.Error("nothing, or little, was changed")
	}
}

// What was thrown may be anything, and its text be made by code that throws: outside of Enter nobody
// would catch it, and the process would end.
func TestWhatLeavesEnterHasItsTextAlready(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`throw { toString() { if (globalThis.within) throw 'x'; return 'x'; } }`: unshown,
		`let n = 0; throw { toString: () => 'told ' + ++n }`:                     "told ",
		`throw new Error('plain')`:                                               "Error: plain",
		`throw { toString: () => 'told once' }`:                                  "told once",
		`const e = new Error('x'); Object.defineProperty(e, 'message', { get() { if (globalThis.within) throw e; return 'x'; } }); throw e`: unshown,
	} {
		v := newVM(t)
		if err := v.Runtime.Set("within", true); err != nil { // elsewhere these do nothing of the kind
			t.Fatal(err)
		}
		var described *Thrown
		err := v.Enter(t.Context(), time.Minute, func() error {
			_, err := runRewritten(v, text)
			var ex *goja.Exception
			if errors.As(err, &ex) {
				described = v.Describe(ex)
			}
			return err
		})
		var ex *goja.Exception
		if !errors.As(err, &ex) {
			t.Errorf("%s: %v has no exception", text, err)
			continue
		}
		if said := fmt.Errorf("evaluate: %w", err).Error(); !strings.Contains(said, want) || said != fmt.Errorf("evaluate: %w", err).Error() {
			t.Errorf("%s: %s, not %s", text, said, want)
		}
		if described == nil || !strings.Contains(described.Message, want) {
			t.Errorf("%s is described as %v", text, described)
		}
	}
	v := newVM(t)
	err := v.Enter(t.Context(), time.Minute, func() error {
		_, err := runRewritten(v, `const e = new Error('x'); delete e.stack; throw e`)
		var ex *goja.Exception
		if errors.As(err, &ex) {
			return v.Describe(ex)
		}
		return err
	})
	var thrown *Thrown
	if !errors.As(err, &thrown) || thrown.Stack != "" {
		t.Errorf("an error without a stack is described as %v", err)
	}
}
