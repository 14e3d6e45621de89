package userlog

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

// Whatever an author says is one line, of a size that nobody cuts.
func TestALineIsOneAndShort(t *testing.T) {
	t.Parallel()
	const long = 100_000
	for name, text := range map[string]string{
		"empty": "", "short": "hi", "letters": strings.Repeat("x", long), "newlines": strings.Repeat("\n", long), "quotes": strings.Repeat(`"`, long),
		"backslashes": strings.Repeat(`\`, long), "controls": strings.Repeat("\x01", long), "separators": strings.Repeat("\u2028", long),
		"html": strings.Repeat("<", long), "tags": strings.Repeat("\U000e0001", long), "invalid": strings.Repeat("\xff", long), "emoji": strings.Repeat("😀", long),
		"json": `{"a":"` + strings.Repeat("x", long) + `"}`, "nested": "{\n \"a\": \"level=forged\"\n}",
	} {
		for format, handler := range map[string]func(*bytes.Buffer) slog.Handler{
			"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
			"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		} {
			var b bytes.Buffer
			slog.New(handler(&b)).Info(Clip(text), Origin(FromWorkflow), Data(text))
			if n := strings.Count(b.String(), "\n"); n != 1 || b.Len() > 16<<10 {
				t.Errorf("%s as %s: %d lines, %d bytes", name, format, n, b.Len())
			}
		}
	}
	if got := Clip("hi\n"); got != "hi\n" {
		t.Errorf("%q", got)
	}
	if got := Clip(strings.Repeat("x", maxText+1)); !strings.HasSuffix(got, "x… (1 more bytes)") {
		t.Errorf("%q", got)
	}
}

// Not only what authors log is bounded: the failures of their code are logged, too.
func TestNoAttributeIsLong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("m\n", 5<<20)
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: Bounded}))
	log.Warn("failed", "error", errors.New(long), "text", long, slog.Group("group", "text", long), "n", 7)
	if out.Len() > 4*maxText || strings.Count(out.String(), "more bytes)") != 3 || !strings.Contains(out.String(), "n=7") {
		t.Errorf("a line of %d bytes: %.300s", out.Len(), out.String())
	}
	out.Reset()
	log.Warn("failed", "error", errors.New("short"))
	if !strings.Contains(out.String(), "error=short") {
		t.Errorf("a line was changed: %s", out.String())
	}
}
