// Package userlog makes lines of the log of what authors of workflows and activities say. What they
// log is theirs to choose, down to the names, and must not be taken for what the service says:
// their message is the line's, everything else is under one key, and neither is so long that a
// collector of logs breaks it into lines of its own. It imports nothing of ours.
package userlog

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// DataKey is the key of everything beside the message.
	DataKey = "data"
	// OriginKey says in a line of an author's that it is one: FromWorkflow or FromActivity.
	OriginKey    = "origin"
	FromWorkflow = "workflow"
	FromActivity = "activity"
)

// maxText bounds, as it is written, the message and what is under the key, each: container runtimes
// cut lines at 16 KiB, and what follows would look like a line of its own.
const maxText = 6 << 10

// Origin is the attribute that marks an author's line.
func Origin(from string) slog.Attr { return slog.String(OriginKey, from) }

// Clip cuts an author's text to what a line of the log takes.
func Clip(text string) string {
	written := 0
	for at, r := range text {
		if written += width(r); written > maxText {
			return fmt.Sprintf("%s… (%d more bytes)", strings.ToValidUTF8(text[:at], "\ufffd"), len(text)-at)
		}
	}
	return text
}

// Bounded is for slog's ReplaceAttr: whatever a line is about, failures of authors' code among them,
// is no longer than what they log.
func Bounded(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		if text := a.Value.String(); len(text) > maxText/maxWidth {
			a.Value = slog.StringValue(Clip(text))
		}
	case slog.KindAny:
		if err, ok := a.Value.Any().(error); ok {
			if text := err.Error(); len(text) > maxText/maxWidth {
				a.Value = slog.StringValue(Clip(text))
			}
		}
	}
	return a
}

// maxWidth is the most that width gives.
const maxWidth = len(`\U00000000`)

// width is how many bytes of a line a rune takes at most: in quotes, escaped.
func width(r rune) int {
	switch {
	case r == '"' || r == '\\':
		return 2
	case unicode.IsPrint(r) && r != utf8.RuneError && r != '<' && r != '>' && r != '&':
		return utf8.RuneLen(r)
	case r > 0xffff:
		return len(`\U00000000`)
	}
	return len(`\u0000`)
}

// Data is the attribute of what an author logs beside the message. Valid JSON stays JSON.
func Data(text string) slog.Attr {
	if clipped := Clip(text); clipped != text || !json.Valid([]byte(text)) {
		return slog.String(DataKey, clipped)
	}
	return slog.Any(DataKey, jsonText(text))
}

// jsonText logs as JSON inside JSON and as its text, quoted, elsewhere.
type jsonText string

func (j jsonText) MarshalJSON() ([]byte, error) { return []byte(j), nil }
func (j jsonText) String() string               { return string(j) }
