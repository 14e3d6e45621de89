package activities

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/temporal"
)

// args is what a TypeScript workflow sends for one argument of this JSON.
func args(input string) *commonpb.Payloads {
	return &commonpb.Payloads{Payloads: []*commonpb.Payload{{
		Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(input)}}}
}

// call runs an activity outside of Temporal and returns its result as JSON, "undefined" for
// nothing.
func call(t *testing.T, s *Set, name, input string) (string, error) {
	t.Helper()
	return callContext(context.Background(), t, s, name, input)
}

func callContext(ctx context.Context, t *testing.T, s *Set, name, input string) (string, error) {
	t.Helper()
	out, err := s.Execute(ctx, name, args(input))
	if err != nil {
		return "", err
	}
	if n := len(out.GetPayloads()); n != 1 {
		t.Fatalf("%s returned %d payloads", name, n)
	}
	p := out.GetPayloads()[0]
	switch encoding := string(p.GetMetadata()["encoding"]); encoding {
	case "binary/null":
		return "undefined", nil
	case "json/plain":
		if !json.Valid(p.GetData()) {
			t.Fatalf("%s returned invalid JSON: %s", name, p.GetData())
		}
		return string(p.GetData()), nil
	default:
		t.Fatalf("%s returned a payload of encoding %q", name, encoding)
		return "", nil
	}
}

func wantFailure(t *testing.T, err error, errType string, nonRetryable bool) *temporal.ApplicationError {
	t.Helper()
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		t.Fatalf("got %v (%T), want an application error of type %s", err, err, errType)
	}
	if app.Type() != errType || app.NonRetryable() != nonRetryable {
		t.Fatalf("got type %q, non-retryable %v, want %q, %v; message: %s", app.Type(), app.NonRetryable(), errType, nonRetryable, app.Message())
	}
	return app
}

// wantInvalid checks the one shape that bad input ends with, and that it names the field.
func wantInvalid(t *testing.T, err error, field string) {
	t.Helper()
	app := wantFailure(t, err, ValidationErrorType, true)
	var detail map[string]string
	if err := app.Details(&detail); err != nil || detail["field"] != field {
		t.Fatalf("names the field %q (%v), want %q; message: %s", detail["field"], err, field, app.Message())
	}
	if len(app.Message()) < len(field) || app.Message()[:len(field)] != field {
		t.Fatalf("the message doesn't begin with the field %q: %s", field, app.Message())
	}
}

func TestResultsAreAsContracted(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	for name, c := range map[string]struct{ activity, in, want string }{
		"sample":                    {"sampleActivity", `{"message":"hello"}`, `"Processed: hello"`},
		"sample, markup":            {"sampleActivity", `{"message":"<a&b>"}`, `"Processed: <a&b>"`},
		"sample, empty":             {"sampleActivity", `{"message":""}`, `"Processed: "`},
		"build":                     {"buildPackage", `{"packageName":"app"}`, `{"success":true,"packageName":"app","buildTime":0,"artifacts":["app-1.0.0.tar.gz","app-1.0.0.zip"]}`},
		"build, version":            {"buildPackage", `{"packageName":"a/b","version":"2.1.0","options":{"x":1}}`, `{"success":true,"packageName":"a/b","buildTime":0,"artifacts":["a/b-2.1.0.tar.gz","a/b-2.1.0.zip"]}`},
		"build, nulls are left out": {"buildPackage", `{"packageName":"app","version":null,"options":null}`, `{"success":true,"packageName":"app","buildTime":0,"artifacts":["app-1.0.0.tar.gz","app-1.0.0.zip"]}`},
		"wait":                      {"waitFor", `{"milliseconds":1}`, `{"waited":1}`},
		"wait, reason":              {"waitFor", `{"milliseconds":0,"reason":"rate limit"}`, `{"waited":0,"reason":"rate limit"}`},
		"wait, fraction":            {"waitFor", `{"milliseconds":0.5}`, `{"waited":0.5}`},
		"log":                       {"logMessage", `{"level":"info","message":"hi"}`, `undefined`},
		"unknown members are fine":  {"sampleActivity", `{"other":1,"message":"x"}`, `"Processed: x"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := call(t, s, c.activity, c.in)
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestBadInputIsAPermanentValidationErrorThatNamesTheField(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	for _, c := range []struct{ activity, in, field string }{
		{"sampleActivity", `{}`, "message"},
		{"sampleActivity", `{"message":null}`, "message"},
		{"sampleActivity", `{"message":5}`, "message"},
		{"sampleActivity", `{"Message":"x"}`, "message"},
		{"sampleActivity", `"text"`, "input"},
		{"sampleActivity", `["text"]`, "input"},
		{"sampleActivity", `null`, "input"},
		{"sampleActivity", `{"message":`, "input"},
		{"buildPackage", `{}`, "packageName"},
		{"buildPackage", `{"packageName":""}`, "packageName"},
		{"buildPackage", `{"packageName":"a","version":1}`, "version"},
		{"buildPackage", `{"packageName":"a","options":"x"}`, "options"},
		{"waitFor", `{}`, "milliseconds"},
		{"waitFor", `{"milliseconds":"10"}`, "milliseconds"},
		{"waitFor", `{"milliseconds":-1}`, "milliseconds"},
		{"waitFor", `{"milliseconds":1e400}`, "milliseconds"},
		{"waitFor", `{"milliseconds":1e300}`, "milliseconds"},
		{"waitFor", `{"milliseconds":1,"reason":5}`, "reason"},
		{"logMessage", `{"message":"x"}`, "level"},
		{"logMessage", `{"level":"fatal","message":"x"}`, "level"},
		{"logMessage", `{"level":"INFO","message":"x"}`, "level"},
		{"logMessage", `{"level":"info"}`, "message"},
		{"transformData", `{"data":"x"}`, "transformation"},
		{"transformData", `{"data":"x","transformation":"rot13"}`, "transformation"},
		{"transformData", `{"transformation":"uppercase"}`, "data"},
		{"transformData", `{"data":"{","transformation":"json-parse"}`, "data"},
		{"transformData", `{"data":"","transformation":"json-parse"}`, "data"},
		{"transformData", `{"data":"1 2","transformation":"json-parse"}`, "data"},
		{"transformData", `{"data":"{a:1}","transformation":"json-parse"}`, "data"},
		{"transformData", `{"data":{"a":1},"transformation":"json-parse"}`, "data"},
		{"transformData", `{"data":[1],"transformation":"json-parse"}`, "data"},
		{"httpRequest", `{}`, "url"},
		{"httpRequest", `{"url":5}`, "url"},
		{"httpRequest", `{"url":""}`, "url"},
		{"httpRequest", `{"url":"example.com/x"}`, "url"},
		{"httpRequest", `{"url":"ftp://example.com/x"}`, "url"},
		{"httpRequest", `{"url":"file:///etc/passwd"}`, "url"},
		{"httpRequest", `{"url":"http://"}`, "url"},
		{"httpRequest", `{"url":"http://exa mple.com"}`, "url"},
		{"httpRequest", `{"url":"http://[::1"}`, "url"},
		{"httpRequest", `{"url":"http://example.com:99999/"}`, "url"},
		{"httpRequest", `{"url":"http://example.com","method":5}`, "method"},
		{"httpRequest", `{"url":"http://example.com","method":"GE T"}`, "method"},
		{"httpRequest", `{"url":"http://example.com","method":"CONNECT"}`, "method"},
		{"httpRequest", `{"url":"http://example.com","headers":["a"]}`, "headers"},
		{"httpRequest", `{"url":"http://example.com","headers":{"a b":"c"}}`, "headers.a b"},
		{"httpRequest", `{"url":"http://example.com","headers":{"X-A":{"b":1}}}`, "headers.X-A"},
		{"httpRequest", `{"url":"http://example.com","headers":{"X-A":"a\r\nX-B: c"}}`, "headers.X-A"},
		{"httpRequest", `{"url":"http://example.com","timeout":"1s"}`, "timeout"},
		{"httpRequest", `{"url":"http://example.com","timeout":0}`, "timeout"},
		{"httpRequest", `{"url":"http://example.com","timeout":-5}`, "timeout"},
		{"validateData", `{"data":1}`, "rules"},
		{"validateData", `{"data":1,"rules":"x"}`, "rules"},
		{"validateData", `{"data":1,"rules":{"required":"yes"}}`, "rules.required"},
		{"validateData", `{"data":1,"rules":{"type":"date"}}`, "rules.type"},
		{"validateData", `{"data":1,"rules":{"minLength":"3"}}`, "rules.minLength"},
		{"validateData", `{"data":1,"rules":{"minLength":-3}}`, "rules.minLength"},
		{"validateData", `{"data":1,"rules":{"maxLength":[]}}`, "rules.maxLength"},
		{"validateData", `{"data":1,"rules":{"pattern":5}}`, "rules.pattern"},
		{"validateData", `{"data":1,"rules":{"pattern":"("}}`, "rules.pattern"},
	} {
		t.Run(c.activity+" "+c.in, func(t *testing.T) {
			t.Parallel()
			_, err := call(t, s, c.activity, c.in)
			wantInvalid(t, err, c.field)
		})
	}
}

func TestAnythingButOneJSONObjectIsRefused(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	for name, p := range map[string]*commonpb.Payloads{
		"no arguments": {},
		"nil":          nil,
		"undefined":    {Payloads: []*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("binary/null")}}}},
		"bytes":        {Payloads: []*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("binary/plain")}, Data: []byte(`{}`)}}},
		"no encoding":  {Payloads: []*commonpb.Payload{{Data: []byte(`{}`)}}},
		"no data":      {Payloads: []*commonpb.Payload{{Metadata: map[string][]byte{"encoding": []byte("json/plain")}}}},
	} {
		_, err := s.Execute(context.Background(), "sampleActivity", p)
		t.Run(name, func(t *testing.T) { wantInvalid(t, err, "input") })
	}
}

func TestUnknownActivityIsARetryableFailureThatListsTheKnownOnes(t *testing.T) {
	t.Parallel()
	_, err := call(t, New(Options{}), "sendFax", `{}`)
	app := wantFailure(t, err, NotFoundErrorType, false)
	const want = `no built-in activity is called "sendFax"; there are: buildPackage, httpRequest, logMessage, sampleActivity, transformData, validateData, waitFor`
	if app.Message() != want {
		t.Errorf("got  %s\nwant %s", app.Message(), want)
	}
}
