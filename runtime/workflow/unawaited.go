package workflow

import (
	"errors"
	"fmt"
	"strings"

	"workflow-worker/runtime/sandbox"
	"workflow-worker/runtime/workflow/protocol"
	"workflow-worker/runtime/workflow/wire"
)

const (
	// maxStarted is how many commands and conditions one activation may start. Each takes some 4 KB
	// until the task ends, and a history has room for 51,200 events: a task that makes more is a
	// loop without an await.
	maxStarted = 10_000
	// manyStarted is from how many on a task that was cut off is told that it waits for none of
	// them.
	manyStarted = 500
)

// errNotAwaited is the cause of the interruption of code that started too much.
var errNotAwaited = errors.New("too much was started")

const hintNotAwaited = "Await what a loop starts: each at once, or some hundreds together by await Promise.all([…]). Temporal keeps 2,000 activities of an execution " +
	"open at most: for more work, start children or continue as new."

// started counts what the execution starts. What is replayed was recorded, perhaps before there was
// a limit.
func (d *definition) started(v *machine) {
	if d.pending++; d.pending > d.o.maxStarted && !d.replaying {
		v.vm.Interrupt(errNotAwaited)
	}
}

// interrupted says why JavaScript was cut off: that it ran for too long is the smaller part if it
// started thousands of things on the way.
func (d *definition) interrupted(f *wire.TaskFailure, i *sandbox.Interrupted) {
	f.Reason, f.Hint = wire.ReasonInterrupted, hintTooLong
	f.Message, f.Stack = firstLine(i.Error()), protocol.FramesOnly(i.Stack)
	if errors.Is(i, errNotAwaited) {
		f.Reason, f.Hint = wire.ReasonNotAwaited, hintNotAwaited
		f.Message = fmt.Sprintf("more than %d commands (timers, activities, children, signals, conditions) were started in one workflow task without await: "+
			"the limit is %d", d.o.maxStarted, d.o.maxStarted)
		return
	}
	if over := (*sandbox.MemoryError)(nil); errors.As(i, &over) {
		f.Reason, f.Hint = wire.ReasonMemory, hintMemory
		f.Message = "the workflow was cut off for its memory: " + over.Error()
	}
	var on []string
	if d.pending >= manyStarted {
		on = append(on, fmt.Sprintf("%d commands (timers, activities, children, signals, conditions) were started without await", d.pending))
	}
	if i.Waiting >= manyStarted {
		on = append(on, fmt.Sprintf("%d steps of promises wait until the code returns", i.Waiting))
	}
	if len(on) > 0 {
		if f.Hint = hintNotAwaited; f.Reason == wire.ReasonMemory {
			f.Hint = hintMemory + " " + hintNotAwaited
		}
		f.Message += ": " + strings.Join(on, ", ")
	}
}
