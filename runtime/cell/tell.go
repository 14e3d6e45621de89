package cell

import (
	"context"
	"slices"
	"sync"
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"workflow-worker/runtime"
)

const (
	// linger is how long news wait for others to go with them, and cadence how soon after the last
	// ones they go: a message costs more than what it carries. Nobody waits for what is only counted.
	linger, cadence, lingerCounts = 5 * time.Millisecond, 40 * time.Millisecond, 500 * time.Millisecond
	// maxHeld bounds what waits for a parent that doesn't answer, in bytes; of executions beyond it
	// Temporal tells.
	maxHeld = 64 << 20
	// keptFor is how long what nobody follows is kept: somebody who starts an execution, or writes its
	// row, may be heard of only afterwards.
	keptFor, maxKept = 10 * time.Second, 8 << 20
	// tellTimeout bounds one message. A parent that is stopped for longer finds its cell as it was.
	tellTimeout = time.Minute
)

// teller gathers what a cell has to tell. It implements the observers of runtime.Config.
type teller struct {
	parent *grpc.ClientConn

	mu     sync.Mutex // guards the rest
	next   news
	held   int
	urgent bool
	any    bool
	told   time.Time // when news last went
	// kept is what nobody follows, oldest first; keptBytes is how much of it.
	kept      []keptEvent
	keptBytes int
	followed  following
	queues    recent        // the task queue of each run, as far as it is known
	attempts  recent        // the run of each attempt, by its token
	wake      chan struct{} // holds a token while there are news
}

// keptEvent is an event that nobody follows, yet.
type keptEvent struct {
	at    time.Time
	queue string
	event event
	bytes [][]byte
}

func newTeller(parent *grpc.ClientConn) *teller {
	return &teller{parent: parent, followed: following{All: true}, queues: recent{}, attempts: recent{}, wake: make(chan struct{}, 1)}
}

// run tells until ctx ends, and once more then.
func (t *teller) run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-t.wake:
			t.wait(ctx)
		case <-ctx.Done():
		}
		t.flush(context.WithoutCancel(ctx))
	}
}

// wait lets others come, until something is urgent.
func (t *teller) wait(ctx context.Context) {
	t.mu.Lock()
	urgent := t.urgent
	t.mu.Unlock()
	if !urgent {
		late := time.NewTimer(lingerCounts)
		defer late.Stop()
		select {
		case <-t.wake:
		case <-late.C:
			return
		case <-ctx.Done():
			return
		}
	}
	t.mu.Lock()
	told := t.told
	t.mu.Unlock()
	soon := time.NewTimer(max(linger, cadence-time.Since(told)))
	defer soon.Stop()
	select {
	case <-soon.C:
	case <-ctx.Done():
	}
}

// flush tells what there is. What can't be told is lost with the parent that it was for.
func (t *teller) flush(ctx context.Context) {
	t.mu.Lock()
	n := t.next
	t.next, t.held, t.urgent, t.any, t.told = news{}, 0, false, false, time.Now()
	select {
	case <-t.wake:
	default:
	}
	t.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	_, _ = ask[ok](ctx, t.parent, parentService, methodTell, n)
}

// add notes something.
func (t *teller) add(urgent bool, what func(*news)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.note(urgent, what)
}

// note is add with mu held.
func (t *teller) note(urgent bool, what func(*news)) {
	what(&t.next)
	first := !t.any
	t.any = true
	if first || urgent && !t.urgent {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
	t.urgent = t.urgent || urgent
}

// event notes an event.
func (t *teller) event(e event) {
	t.add(true, func(n *news) { t.put(n, e, nil) })
}

// put is called with mu held.
func (t *teller) put(n *news, e event, bytes [][]byte) {
	if t.held > maxHeld && (e.Step != nil || e.Advanced != nil) {
		return
	}
	switch first := len(n.Bytes); {
	case e.Step != nil:
		e.Step.First, e.Step.N = first, len(bytes)
	case e.Advanced != nil && len(bytes) > 0:
		e.Advanced.Closing = first
	}
	n.Events = append(n.Events, e)
	n.Bytes = append(n.Bytes, bytes...)
	t.held += sizeOf(bytes)
}

// ofExecution notes an event of an execution, or keeps it while nobody follows that.
func (t *teller) ofExecution(runID string, e event, bytes [][]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	queue, known := t.queues[runID]
	if !known || t.followed.has(queue) {
		t.note(true, func(n *news) { t.put(n, e, bytes) })
		return
	}
	k := keptEvent{time.Now(), queue, e, bytes}
	t.kept, t.keptBytes = append(t.kept, k), t.keptBytes+sizeOf(bytes)
	for len(t.kept) > 0 && (t.keptBytes > maxKept || k.at.Sub(t.kept[0].at) > keptFor) {
		t.keptBytes -= sizeOf(t.kept[0].bytes)
		t.kept[0] = keptEvent{}
		t.kept = t.kept[1:]
	}
}

func (f following) has(queue string) bool {
	if f.All {
		return true
	}
	_, found := slices.BinarySearch(f.Queues, queue)
	return found
}

// recent is a text for each of so many others; of more, of any of them.
type recent map[string]string

func (r recent) add(key, value string) {
	const most = 20_000
	for other := range r {
		if len(r) < most {
			break
		}
		delete(r, other)
	}
	r[key] = value
}

// sizeOf is how much memory an event takes, about.
func sizeOf(bytes [][]byte) int {
	n := 500
	for _, b := range bytes {
		n += len(b)
	}
	return n
}

// follow says what somebody follows; with the first who does goes what was kept.
func (t *teller) follow(f following) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.Number <= t.followed.Number {
		return
	}
	t.followed = f
	var tell []keptEvent
	t.kept = slices.DeleteFunc(t.kept, func(k keptEvent) bool {
		if !f.has(k.queue) {
			return false
		}
		t.keptBytes -= sizeOf(k.bytes)
		if time.Since(k.at) <= keptFor {
			tell = append(tell, k)
		}
		return true
	})
	if len(tell) == 0 {
		return
	}
	t.note(true, func(n *news) {
		for _, k := range tell {
			t.put(n, k.event, k.bytes)
		}
	})
}

// JSInterrupted implements runtime.Observer.
func (t *teller) JSInterrupted(where string) {
	t.add(false, func(n *news) { count(&n.Interrupts, where) })
}

// WorkflowTaskFailed implements runtime.Observer.
func (t *teller) WorkflowTaskFailed(reason string) {
	t.add(false, func(n *news) { count(&n.TaskFailures, reason) })
}

func count(m *map[string]int, key string) {
	if *m == nil {
		*m = map[string]int{}
	}
	(*m)[key]++
}

// ActivityExecuted implements runtime.ActivityObserver.
func (t *teller) ActivityExecuted(projectID, name string, took time.Duration, failed bool) {
	t.add(false, func(n *news) { n.Attempts = append(n.Attempts, attempt{projectID, name, took, failed}) })
}

// ProjectTaskEnded implements runtime.UsageObserver.
func (t *teller) ProjectTaskEnded(projectID string, failed bool) {
	t.use(projectID, func(u *used) {
		u.Tasks++
		if failed {
			u.Failed++
		}
	})
}

// ProjectUsedCPU implements runtime.UsageObserver.
func (t *teller) ProjectUsedCPU(projectID string, d time.Duration) {
	t.use(projectID, func(u *used) { u.CPU += d })
}

func (t *teller) use(projectID string, what func(*used)) {
	t.add(false, func(n *news) {
		if n.Usage == nil {
			n.Usage = map[string]used{}
		}
		u := n.Usage[projectID]
		what(&u)
		n.Usage[projectID] = u
	})
}

// ExecutionKeptCode implements runtime.KeptCodeObserver.
func (t *teller) ExecutionKeptCode(projectID string, k runtime.KeptCode) {
	t.event(event{Kept: &keptCode{projectID, k}})
}

// ExecutionFailing implements runtime.FailureObserver.
func (t *teller) ExecutionFailing(projectID string, f runtime.Failing) {
	t.event(event{Failing: &failing{projectID, f}})
}

// ExecutionGotOn implements runtime.FailureObserver.
func (t *teller) ExecutionGotOn(runID string) {
	t.add(false, func(n *news) { n.Events = append(n.Events, event{GotOn: runID}) })
}

// ExecutionAdvanced implements runtime.ProgressObserver.
func (t *teller) ExecutionAdvanced(projectID string, a runtime.Advance) {
	out := advance{
		ProjectID: projectID, Execution: a.Execution, Type: a.Type, CodeOf: a.CodeOf, Version: a.Version, Hash: a.Hash,
		First: a.First, Origin: a.Origin, Code: a.Code, Title: a.Title, Activities: a.Activities, Closing: none,
	}
	var closing [][]byte
	if a.Closing != nil {
		if b, err := proto.Marshal(a.Closing); err == nil { // it was on the wire
			closing = [][]byte{b}
		}
	}
	t.ofExecution(a.RunID, event{Advanced: &out}, closing)
}

// none is the place of bytes that there are none of.
const none = -1

// EventsReceived implements wire.StepObserver.
func (t *teller) EventsReceived(x *commonpb.WorkflowExecution, events []*historypb.HistoryEvent) {
	if len(events) == 0 {
		return
	}
	if began := events[0].GetWorkflowExecutionStartedEventAttributes(); began != nil {
		t.mu.Lock()
		t.queues.add(x.GetRunId(), began.GetTaskQueue().GetName())
		t.mu.Unlock()
	}
	t.ofExecution(x.GetRunId(), event{Step: &step{Kind: stepEvents, WorkflowID: x.GetWorkflowId(), RunID: x.GetRunId()}}, messages(events))
}

// CommandsTaken implements wire.StepObserver.
func (t *teller) CommandsTaken(x *commonpb.WorkflowExecution, commands []*commandpb.Command) {
	if len(commands) > 0 {
		t.ofExecution(x.GetRunId(), event{Step: &step{Kind: stepCommands, WorkflowID: x.GetWorkflowId(), RunID: x.GetRunId()}}, messages(commands))
	}
}

// AttemptBegan implements wire.StepObserver.
func (t *teller) AttemptBegan(task *workflowservice.PollActivityTaskQueueResponse) {
	runID := task.GetWorkflowExecution().GetRunId()
	t.mu.Lock()
	t.attempts.add(string(task.GetTaskToken()), runID)
	t.mu.Unlock()
	t.ofExecution(runID, event{Step: &step{Kind: stepBegan}}, messages([]proto.Message{task}))
}

// AttemptEnded implements wire.StepObserver.
func (t *teller) AttemptEnded(token []byte, answer any) {
	m, is := answer.(proto.Message)
	if !is {
		return
	}
	t.mu.Lock()
	runID := t.attempts[string(token)]
	delete(t.attempts, string(token))
	t.mu.Unlock()
	t.ofExecution(runID, event{Step: &step{Kind: stepEnded, Token: token, Answer: string(m.ProtoReflect().Descriptor().FullName())}}, messages([]proto.Message{m}))
}

func messages[M proto.Message](list []M) [][]byte {
	out := make([][]byte, 0, len(list))
	for _, m := range list {
		b, err := proto.Marshal(m)
		if err != nil { // it was on the wire
			return nil
		}
		out = append(out, b)
	}
	return out
}

// codeUsed notes what runtime.CodeStore's Used is told.
func (t *teller) codeUsed(projectID, hash string) {
	t.add(false, func(n *news) { n.CodeUsed = append(n.CodeUsed, codeRef{projectID, hash}) })
}

// ended tells of a worker that ended by itself.
func (t *teller) ended(projectID string) { t.event(event{Ended: projectID}) }
