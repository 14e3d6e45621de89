package cell

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"time"
)

// A cell's log goes over its standard error: a line that begins with lineMark is a record, any other
// is what Go itself has to say, when the process dies above all.
const lineMark = 0x1e

// record is a line of the log.
type record struct {
	At      time.Time
	Level   int
	Message string
	Attrs   []attr `json:",omitempty"`
}

// attr is a slog.Attr that keeps what kind its value is.
type attr struct {
	Key   string
	Kind  string          `json:",omitempty"` // "" is a text
	Value json.RawMessage `json:",omitempty"`
	// Text is how a value that is of no kind of slog's own reads.
	Text  string `json:",omitempty"`
	Group []attr `json:",omitempty"`
}

// The values of attr.Kind.
const (
	kindInt      = "int"
	kindUint     = "uint"
	kindFloat    = "float"
	kindBool     = "bool"
	kindDuration = "duration"
	kindTime     = "time"
	kindGroup    = "group"
	kindError    = "error"
	kindAny      = "any"
)

// handler is the slog.Handler of a cell.
type handler struct {
	level slog.Leveler
	out   *lines
	// with are the attributes so far, inside of the groups that are open.
	with []attr
	open []string
}

// lines writes one line at a time.
type lines struct {
	mu sync.Mutex // guards w
	w  io.Writer
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

// Handle implements slog.Handler.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	var own []attr
	r.Attrs(func(a slog.Attr) bool {
		own = append(own, attrsOf(a)...)
		return true
	})
	line, err := json.Marshal(record{At: r.Time, Level: int(r.Level), Message: r.Message, Attrs: within(h.with, h.open, own)})
	if err != nil {
		return fmt.Errorf("write a line of the log: %w", err)
	}
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	_, err = h.out.w.Write(append(append([]byte{lineMark}, line...), '\n'))
	return err
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(list []slog.Attr) slog.Handler {
	var more []attr
	for _, a := range list {
		more = append(more, attrsOf(a)...)
	}
	if len(more) == 0 {
		return h
	}
	next := *h
	next.with = within(h.with, h.open, more)
	return &next
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	next := *h
	next.open = append(append([]string(nil), h.open...), name)
	return &next
}

// within puts more into the innermost of the open groups.
func within(list []attr, open []string, more []attr) []attr {
	if len(more) == 0 {
		return list
	}
	out := append([]attr(nil), list...)
	if len(open) == 0 {
		return append(out, more...)
	}
	if n := len(out) - 1; n >= 0 && out[n].Kind == kindGroup && out[n].Key == open[0] {
		out[n].Group = within(out[n].Group, open[1:], more)
		return out
	}
	return append(out, attr{Key: open[0], Kind: kindGroup, Group: within(nil, open[1:], more)})
}

func attrsOf(a slog.Attr) []attr {
	v := a.Value.Resolve()
	plain := func(kind string, value any) []attr {
		b, err := json.Marshal(value)
		if err != nil {
			return []attr{{Key: a.Key, Kind: kindAny, Text: fmt.Sprint(value)}}
		}
		return []attr{{Key: a.Key, Kind: kind, Value: b}}
	}
	switch v.Kind() {
	case slog.KindString:
		return plain("", v.String())
	case slog.KindInt64:
		return plain(kindInt, v.Int64())
	case slog.KindUint64:
		return plain(kindUint, v.Uint64())
	case slog.KindFloat64:
		return plain(kindFloat, math.Float64bits(v.Float64())) // JSON has no infinity
	case slog.KindBool:
		return plain(kindBool, v.Bool())
	case slog.KindDuration:
		return plain(kindDuration, v.Duration())
	case slog.KindTime:
		return plain(kindTime, v.Time())
	case slog.KindGroup:
		var group []attr
		for _, g := range v.Group() {
			group = append(group, attrsOf(g)...)
		}
		if a.Key == "" || len(group) == 0 {
			return group
		}
		return []attr{{Key: a.Key, Kind: kindGroup, Group: group}}
	}
	switch x := v.Any().(type) {
	case nil:
		return []attr{{Key: a.Key, Kind: kindAny, Value: json.RawMessage("null"), Text: "<nil>"}}
	case error:
		return []attr{{Key: a.Key, Kind: kindError, Text: x.Error()}}
	default:
		out := plain(kindAny, x)
		out[0].Text = fmt.Sprintf("%+v", x)
		return out
	}
}

func (a attr) slog() slog.Attr {
	read := func(v any) { _ = json.Unmarshal(a.Value, v) } // it was written by attrsOf
	switch a.Kind {
	case kindInt:
		var v int64
		read(&v)
		return slog.Int64(a.Key, v)
	case kindUint:
		var v uint64
		read(&v)
		return slog.Uint64(a.Key, v)
	case kindFloat:
		var v uint64
		read(&v)
		return slog.Float64(a.Key, math.Float64frombits(v))
	case kindBool:
		var v bool
		read(&v)
		return slog.Bool(a.Key, v)
	case kindDuration:
		var v time.Duration
		read(&v)
		return slog.Duration(a.Key, v)
	case kindTime:
		var v time.Time
		read(&v)
		return slog.Time(a.Key, v)
	case kindGroup:
		var list []any
		for _, g := range a.Group {
			list = append(list, g.slog())
		}
		return slog.Group(a.Key, list...)
	case kindError:
		return slog.Any(a.Key, errors.New(a.Text))
	case kindAny:
		return slog.Any(a.Key, foreign{a.Text, a.Value})
	}
	var v string
	read(&v)
	return slog.String(a.Key, v)
}

// foreign is a value of the other process: it reads in either format as it would there.
type foreign struct {
	text string
	json json.RawMessage
}

func (f foreign) String() string { return f.text }

// MarshalText implements encoding.TextMarshaler.
func (f foreign) MarshalText() ([]byte, error) { return []byte(f.text), nil }

// MarshalJSON implements json.Marshaler.
func (f foreign) MarshalJSON() ([]byte, error) {
	if len(f.json) == 0 {
		return json.Marshal(f.text)
	}
	return f.json, nil
}

const (
	// maxLine bounds a line of a cell's log; authors' texts are bounded before.
	maxLine = 4 << 20
	// keptLines and keptBytes are what is kept of what isn't the log: Go's last words begin with what
	// happened, and end with stacks of hundreds of goroutines.
	keptLines, keptBytes = 40, 8 << 10
)

// follow hands a cell's log on until it ends, and keeps what else was said.
func follow(r io.Reader, log *slog.Logger, words *lastWords) {
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := readLine(in)
		switch {
		case len(line) > 0 && line[0] == lineMark:
			var rec record
			if json.Unmarshal(line[1:], &rec) != nil {
				words.add(string(line[1:]))
				break
			}
			rec.write(log)
		case len(bytes.TrimSpace(line)) > 0:
			words.add(string(line))
		}
		if err != nil {
			return
		}
	}
}

// readLine reads a line without its end, and leaves out what is beyond maxLine.
func readLine(in *bufio.Reader) (line []byte, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if len(line) < maxLine {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimRight(line, "\n"), err
		}
	}
}

func (rec record) write(log *slog.Logger) {
	level := slog.Level(rec.Level)
	if !log.Enabled(context.Background(), level) {
		return
	}
	r := slog.NewRecord(rec.At, level, rec.Message, 0)
	for _, a := range rec.Attrs {
		r.AddAttrs(a.slog())
	}
	_ = log.Handler().Handle(context.Background(), r) // where the log can't be written there is nobody to tell
}

// lastWords are the first lines that a dying process said.
type lastWords struct {
	mu    sync.Mutex // guards the rest
	lines []string
	size  int
}

func (w *lastWords) add(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.lines) >= keptLines || w.size >= keptBytes {
		return
	}
	line = line[:min(len(line), keptBytes-w.size)]
	w.lines, w.size = append(w.lines, strings.ToValidUTF8(line, "�")), w.size+len(line)
}

func (w *lastWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.lines, "\n")
}
