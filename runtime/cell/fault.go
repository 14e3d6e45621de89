package cell

import (
	"context"
	"errors"

	"workflow-worker/runtime"
	"workflow-worker/runtime/replay"
)

// fault is an error that goes over to the other process: its text, and which of the errors that
// somebody looks for it is.
type fault struct {
	Text string
	Is   string `json:",omitempty"`
	// Reason is a replay.RefusedError's.
	Reason string `json:",omitempty"`
}

const refused = "refused"

// known are the errors that somebody looks for, by their names.
var known = map[string]error{
	"nothing live":   runtime.ErrNothingLive,
	"not running":    runtime.ErrNotRunning,
	"code not found": runtime.ErrCodeNotFound,
	"canceled":       context.Canceled,
	"deadline":       context.DeadlineExceeded,
}

func faultOf(err error) *fault {
	if err == nil {
		return nil
	}
	f := &fault{Text: err.Error()}
	if r := (*replay.RefusedError)(nil); errors.As(err, &r) {
		f.Is, f.Reason = refused, r.Reason
		return f
	}
	for name, is := range known {
		if errors.Is(err, is) {
			f.Is = name
		}
	}
	return f
}

func (f *fault) err() error {
	switch {
	case f == nil:
		return nil
	case f.Is == refused:
		return &told{f.Text, &replay.RefusedError{Reason: f.Reason}}
	}
	return &told{f.Text, known[f.Is]}
}

// told is an error of the other process.
type told struct {
	text string
	is   error
}

func (e *told) Error() string { return e.text }

func (e *told) Unwrap() error { return e.is }
