package wire

import (
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
)

// NameStickyQueues has this connection's workers name the queues of what is in their cache after the
// process that they are, instead of at random: who comes back under a name has what waits there at
// once, and not the others after ten seconds. The SDK asks for the history of what it hasn't cached.
// No two of one name may run at once. It is for before the first task.
func (t *Tasks) NameStickyQueues(owner string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.owner = owner
}

// stickyName is the name of the queue for a task queue; "" leaves the SDK's.
func (t *Tasks) stickyName(taskQueue string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	const longest = 900 // the server takes 1,000 bytes
	name := "sticky/" + t.owner + "/" + taskQueue
	if t.owner == "" || taskQueue == "" || len(name) > longest {
		return ""
	}
	return name
}

// nameSticky renames the queue that a request names, if it is one of ours.
func (t *Tasks) nameSticky(req any) {
	rename := func(q *taskqueuepb.TaskQueue) {
		if name := t.stickyName(q.GetNormalName()); name != "" {
			q.Name = name
		}
	}
	switch r := req.(type) {
	case *workflowservice.PollWorkflowTaskQueueRequest:
		rename(r.GetTaskQueue())
	case *workflowservice.RespondWorkflowTaskCompletedRequest:
		rename(r.GetStickyAttributes().GetWorkerTaskQueue())
	case *workflowservice.ShutdownWorkerRequest:
		if name := t.stickyName(r.GetTaskQueue()); name != "" && r.GetStickyTaskQueue() != "" {
			r.StickyTaskQueue = name
		}
	}
}
