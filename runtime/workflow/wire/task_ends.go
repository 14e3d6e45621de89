package wire

import (
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TaskEnds hears how the workflow tasks of executions end, for one project. Its methods are called
// for every task; they are cheap and don't block.
type TaskEnds interface {
	// TaskFailed tells of a task that failed, at every attempt. The SDK answers the first one; the
	// server lets the later ones time out.
	TaskFailed(x RunInfo, f *TaskFailure)
	// TaskCompleted tells that the server has taken what a task brought: the execution got on.
	TaskCompleted(x RunInfo, p Progress)
}

const hintRefused = "Temporal's server refuses what the code asked for: correct the code, or the server's settings."

// Working says whether an execution has an open task that is no query.
func (t *Tasks) Working(runID string) bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.runs[runID]
	return r != nil && r.tasks > 0
}

// OnAnswer has f told, once, what the server says to the answer to an execution's open task: nil for
// one that it has taken. It reports whether there is such a task. An answer that is never sent tells
// nobody.
func (t *Tasks) OnAnswer(runID string, f func(error)) bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.runs[runID]
	if r == nil || r.tasks == 0 {
		return false
	}
	r.answered = append(r.answered, f)
	return true
}

// tellAnswered tells who asked by OnAnswer.
func (t *Tasks) tellAnswered(token []byte, err error) {
	t.mu.Lock()
	var list []func(error)
	if r := t.runs[t.open[string(token)].runID]; r != nil {
		list, r.answered = r.answered, nil
	}
	t.mu.Unlock()
	for _, f := range list {
		f(err)
	}
}

// taskWorker is who ran an execution's task.
type taskWorker struct {
	x    RunInfo
	ends TaskEnds
	what TaskFailure // without a message

	code   LastCode // what it ran on last
	title  string
	titled bool
}

// workerOf gives who runs an open task; it knows it still when the execution is over.
func (t *Tasks) workerOf(token []byte) (w taskWorker, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o, open := t.open[string(token)]
	if !open || o.query || t.runs[o.runID] == nil {
		return w, false
	}
	r := t.runs[o.runID]
	return r.worker, r.worker.ends != nil
}

// tellCompleted tells what the server said to a task's completion. What it finds wrong with a
// command it has written into the history as a failed task, and nobody hears of it but by this
// answer.
func (w taskWorker) tellCompleted(err error, progress func() Progress) {
	if err == nil {
		w.ends.TaskCompleted(w.x, progress())
		return
	}
	s := status.Convert(err)
	if s.Code() != codes.InvalidArgument || strings.Contains(s.Message(), "UnhandledCommand") {
		return // out of reach, too late, or something happened meanwhile: the task comes again
	}
	f := w.what
	f.Reason, f.Message, f.Hint = ReasonRefused, s.Message(), hintRefused
	w.ends.TaskFailed(w.x, &f)
}
