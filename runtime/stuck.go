package runtime

import (
	"regexp"
	"strconv"
	"strings"

	"workflow-worker/runtime/workflow/wire"
)

// FailureObserver notes executions whose workflow tasks fail. Its methods are called for many
// tasks; they are cheap and don't block.
type FailureObserver interface {
	// ExecutionFailing reports one, again at each attempt.
	ExecutionFailing(projectID string, f Failing)
	// ExecutionGotOn reports each workflow task that an execution completed.
	ExecutionGotOn(runID string)
}

// Failing is an execution whose workflow tasks fail: it is open and gets no further.
type Failing struct {
	Execution
	// Type is its workflow type, CodeOf the workflows.id of the code that it runs, "" if that is no
	// row's.
	Type, CodeOf string
	// Version and Hash are of that code; "" if it didn't get that far.
	Version, Hash string
	// Reason is one of runtime/workflow's.
	Reason, Message string
	// File, Line and Column are the place in the author's text; 0 where there is none.
	File         string
	Line, Column int
}

type noFailureObserver struct{}

func (noFailureObserver) ExecutionFailing(string, Failing) {}
func (noFailureObserver) ExecutionGotOn(string)            {}

// TaskCompleted implements wire.TaskEnds.
func (p *project) TaskCompleted(x wire.Execution) { p.r.cfg.Failures.ExecutionGotOn(x.RunID) }

// TaskFailed implements wire.TaskEnds.
func (p *project) TaskFailed(x wire.Execution, f *wire.TaskFailure) {
	out := Failing{
		Execution: Execution{WorkflowID: x.ID, RunID: x.RunID}, Type: x.Type, Hash: f.Code, Reason: f.Reason, Message: f.Message,
	}
	out.File, out.Line, out.Column = authorsLine(f.Stack)
	out.CodeOf, out.Version = p.codeOf(x.Type, f.Code)
	p.r.cfg.Failures.ExecutionFailing(p.id, out)
}

// codeOf finds the workflow row of code that ran; of none, the row that serves the type, or would
// if it could be run.
func (p *project) codeOf(workflowType, hash string) (workflowID, version string) {
	l := p.live.Load()
	if hash != "" {
		for _, m := range append(p.old.all(), l.modules...) {
			if m.stored.Hash == hash && m.stored.WorkflowID != "" {
				return m.stored.WorkflowID, m.stored.Version
			}
		}
	}
	if t, ok := l.target(workflowType); ok {
		return t.module.stored.WorkflowID, ""
	}
	return l.brokenIDs[workflowType], ""
}

// place matches a frame of a cleaned stack.
var place = regexp.MustCompile(`^ +at (?:.* \()?([^()]*):(\d+):(\d+)\)?$`)

// authorsLine finds the innermost place in the author's own text: files of npm packages are named
// with their folder, it is without.
func authorsLine(stack string) (file string, line, column int) {
	for l := range strings.SplitSeq(stack, "\n") {
		if m := place.FindStringSubmatch(l); m != nil && !strings.Contains(m[1], "/") {
			line, _ = strconv.Atoi(m[2]) // digits; too many are no line
			column, _ = strconv.Atoi(m[3])
			return m[1], line, column
		}
	}
	return "", 0, 0
}
