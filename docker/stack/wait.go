package stack

import (
	"bytes"
	"context"
	"io"
	"strings"
	"time"
)

// WaitFor asks until done says so, fails, or ctx ends.
func WaitFor(ctx context.Context, every time.Duration, done func() (bool, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Lines is a log that gives a program's output line by line, without empty ones.
func Lines(each func(line string)) io.Writer { return &lines{each: each} }

type lines struct {
	rest []byte
	each func(line string)
}

func (l *lines) Write(b []byte) (int, error) {
	l.rest = append(l.rest, b...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			return len(b), nil
		}
		if text := strings.TrimSpace(string(line)); text != "" {
			l.each(text)
		}
		l.rest = rest
	}
}
