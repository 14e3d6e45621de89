package shown

import (
	"strconv"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
)

func payload(encoding, data string) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte(encoding)}, Data: []byte(data)}
}

func TestValuesAreJSONWithinTheLimit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		payloads []*commonpb.Payload
		want     string
	}{
		"none":        {nil, ""},
		"null":        {[]*commonpb.Payload{payload("binary/null", "")}, ""},
		"one":         {[]*commonpb.Payload{payload("json/plain", `{"a":1}`)}, `{"a":1}`},
		"several":     {[]*commonpb.Payload{payload("json/plain", `1`), payload("binary/null", "")}, `[1,null]`},
		"too large":   {[]*commonpb.Payload{payload("json/plain", `"`+strings.Repeat("x", 100)+`"`)}, `{"bytes":102,"omitted":"larger than a row takes"}`},
		"bytes":       {[]*commonpb.Payload{payload("binary/plain", "\x01")}, `{"data":"AQ==","encoding":"binary/plain"}`},
		"broken JSON": {[]*commonpb.Payload{payload("json/plain", "{")}, `{"data":"ew==","encoding":"json/plain"}`},
	} {
		got := Values(&commonpb.Payloads{Payloads: c.payloads}, 100)
		if (got == nil) != (c.want == "") || got != nil && *got != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

func TestAPersonReadsFirstWhatTheCodeSaid(t *testing.T) {
	t.Parallel()
	cause := &failurepb.Failure{
		Message: "no stock", StackTrace: "    at reserve (flow.ts:3:4)",
		FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: "OutOfStock"}},
	}
	f := failureOf(&failurepb.Failure{
		Message: "Activity task failed", Cause: cause,
		FailureInfo: &failurepb.Failure_ActivityFailureInfo{ActivityFailureInfo: &failurepb.ActivityFailureInfo{ActivityType: &commonpb.ActivityType{Name: "reserve"}}},
	}, 1000, MaxCauses)
	if got := f.First(); got != "reserve: no stock" {
		t.Errorf("first %q", got)
	}
	if f.Type != "ActivityFailure" || f.Cause.Type != "OutOfStock" || f.Cause.File != "flow.ts" || f.Cause.Line != 3 {
		t.Errorf("%+v, %+v", f, f.Cause)
	}
	if got := f.JSON(200); got == nil || !strings.Contains(*got, `"activity":"reserve"`) {
		t.Errorf("json %v", got)
	}
	cut := failureOf(&failurepb.Failure{
		Message: "Failure exceeds size limit.", Cause: cause,
		FailureInfo: &failurepb.Failure_ServerFailureInfo{ServerFailureInfo: &failurepb.ServerFailureInfo{}},
	}, 1000, MaxCauses)
	if got := cut.First(); got != "no stock" {
		t.Errorf("first of one that the server cut %q", got)
	}
	deep := cause
	for range 3 * MaxCauses {
		deep = &failurepb.Failure{Message: "outer", Cause: deep}
	}
	depth := 0
	for f := failureOf(deep, 1000, MaxCauses); f != nil; f = f.Cause {
		depth++
	}
	if depth != MaxCauses {
		t.Errorf("%d causes", depth)
	}
}

// Where Temporal sees them encrypted alone, rows say neither values nor, if failures are encrypted
// too, messages.
func TestRowsMayHideWhatTemporalCantRead(t *testing.T) {
	t.Parallel()
	secret := func(text string) *commonpb.Payloads {
		return &commonpb.Payloads{Payloads: []*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(strconv.Quote(text))}}}
	}
	two := secret("secret")
	two.Payloads = append(two.Payloads, two.Payloads[0])
	f := &failurepb.Failure{
		Message: "secret message", StackTrace: "secret stack\n    at f (file.ts:3:4)",
		FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: "Shown", Details: secret("secret")}},
		Cause:       &failurepb.Failure{Message: "secret cause"},
	}
	b := &Limits{MaxValue: Hide, HideFailures: true}
	told := b.failed(f)
	for what, got := range map[string]*string{
		"one": b.completed(secret("secret")).Output, "two": b.completed(two).Output, "details": b.cancelled(secret("secret")).Error, "message": &told.Message, "error": told.Error,
	} {
		if got == nil || *got == "" || strings.Contains(*got, "secret") {
			t.Errorf("%s: %v", what, got)
		}
	}
	if !strings.Contains(*told.Error, `"Shown"`) || !strings.Contains(*told.Error, `"line":3`) {
		t.Errorf("the error says %s", *told.Error)
	}
	b.HideFailures = false
	if told := b.failed(f); told.Message != "secret message" || !strings.Contains(*told.Error, "secret stack") || strings.Contains(*told.Error, `"secret"`) {
		t.Errorf("%+v %s", told, *told.Error)
	}
}
