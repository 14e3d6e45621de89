package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"workflow-worker/runtime/workflow/wire"
)

// timeline is what the rows of one workflow or component said was current, in their order.
type timeline struct {
	mu       sync.Mutex // guards the rest
	current  []activation
	barriers []barrier
}

// activation is a good text that became current.
type activation struct {
	stamp int
	at    time.Time // not after the commit
}

// barrier says that the service reported an activation as live.
type barrier struct {
	index int
	at    time.Time // not before
}

func (l *timeline) activated(stamp int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current = append(l.current, activation{stamp, time.Now()})
}

// barrier notes that the newest activation is live by now.
func (l *timeline) barrier() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.barriers = append(l.barriers, barrier{len(l.current) - 1, time.Now()})
}

// explain finds the activation by which something that happened between began and ended may have
// met a stamp: committed before the end, not older than what was known to be live at the beginning,
// nor than the activation after.
func (l *timeline) explain(stamp, after int, began, ended time.Time) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	least := after
	for _, b := range l.barriers {
		if !b.at.After(began) {
			least = max(least, b.index)
		}
	}
	for i, a := range l.current {
		if i >= least && a.stamp == stamp && !a.at.After(ended) {
			return i, nil
		}
	}
	var told strings.Builder
	for i, a := range l.current {
		fmt.Fprintf(&told, " %d: %d (%s)", i, a.stamp, a.at.Format("05.000"))
	}
	return after, fmt.Errorf("stamp %d between %s and %s, not before activation %d of%s", stamp, began.Format("05.000"), ended.Format("05.000"), least, told.String())
}

// What the crowds' tests are worth depends on this.
func TestATimelineExplainsWhatWasCurrentAndNothingElse(t *testing.T) {
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	l := &timeline{
		current:  []activation{{1, at(0)}, {2, at(10)}, {3, at(20)}, {1, at(30)}}, // a rollback at last
		barriers: []barrier{{1, at(12)}, {3, at(32)}},
	}
	for _, c := range []struct {
		what                       string
		stamp, after, began, ended int
		index                      int // -1: not explained
	}{
		{"the current text", 2, 0, 13, 14, 1},
		{"the one before, as long as the new one may not be live", 1, 0, 11, 12, 0},
		{"the one before, too late", 1, 0, 13, 14, -1},
		{"the next one, not known to be live yet", 3, 0, 19, 21, 2},
		{"a text of the future", 3, 0, 13, 14, -1},
		{"a text that never was", 9, 0, 13, 14, -1},
		{"an older one than the run before had", 2, 2, 21, 22, -1},
		{"a text that came back", 1, 2, 33, 34, 3},
		{"a text that came back, before it did", 1, 1, 21, 22, -1},
	} {
		i, err := l.explain(c.stamp, c.after, at(c.began), at(c.ended))
		if err != nil {
			i = -1
		}
		if i != c.index {
			t.Errorf("%s: %d, %v; want %d", c.what, i, err, c.index)
		}
	}
}

// trouble is a task that failed, timed out or had to be tried again.
type trouble struct {
	task   string // as tap names it
	pinned bool   // the execution has its code
	event  *historypb.HistoryEvent
}

// excuse says why there may be trouble, "" if there is no reason.
type excuse func(trouble) string

// counted is the excuse with a count of what it excused.
func counted(ok excuse) (excuse, map[string]int) {
	n := map[string]int{}
	return func(t trouble) string {
		why := ok(t)
		if why != "" {
			n[why]++
		}
		return why
	}, n
}

// excuse knows the trouble that isn't the service's. It is of two kinds. Temporal gives a task to
// the worker that has the execution in its cache and, if that hasn't fetched it within five
// seconds, to any other; on a busy machine that says nothing. And some tasks never reach the
// service.
func (p *tap) excuse(t trouble) string {
	timeout := t.event.GetWorkflowTaskTimedOutEventAttributes()
	again := t.event.GetActivityTaskStartedEventAttributes().GetLastFailure().GetTimeoutFailureInfo()
	switch {
	case timeout.GetTimeoutType() == enumspb.TIMEOUT_TYPE_SCHEDULE_TO_START:
		return "not fetched in time by the worker that had the execution in its cache"
	case (timeout != nil || again != nil) && p.lost(t.task):
		return "lost by Temporal"
	}
	return ""
}

// explained checks an execution with all its runs and children: that each is explained by the texts
// it ran on, and that nothing failed or timed out without an excuse. It returns the number of runs.
func (c *crowd) explained(run client.WorkflowRun, ok excuse) (runs int) {
	c.t.Helper()
	after := 0 // a run takes no older text than the one before it
	id, runID := run.GetID(), run.GetRunID()
	for runID != "" {
		one := c.readRun(id, runID, ok)
		runs += one.runs + 1
		after = c.explainRun(one, after)
		runID = one.next
	}
	return runs
}

// oneRun is what a history tells.
type oneRun struct {
	id, kind, next string
	stamp          int       // of the text that it is pinned to
	begun, pinned  time.Time // its first task that completed: started, completed
	last           int       // the stamp of the text that ran the last task
	lastBegun      time.Time // that task
	ended          time.Time
	report         *report // nil if it was terminated
	runs           int     // of its children
	status         enumspb.EventType
}

func (c *crowd) readRun(id, runID string, ok excuse) oneRun {
	c.t.Helper()
	run := c.temporal.GetWorkflow(c.t.Context(), id, runID)
	one := oneRun{id: id}
	var payloads *commonpb.Payloads
	var taskStarted time.Time
	activities := map[int64]string{} // by the event that scheduled them
	for _, e := range c.history(run) {
		at := e.GetEventTime().AsTime()
		one.ended, one.status = at, e.GetEventType()
		switch e.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
			one.kind = e.GetWorkflowExecutionStartedEventAttributes().GetWorkflowType().GetName()
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_STARTED:
			taskStarted = at
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			if one.pinned.IsZero() {
				one.begun, one.pinned = taskStarted, at
			}
			one.last, one.lastBegun = ranStamp(e.GetWorkflowTaskCompletedEventAttributes().GetIdentity()), taskStarted
		case enumspb.EVENT_TYPE_MARKER_RECORDED:
			if s, found := pinnedStamp(e); found {
				one.stamp = s
			}
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED, enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
			enumspb.EVENT_TYPE_ACTIVITY_TASK_FAILED, enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
			task := workflowTask(runID, e.GetWorkflowTaskTimedOutEventAttributes().GetStartedEventId())
			if !wire.ServersOwn(e) && ok(trouble{task, !one.pinned.IsZero(), e}) == "" {
				c.t.Errorf("%s in %s: %s\n%s", e.GetEventType(), id, e, c.describe(run))
			}
		case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
			activities[e.GetEventId()] = e.GetActivityTaskScheduledEventAttributes().GetActivityId()
		case enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED:
			a := e.GetActivityTaskStartedEventAttributes()
			if a.GetAttempt() != 1 && ok(trouble{activityTask(runID, activities[a.GetScheduledEventId()], a.GetAttempt()-1), true, e}) == "" {
				c.t.Errorf("an activity of %s was tried again: %s", id, e)
			}
		case enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
			child := e.GetChildWorkflowExecutionStartedEventAttributes().GetWorkflowExecution()
			one.runs += c.explained(c.temporal.GetWorkflow(c.t.Context(), child.GetWorkflowId(), child.GetRunId()), ok)
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
			a := e.GetWorkflowExecutionCompletedEventAttributes()
			payloads, one.next = a.GetResult(), a.GetNewExecutionRunId()
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
			a := e.GetWorkflowExecutionFailedEventAttributes()
			payloads, one.next = a.GetFailure().GetApplicationFailureInfo().GetDetails(), a.GetNewExecutionRunId()
		case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
			a := e.GetWorkflowExecutionContinuedAsNewEventAttributes()
			payloads, one.next = a.GetInput(), a.GetNewExecutionRunId()
		}
	}
	if payloads != nil {
		one.report = &report{}
		if err := converter.GetDefaultDataConverter().FromPayloads(payloads, one.report); err != nil {
			c.t.Errorf("what %s reports: %v\n%s", id, err, c.describe(run))
		}
	}
	return one
}

// pinnedStamp reads which version the marker of an execution's code names; a crowd's versions are
// stamps.
func pinnedStamp(e *historypb.HistoryEvent) (int, bool) {
	var summary string
	if err := converter.GetDefaultDataConverter().FromPayload(e.GetUserMetadata().GetSummary(), &summary); err != nil {
		return 0, false
	}
	rest, found := strings.CutPrefix(summary, "code of this execution: ")
	words := strings.Fields(rest) // timers.ts 17 (9b1d0c44a1b2)
	if !found || len(words) != 3 {
		return 0, false
	}
	stamp, err := strconv.Atoi(words[1])
	return stamp, err == nil
}

// ranStamp reads which version the identity of a completed task names; 0 if it names none.
func ranStamp(identity string) int {
	before, _, _ := strings.Cut(identity, " code=")
	words := strings.Fields(before) // project@replica timers.ts 17
	stamp, _ := strconv.Atoi(words[len(words)-1])
	return stamp
}

// explainRun checks a run and returns the activation that explains it.
func (c *crowd) explainRun(one oneRun, after int) int {
	c.t.Helper()
	if one.report == nil {
		if one.status != enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED {
			c.t.Errorf("%s ended with %s and reports nothing", one.id, one.status)
		}
		return after
	}
	flow := c.flows[one.kind]
	index, err := flow.timeline.explain(one.stamp, after, one.begun, one.pinned)
	if err != nil {
		c.t.Errorf("%s began on a text that was not current: %v", one.id, err)
	}
	runs := one.stamp
	if flow.kind.moves {
		runs = one.last
		if index, err = flow.timeline.explain(one.last, index, one.lastBegun, one.ended); err != nil {
			c.t.Errorf("%s ended on a text that was not current: %v", one.id, err)
		}
		if one.last != one.stamp {
			c.moved++
		}
	} else if one.last != one.stamp {
		c.t.Errorf("%s is pinned to %d; its last task says %d", one.id, one.stamp, one.last)
	}
	if own := slices.Compact(slices.Clone(one.report.Own)); !slices.Equal(own, []int{runs}) {
		c.t.Errorf("%s runs %d and reports %v", one.id, runs, one.report.Own)
	}
	met := 0
	for _, s := range one.report.Activities {
		i, err := c.stamp.explain(s, met, one.begun, one.ended)
		if err != nil {
			c.t.Errorf("an activity of %s ran on a text that was not current: %v", one.id, err)
		}
		if !flow.kind.unordered {
			met = i
		}
	}
	return index
}
