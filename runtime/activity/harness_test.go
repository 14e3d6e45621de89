package activity

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/temporal"

	"workflow-worker/activities"
	"workflow-worker/runtime/compile"
)

// program compiles a module; the text must be valid.
func program(t testing.TB, text string) *compile.Program {
	t.Helper()
	c := compile.New(compile.Config{})
	t.Cleanup(c.Close)
	p, err := c.Compile(context.Background(), compile.Source{Name: "charge-card.ts", Kind: compile.Activity, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func code(t testing.TB, text string, o CodeOptions) *Code {
	t.Helper()
	c := NewCode(program(t, text), o)
	t.Cleanup(c.Close)
	return c
}

// loopback lets fetch reach the tests' servers on 127.0.0.1 and nothing else that isn't public.
func loopback(t testing.TB) CodeOptions {
	t.Helper()
	client := activities.HTTPClient(activities.GuardOptions{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	t.Cleanup(client.CloseIdleConnections)
	return CodeOptions{HTTP: client}
}

// jsonArgs is what a TypeScript workflow sends for arguments of this JSON.
func jsonArgs(args ...string) *commonpb.Payloads {
	p := &commonpb.Payloads{}
	for _, a := range args {
		p.Payloads = append(p.Payloads, &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(a)})
	}
	return p
}

// execute runs "main" of a module outside of Temporal and gives its result as JSON, "undefined" for
// nothing, base64 for bytes.
func execute(t testing.TB, c *Code, args ...string) (string, error) {
	t.Helper()
	return executeIn(context.Background(), t, c, args...)
}

func executeIn(ctx context.Context, t testing.TB, c *Code, args ...string) (string, error) {
	t.Helper()
	out, err := c.Execute(ctx, "main", jsonArgs(args...))
	if err != nil {
		return "", err
	}
	if n := len(out.GetPayloads()); n != 1 {
		t.Fatalf("the result has %d payloads", n)
	}
	p := out.GetPayloads()[0]
	switch encoding := string(p.GetMetadata()["encoding"]); encoding {
	case "binary/null":
		return "undefined", nil
	case "binary/plain":
		b, _ := json.Marshal(p.GetData())
		return string(b), nil
	case "json/plain":
		return string(p.GetData()), nil
	default:
		t.Fatalf("the result's encoding is %q", encoding)
		return "", nil
	}
}

// evaluate runs the body of an async function.
func evaluate(t testing.TB, o CodeOptions, body string) (string, error) {
	t.Helper()
	return execute(t, code(t, "export async function main(...args: any[]): Promise<any> {\n"+body+"\n}", o))
}

func wantApplication(t testing.TB, err error, errType string, nonRetryable bool) *temporal.ApplicationError {
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

// recorder keeps the lines of a log.
type recorder struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.Write(p)
}

func (r *recorder) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
}

func (r *recorder) lines(t testing.TB) []map[string]any {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []map[string]any
	for l := range strings.SplitSeq(strings.TrimSpace(r.buf.String()), "\n") {
		if l == "" {
			continue
		}
		var m map[string]any
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			t.Fatalf("%v: %s", err, l)
		}
		out = append(out, m)
	}
	return out
}
