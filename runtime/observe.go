package runtime

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"workflow-worker/runtime/activity"
	"workflow-worker/runtime/replay"
	"workflow-worker/runtime/workflow"
	"workflow-worker/runtime/workflow/wire"
)

// Observer hears what an operator counts: activities and executions each tell their part.
type Observer interface {
	activity.Observer
	workflow.Observer
}

// interruptedLoad is a row's text that was cut off when it was evaluated for the first time.
const interruptedLoad = "load"

// Interrupts are all that Observer.JSInterrupted may be told.
func Interrupts() []string {
	return []string{workflow.InterruptedTask, workflow.InterruptedQuery, activity.Interrupted, interruptedLoad}
}

type noObserver struct{}

func (noObserver) JSInterrupted(string)      {}
func (noObserver) WorkflowTaskFailed(string) {}

// Meter takes what the code of one project measures with metricMeter.
type Meter interface {
	// Measure takes one value; kind is counter, up-down-counter, gauge or histogram. It is cheap
	// and doesn't block. The error says why the value isn't kept.
	Measure(kind, name, description string, value float64, tags map[string]string) error
	// Close ends it.
	Close()
}

type noMeter struct{}

func (noMeter) Measure(string, string, string, float64, map[string]string) error { return nil }
func (noMeter) Close()                                                           {}

// Entry is a use of a project's JavaScript.
type Entry struct {
	ProjectID string
	Hash      string // of the code; "" where it isn't known yet
	File      string // "<row's name>.ts"
	// WorkflowID and RunID are of the execution; "" where the code is only looked over.
	WorkflowID, RunID string
}

// KeptCodeObserver notes executions that keep their code. Its method is cheap and doesn't block.
type KeptCodeObserver interface {
	// ExecutionKeptCode reports one; again for each code that it was to go on with, and after a
	// restart of the process.
	ExecutionKeptCode(projectID string, k KeptCode)
}

// KeptCode is of an execution that was to go on with other code and keeps its own, because its
// history doesn't fit.
type KeptCode struct {
	replay.BrokenExecution
	// CodeOf is the workflows.id of the code that it was to go on with.
	CodeOf string
	// From and To are hashes: of the code that it keeps, and of the other.
	From, To string
}

type noKeptCodeObserver struct{}

func (noKeptCodeObserver) ExecutionKeptCode(string, KeptCode) {}

// ActivityObserver counts attempts of activities. Its methods are cheap and don't block.
type ActivityObserver interface {
	// ActivityExecuted reports one attempt: how long it took and whether it failed. name is one
	// that the project serves.
	ActivityExecuted(projectID, name string, took time.Duration, failed bool)
}

type noActivityObserver struct{}

func (noActivityObserver) ActivityExecuted(string, string, time.Duration, bool) {}

// UsageObserver adds up what each project does and takes. Its methods are called for every task; they
// are cheap and don't block.
type UsageObserver interface {
	// ProjectTaskEnded counts a workflow task, or an attempt of an activity, and whether it failed.
	ProjectTaskEnded(projectID string, failed bool)
	// ProjectUsedCPU adds CPU time that the project's JavaScript took.
	ProjectUsedCPU(projectID string, d time.Duration)
}

type noUsageObserver struct{}

func (noUsageObserver) ProjectTaskEnded(string, bool)        {}
func (noUsageObserver) ProjectUsedCPU(string, time.Duration) {}

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
	replay.Execution
	// Type is its workflow type, CodeOf the workflows.id of the code that it runs, "" if that is no
	// row's.
	Type, CodeOf string
	// Version and Hash are of that code; "" if it didn't get that far.
	Version, Hash string
	// Reason is one of runtime/workflow's.
	Reason, Message string
	// File, Line and Column are the place in the author's text; 0 where there is none.
	File         string
	Line, Column int // from 1
}

type noFailureObserver struct{}

func (noFailureObserver) ExecutionFailing(string, Failing) {}
func (noFailureObserver) ExecutionGotOn(string)            {}

// ProgressObserver hears how executions get on. Its method is called for many tasks; it is cheap and
// doesn't block.
type ProgressObserver interface {
	// ExecutionAdvanced reports the first workflow task of a run that this process completed, and
	// the one that ended it: once the server has taken it.
	ExecutionAdvanced(projectID string, a Advance)
}

// Advance is how far a run has got.
type Advance struct {
	replay.Execution
	// Type is its workflow type, CodeOf the workflows.id of the code that it runs, "" if that is no
	// row's.
	Type, CodeOf  string
	Version, Hash string // of that code
	wire.Progress
}

type noProgressObserver struct{}

func (noProgressObserver) ExecutionAdvanced(string, Advance) {}

// TaskCompleted implements wire.TaskEnds.
func (p *project) TaskCompleted(x wire.RunInfo, done wire.Progress) {
	p.r.cfg.Failures.ExecutionGotOn(x.RunID)
	p.r.cfg.Usage.ProjectTaskEnded(p.id, false)
	if !done.First && done.Closing == nil {
		return
	}
	out := Advance{Execution: replay.Execution{WorkflowID: x.ID, RunID: x.RunID}, Type: x.Type, Hash: done.Code.Hash, Progress: done}
	out.CodeOf, out.Version = p.codeOf(x.Type, out.Hash)
	p.r.cfg.Progress.ExecutionAdvanced(p.id, out)
}

// TaskFailed implements wire.TaskEnds.
func (p *project) TaskFailed(x wire.RunInfo, f *wire.TaskFailure) {
	out := Failing{
		Execution: replay.Execution{WorkflowID: x.ID, RunID: x.RunID}, Type: x.Type, Hash: f.Code, Reason: f.Reason, Message: f.Message,
	}
	out.File, out.Line, out.Column = AuthorsLine(f.Stack)
	out.CodeOf, out.Version = p.codeOf(x.Type, f.Code)
	p.r.cfg.Failures.ExecutionFailing(p.id, out)
	p.r.cfg.Usage.ProjectTaskEnded(p.id, true)
}

// codeOf finds the workflow row of code that ran; of none, the row that serves the type, or would
// if it could be run.
func (p *project) codeOf(workflowType, hash string) (workflowID, version string) {
	l := p.live.Load()
	if hash != "" {
		for _, m := range append(p.old.all(), l.modules...) {
			if m.Text.Hash == hash && m.Text.WorkflowID != "" {
				return m.Text.WorkflowID, m.Text.Version
			}
		}
	}
	if t, ok := l.target(workflowType); ok {
		return t.module.Text.WorkflowID, ""
	}
	return l.brokenIDs[workflowType], ""
}

// place matches a frame of a cleaned stack.
var place = regexp.MustCompile(`^ +at (?:.* \()?([^()]*):(\d+):(\d+)\)?$`)

// AuthorsLine finds the innermost place in the author's own text: files of npm packages are named
// with their folder, it is without.
func AuthorsLine(stack string) (file string, line, column int) {
	for l := range strings.SplitSeq(stack, "\n") {
		if m := place.FindStringSubmatch(l); m != nil && !strings.Contains(m[1], "/") {
			line, _ = strconv.Atoi(m[2]) // digits; too many are no line
			column, _ = strconv.Atoi(m[3])
			return m[1], line, column
		}
	}
	return "", 0, 0
}

// keepsCode tells of an execution that keeps its code.
func (p *project) keepsCode(x wire.RunInfo, from wire.LastCode, to *workflow.Code, why workflow.Misfit) {
	for _, m := range append(p.old.all(), p.live.Load().modules...) {
		if m.Workflow == to {
			p.r.cfg.KeptCode.ExecutionKeptCode(p.id, KeptCode{
				BrokenExecution: replay.BrokenExecution{Execution: replay.Execution{WorkflowID: x.ID, RunID: x.RunID}, EventID: why.EventID, Reason: why.Reason},
				CodeOf:          m.Text.WorkflowID, From: from.Hash, To: m.Text.Hash,
			})
			return
		}
	}
}

// meters are the open meters of the projects that run. Code is made before its project runs, and
// may run on after it: it finds its meter by the project's id.
type meters struct {
	mu   sync.RWMutex // guards open
	open map[string]Meter
}

func (m *meters) put(projectID string, meter Meter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open == nil {
		m.open = map[string]Meter{}
	}
	m.open[projectID] = meter
}

// close closes a meter; a newer one of the project stays.
func (m *meters) close(projectID string, meter Meter) {
	m.mu.Lock()
	if m.open[projectID] == meter {
		delete(m.open, projectID)
	}
	m.mu.Unlock()
	meter.Close()
}

// of gives what takes the measurements of a project's code.
func (m *meters) of(projectID string) projectMeter { return projectMeter{m, projectID} }

type projectMeter struct {
	meters    *meters
	projectID string
}

// Measure implements workflow.Meter and activity.Meter.
func (p projectMeter) Measure(kind, name, description string, value float64, tags map[string]string) error {
	p.meters.mu.RLock()
	meter := p.meters.open[p.projectID]
	p.meters.mu.RUnlock()
	if meter == nil {
		return nil
	}
	return meter.Measure(kind, name, description, value, tags)
}
