package workflow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"workflow-worker/runtime/sandbox"
	"workflow-worker/runtime/workflow/wire"

	commonpb "go.temporal.io/api/common/v1"

	historypb "go.temporal.io/api/history/v1"

	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Misfit says where a history parts from what code would have done.
type Misfit struct {
	// EventID is the event at which they part, 0 if unknown.
	EventID int64
	// Reason is for people, a line.
	Reason string
}

func (m *Misfit) Error() string {
	if m.EventID == 0 {
		return m.Reason
	}
	return fmt.Sprintf("event %d: %s", m.EventID, m.Reason)
}

// CheckReplay replays the history of an open execution on code: nil if the execution could go on with it,
// a *Misfit if not. Any other error says that it couldn't be told, before ctx ended. Nothing
// outside notices. Of o, TaskTimeout and TaskQueue count.
func CheckReplay(ctx context.Context, o Options, x wire.RunInfo, h *historypb.History, code *Code, export string) error {
	t := replayCheck{ctx: ctx, o: o, x: x, events: h.GetEvents(), code: code, export: export}
	t.find()
	if len(t.tasks) == 0 {
		return nil // it will begin with whatever code is current then
	}
	err := t.replay(len(t.tasks) - 1)
	if err == nil || ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	if strings.Contains(err.Error(), sandbox.ShortOfMemory) {
		return errors.New(reasonOf(err)) // another time there is more
	}
	m := &Misfit{Reason: reasonOf(err)}
	if at := eventAt(err); at > 0 {
		m.EventID = at
		return m
	}
	// The SDK doesn't tell which task it was: the shortest history that fails ends with it.
	n := sort.Search(len(t.tasks)-1, func(i int) bool { return t.replay(i) != nil })
	if ctx.Err() == nil {
		m.EventID = t.event(n, err)
	}
	return m
}

// replayCheck is a history to be replayed on a code.
type replayCheck struct {
	ctx    context.Context
	o      Options
	x      wire.RunInfo
	events []*historypb.HistoryEvent
	tasks  []completedTask
	code   *Code
	export string
	end    func(*definition) // see Options
}

// completedTask is the events that came of one: from its completion on, up to where the next task
// was scheduled.
type completedTask struct{ from, to int }

// find finds the completed tasks. The SDK wouldn't compare what came of the last one if the history
// went on with another that has begun.
func (t *replayCheck) find() {
	open := false
	for i, e := range t.events {
		switch {
		case e.GetWorkflowTaskCompletedEventAttributes() != nil:
			t.tasks = append(t.tasks, completedTask{from: i, to: len(t.events)})
			open = true
		case e.GetWorkflowTaskScheduledEventAttributes() != nil && open:
			t.tasks[len(t.tasks)-1].to = i
			open = false
		}
	}
}

// replay replays the history up to what came of a completed task. Another replay of the code may have
// been cut off beside it.
func (t *replayCheck) replay(task int) error {
	const tries = 3
	var err error
	for range tries {
		if err = t.replayOnce(task); err == nil || !strings.Contains(err.Error(), discardedMessage) {
			break
		}
	}
	return err
}

func (t *replayCheck) replayOnce(task int) error {
	o := Options{
		ProjectID: t.o.ProjectID, TaskQueue: t.o.TaskQueue, TaskTimeout: t.o.TaskTimeout, Resolver: t, Tasks: wire.NewTasks(), LocalActivity: neverRuns,
		unproven: true, giveUp: t.ctx.Err, end: t.end,
	}
	h := &historypb.History{Events: t.events[:t.tasks[task].to]}
	defer o.Tasks.Replay(t.x.RunID, h.GetEvents())()
	r, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{FailureConverter: wire.FailureConverter(nil)})
	if err != nil {
		return err
	}
	r.RegisterDynamicWorkflow(NewFactory(o), workflow.DynamicRegisterOptions{})
	return r.ReplayWorkflowHistoryWithOptions(sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)), h, worker.ReplayWorkflowHistoryOptions{
		OriginalExecution: workflow.Execution{ID: t.x.ID, RunID: t.x.RunID},
	})
}

// neverRuns stands for local activities: a replay has their results, and starts none.
func neverRuns(context.Context, LocalActivity, *commonpb.Payloads) (*commonpb.Payloads, error) {
	return nil, errors.New("a replay runs no activity")
}

// Current, Pinned, Wanted and Moved implement Resolver: whatever the history names, the code is the
// one that is tried.
func (t *replayCheck) Current(string) (*Code, string, error)                   { return t.code, t.export, nil }
func (t *replayCheck) Pinned(context.Context, string) (*Code, error)           { return t.code, nil }
func (t *replayCheck) Wanted(_ wire.RunInfo, last wire.LastCode) wire.LastCode { return last }
func (t *replayCheck) Moved(context.Context, string, string) (*Code, string, error) {
	return t.code, t.export, nil
}

// event finds the event among those that came of a task.
func (t *replayCheck) event(task int, err error) int64 {
	found := mismatch.FindStringSubmatch(err.Error())
	came := t.events[t.tasks[task].from:t.tasks[task].to]
	for _, e := range came {
		if found != nil && found[2] == e.GetEventType().String() {
			return e.GetEventId()
		}
	}
	return came[0].GetEventId()
}

// How the SDK words it, with all attributes behind.
var (
	unknown     = regexp.MustCompile(`lookup failed for scheduledEventID to activityID: scheduleEventID: (\d+)`)
	unmatched   = regexp.MustCompile(`a matching (\w+) command was expected in history event position (\d+)`)
	mismatch    = regexp.MustCompile(`(history event is|missing replay command for|extra replay command for) (\w+): \((.*)`)
	replayed    = regexp.MustCompile(`replay command is (\w+): \((.*)`)
	typeInWords = regexp.MustCompile(`Type:\(Name:([^)]*)\)`)
)

const maxReason = 300

// eventAt is the event that the SDK names, 0 if it doesn't.
func eventAt(err error) int64 {
	for _, r := range []*regexp.Regexp{unmatched, unknown} {
		if found := r.FindStringSubmatch(err.Error()); found != nil {
			id, _ := strconv.ParseInt(found[len(found)-1], 10, 64) // digits
			return id
		}
	}
	return 0
}

// reasonOf puts the SDK's words into one line, without the arguments.
func reasonOf(err error) string {
	text := err.Error()
	if found := unmatched.FindStringSubmatch(text); found != nil {
		return fmt.Sprintf("the history has a command of kind %s, and the code doesn't give it", found[1])
	}
	if unknown.MatchString(text) {
		return "the history has an activity, and the code doesn't schedule it"
	}
	if found := mismatch.FindStringSubmatch(text); found != nil {
		theirs, ours, _ := strings.Cut(found[3], ", replay command is ")
		what := found[2] + nameIn(theirs)
		switch found[1] {
		case "missing replay command for":
			return fmt.Sprintf("the history has %s, and the code doesn't do it", what)
		case "extra replay command for":
			return fmt.Sprintf("the code does %s, and the history hasn't got it", what)
		}
		does := "something else"
		if r := replayed.FindStringSubmatch("replay command is " + ours); r != nil {
			does = r[1] + nameIn(r[2])
		}
		return fmt.Sprintf("the history has %s, and the code does %s", what, does)
	}
	text, _, _ = strings.Cut(text, "\n")
	text = strings.TrimPrefix(text, "replay workflow failed with failure: ")
	text = strings.TrimPrefix(text, "[TMPRL1100] ")
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return text
}

func nameIn(attributes string) string {
	if found := typeInWords.FindStringSubmatch(attributes); found != nil {
		return " " + found[1]
	}
	return ""
}
