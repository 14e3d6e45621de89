package runtime

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/replay"
	"workflow-worker/runtime/sandbox"
)

// Report says what is live in a project and what isn't.
type Report struct {
	// Sources has one entry for each workflow and component of the Project that it answers, in
	// their order.
	Sources []SourceReport
	// At is when the rows were looked at, by this process's clock.
	At time.Time
	// Again, if it isn't zero, is after which time to ask once more, though nothing has changed:
	// new code waits for running executions that it would break, or couldn't be tried on them.
	Again time.Duration
}

// SourceReport is the state of one workflow or component.
type SourceReport struct {
	Kind string // KindWorkflow or KindComponent
	ID   string // workflows.id or components.id
	Name string // the row's own
	// Version and Hash are of what is live; both are "" if nothing is.
	Version, Hash string
	Since         time.Time // when Hash went live here
	Types         []string  // workflow or activity types served, sorted
	// VersioningBehavior is that of the live code: Pinned or AutoUpgrade; "" for a component.
	// AutoUpgrade as soon as one of its functions is.
	VersioningBehavior string
	// Error says why the newest text isn't what is live; nil if it is. Of a workflow row whose
	// activities_code can't be run it says so, though the workflow is live.
	Error *SourceError
	// Warnings are about the newest text too, and about names under which it isn't served; they
	// keep nothing from going live.
	Warnings []Remark
}

// Remark is something to say of a text.
type Remark struct {
	Message string // for its author, without the place
	File    string // "<row's name>.ts", or a package's; "" if unknown
	Line    int    // in the author's own text, from 1; 0 if unknown
	Column  int    // so too
}

// SourceError says why the newest text of a source isn't live. Its place is as a Remark's.
type SourceError struct {
	Version string // of the text
	Message string
	File    string
	Line    int
	Column  int

	// More is what else is wrong with the text.
	More []Remark

	// Waits says that nothing may be wrong with the text itself: it waits for running executions
	// that it would break, or on which it couldn't be tried yet.
	Waits bool
	// Broken are the open executions that the text doesn't fit, which is why it isn't live.
	Broken []replay.BrokenExecution
	// Checked is how many executions were tried.
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
	var interrupted *sandbox.Interrupted
	var fault *sandbox.Fault
	switch {
	case errors.As(err, &bad):
		e.Message, e.File, e.Line, e.Column, e.More = bad.Message, bad.File, bad.Line, bad.Column, remarksOf(bad.More)
	case errors.As(err, &thrown):
		e.Message, e.File, e.Line, e.Column = thrown.Message, thrown.File, thrown.Line, thrown.Column
	case errors.As(err, &fault):
		e.Message, _, _ = strings.Cut(err.Error(), "\n")
		e.File, e.Line, e.Column = AuthorsLine(fault.Stack)
	case errors.As(err, &interrupted):
		e.Message, _, _ = strings.Cut(err.Error(), "\n")
		e.File, e.Line, e.Column = AuthorsLine(interrupted.Stack)
	}
	e.Message = sandbox.Shorten(e.Message)
	return e
}

func remarksOf(notes []compile.Note) (out []Remark) {
	for _, n := range notes {
		out = append(out, Remark(n))
	}
	return out
}
