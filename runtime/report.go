package runtime

import (
	"errors"
	"fmt"
	"time"

	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/replay"
	"workflow-worker/runtime/sandbox"
)

// Report says what is live in a project and what isn't, one entry for each
// workflow and component of the Project it answers.
type Report struct {
	Sources []SourceReport
	At      time.Time
	// Again, if it isn't zero, is when to ask once more, though nothing has changed: new code waits
	// for running executions that it would break, or couldn't be tried on them.
	Again time.Duration
}

// SourceReport is the state of one workflow or component. Hash and Version
// name what is live; both are "" if nothing is. Error is set if the newest
// text is not what is live. Warnings are about the newest text too, and about
// names under which it isn't served; they keep nothing from going live.
type SourceReport struct {
	Kind    string // KindWorkflow or KindComponent
	ID      string // workflows.id or components.id
	Name    string
	Version string
	Hash    string
	Since   time.Time // when Hash went live here
	Types   []string  // workflow or activity types served
	// VersioningBehavior is that of the live code: Pinned or AutoUpgrade; "" for a component.
	// AutoUpgrade as soon as one of its functions is.
	VersioningBehavior string
	Error              *SourceError
	Warnings           []Remark
}

// Remark is something to say of a text, with its place as in SourceError.
type Remark struct {
	Message string
	File    string
	Line    int
	Column  int
}

// SourceError says why the newest text of a source isn't live. Line and
// Column are 1-based positions in the author's own text, 0 if unknown.
type SourceError struct {
	Version string // of the broken text
	Message string
	File    string
	Line    int
	Column  int

	// More is what else is wrong with the text.
	More []Remark

	// Waits says that nothing may be wrong with the text itself: it waits for running executions
	// that it would break, or on which it couldn't be tried yet.
	Waits bool
	// Broken are the open executions that the text doesn't fit, which is why it isn't live; Checked
	// is how many were tried.
	Broken  []replay.BrokenExecution
	Checked int
}

// Problem puts into one line why the newest text of a source isn't live, "" if it is: what a
// worker's row shows of it, and what a call to a component that can't be run fails with.
func (s SourceReport) Problem() string {
	e := s.Error
	if e == nil {
		return ""
	}
	var where string
	switch {
	case e.File != "" && e.Line > 0:
		where = fmt.Sprintf("%s:%d:%d: ", e.File, e.Line, e.Column)
	case e.Line > 0:
		where = fmt.Sprintf("%d:%d: ", e.Line, e.Column)
	}
	what := fmt.Sprintf("%s %s: %s%s", s.Kind, s.Name, where, e.Message)
	if n := len(e.More); n > 0 {
		what += fmt.Sprintf(" (and %d more)", n)
	}
	return what
}

// sourceError tells the author of a row what is wrong with it; nil for nothing.
func sourceError(err error, version string) *SourceError {
	if err == nil {
		return nil
	}
	e := &SourceError{Version: version, Message: err.Error()}
	var bad *compile.Error
	var thrown *sandbox.Thrown
	switch {
	case errors.As(err, &bad):
		e.Message, e.File, e.Line, e.Column, e.More = bad.Message, bad.File, bad.Line, bad.Column, remarksOf(bad.More)
	case errors.As(err, &thrown):
		e.Message, e.File, e.Line, e.Column = thrown.Message, thrown.File, thrown.Line, thrown.Column
	}
	return e
}

func remarksOf(notes []compile.Note) (out []Remark) {
	for _, n := range notes {
		out = append(out, Remark(n))
	}
	return out
}
