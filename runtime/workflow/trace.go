package workflow

import (
	"context"
	"sync"

	"workflow-worker/runtime/tracing"
	"workflow-worker/runtime/workflow/protocol"
)

// traced is what an execution has of its trace. Nothing of it reaches the code, and a replay makes
// no spans.
type traced struct {
	execution tracing.Execution
	known     bool
	// task is the span of the task under way; the zero Span during a replay.
	task tracing.Span
	// over ends the last one, once.
	over func(why string)
	end  outgoing // of the run
}

const outcomeFailed = "failed"

func outcomeOf(end outgoing) string {
	switch end.(type) {
	case complete:
		return "completed"
	case fail:
		return outcomeFailed
	case cancelled:
		return "cancelled"
	case continueAsNew:
		return "continued as new"
	}
	return ""
}

// beginSpan begins the span of a task that isn't one of a replay.
func (d *definition) beginSpan() {
	if d.o.Tracer == nil {
		return
	}
	d.trace.failed("") // the SDK goes on with a task when a local activity has ended
	if d.env.IsReplaying() || !d.o.Tasks.Working(d.x.RunID) {
		return
	}
	if !d.trace.known {
		d.trace.execution, d.trace.known = d.o.Tracer.Execution(d.o.ProjectID, d.x.Type, d.x.ID, d.x.RunID, d.head), true
	}
	s := d.trace.execution.Task()
	for _, j := range d.jobs {
		switch j := j.(type) {
		case protocol.Signal:
			s.Link(j.Header)
		case protocol.Update:
			s.Link(j.Header)
		}
	}
	var once sync.Once // the server's answer comes on another goroutine than the next task
	d.trace.task = s
	d.trace.over = func(why string) {
		once.Do(func() {
			if why != "" {
				s.Fail(why)
			}
			s.End()
		})
	}
}

// failed ends the span of the task, which failed for a reason, if there is one.
func (t *traced) failed(reason string) {
	t.task = tracing.Span{}
	if t.over != nil {
		t.over(reason)
		t.over = nil
	}
}

// spanAnswered has the span end when the server has the task's answer, and the execution's with it,
// if that is its end.
func (d *definition) spanAnswered() {
	t := &d.trace
	if t.over == nil {
		return
	}
	t.task = tracing.Span{}
	over, ended := t.over, func() {}
	if d.completed && !d.beginsAgain {
		began := d.env.WorkflowInfo().WorkflowStartTime
		execution, outcome := t.execution, outcomeOf(t.end)
		ended = func() { execution.Ended(began, outcome, outcome == outcomeFailed) }
	}
	asked := d.o.Tasks.OnAnswer(d.x.RunID, func(err error) {
		if err != nil {
			over("refused")
			return
		}
		over("")
		ended()
	})
	if !asked {
		over("")
	}
}

// context is what lines of the log are written in.
func (t *traced) context() context.Context { return t.task.In(context.Background()) }
