package migrations_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// recorder keeps what is logged, and tells who waits for a line.
type recorder struct {
	mu    sync.Mutex // guards text
	text  bytes.Buffer
	lines chan string // every line; dropped when nobody reads
}

func newRecorder() *recorder { return &recorder{lines: make(chan string, 1000)} }

func (r *recorder) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (r *recorder) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text.Write(line)
	select {
	case r.lines <- string(line):
	default:
	}
	return len(line), nil
}

func (r *recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// contains says whether some line of that level has text in it.
func (r *recorder) contains(level, text string) bool {
	for line := range strings.Lines(r.String()) {
		if strings.Contains(line, "level="+level) && strings.Contains(line, text) {
			return true
		}
	}
	return false
}
