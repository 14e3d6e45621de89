package sandbox

import (
	"strings"
	"testing"

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
