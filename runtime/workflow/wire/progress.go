package wire

import (
	"regexp"
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// Progress is what a workflow task brought that the server has taken.
type Progress struct {
	// First says that nothing was told of the run before, here.
	First bool
	// Origin is where it comes from; nil if its first event didn't pass by here.
	Origin *Origin
	// Code and Title say what it runs on; zero if it isn't in the SDK's cache any more.
	Code  LastCode
	Title string
	// Activities is how many it has scheduled, -1 if that isn't known here.
	Activities int
	// Closing is the command that ends the run, nil if it goes on.
	Closing *commandpb.Command
}

// Origin is what a run's first event says beside its arguments.
type Origin struct {
	// FirstRunID names the first run of the chain that it belongs to, by continue-as-new, retries,
	// cron and resets.
	FirstRunID string
	Attempt    int32
	// Again says that another run may follow its end: by a schedule, or after a failure.
	Cron, Retry bool
	Parent      *commonpb.WorkflowExecution // nil if it is nobody's child
	// Row is what RowOf gives of it, TaskQueue where the run began, and when.
	Row, TaskQueue string
	Began          time.Time
}

func originOf(began *historypb.WorkflowExecutionStartedEventAttributes, at time.Time) *Origin {
	return &Origin{
		FirstRunID: began.GetFirstExecutionRunId(), Attempt: began.GetAttempt(), Cron: began.GetCronSchedule() != "", Retry: began.GetRetryPolicy() != nil,
		Parent: began.GetParentWorkflowExecution(), Row: RowOf(began.GetMemo()), TaskQueue: began.GetTaskQueue().GetName(), Began: at,
	}
}

// RowMemo is where an execution's memo has the id of the row that it was started for.
const RowMemo = "workflow_execution"

var quotedID = regexp.MustCompile(`^"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"$`)

// RowOf is the id of the row that an execution says it was started for, "" if it says none. Whoever
// starts an execution may say so.
func RowOf(m *commonpb.Memo) string {
	id := quotedID.FindSubmatch(m.GetFields()[RowMemo].GetData())
	if id == nil {
		return ""
	}
	return string(id[1])
}

// known is what progress is made of, for as long as a run is in the SDK's cache.
type known struct {
	origin     *Origin
	activities int // in the history so far
	told       bool
}

// scheduled counts the activities that events tell of.
func scheduled(events []*historypb.HistoryEvent) (n int) {
	for _, e := range events {
		if e.GetActivityTaskScheduledEventAttributes() != nil {
			n++
		}
	}
	return n
}

// progress takes note of what goes to the server; done gives what to tell once it is taken.
func (t *Tasks) progress(r *workflowservice.RespondWorkflowTaskCompletedRequest) (done func() Progress) {
	p := Progress{Activities: -1}
	count := 0
	for _, c := range r.GetCommands() {
		switch {
		case c.GetScheduleActivityTaskCommandAttributes() != nil:
			count++
		case c.GetCompleteWorkflowExecutionCommandAttributes() != nil, c.GetFailWorkflowExecutionCommandAttributes() != nil,
			c.GetCancelWorkflowExecutionCommandAttributes() != nil, c.GetContinueAsNewWorkflowExecutionCommandAttributes() != nil:
			p.Closing = c
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	run := t.runs[t.open[string(r.GetTaskToken())].runID]
	if run == nil {
		return func() Progress { return p }
	}
	if run.worker.titled {
		p.Code, p.Title = run.worker.code, run.worker.title
	}
	if run.cached != nil {
		if title, last, ok := run.cached.Code(); ok {
			p.Code, p.Title = last, title
			run.worker.code, run.worker.title, run.worker.titled = last, title, true
		}
	}
	return func() Progress {
		t.mu.Lock()
		defer t.mu.Unlock()
		p.First, run.known.told = !run.known.told, true
		if p.Origin = run.known.origin; p.Origin != nil {
			run.known.activities += count
			p.Activities = run.known.activities
		}
		return p
	}
}
