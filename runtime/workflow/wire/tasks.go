package wire

import (
	"context"
	"maps"
	"sync"
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Tasks sees workflow tasks on their way from the server to the SDK, and their completions on the
// way back. It does what the bindings have no place for: it keeps what an execution's first event
// tells, writes the code that ran into each completed task's identity and reads it there again, and
// has the SDK begin again with an execution of its cache that is to move.
//
// It belongs to one connection, whose workers' factories must be given it. A nil Tasks sees
// nothing.
type Tasks struct {
	polls polls

	mu    sync.Mutex // guards the rest
	api   workflowservice.WorkflowServiceClient
	open  map[string]openTask // by task token
	runs  map[string]*run     // by run id: those with an open task, and those in the SDK's cache
	swept time.Time
	// failed are activities' attempts whose failure is on its way to the server, by task token.
	failed map[string]failedAttempt
	// misfits are executions with code that didn't fit them, oldest first: they aren't tried again
	// at every task.
	misfits []misfit
	// watched are the factories that were given this, by task queue: for what no definition is
	// there to tell.
	watched map[string]Project
	steps   StepObserver // nil: nobody asks
	owner   string       // see NameStickyQueues
}

// openTask is one that the server gave out and that has no answer yet.
type openTask struct {
	runID    string
	query    bool
	received time.Time
	// sent is set once its answer was on the way and didn't arrive: the SDK sends it again as it is.
	sent bool
}

// maxResend is how long the SDK sends an answer again that doesn't arrive, generously.
const maxResend = 2 * time.Minute

// maxTaskAge is how long an unanswered task is kept: the server lets none take longer than two
// minutes.
const maxTaskAge = 10 * time.Minute

// run is what is known of an execution while it has an open task or is in the SDK's cache.
type run struct {
	namespace      string
	id             *commonpb.WorkflowExecution
	tasks, queries int    // open ones
	token          string // of the last task that was no query

	// Of the open task:
	began *historypb.WorkflowExecutionStartedEventAttributes
	last  *LastCode // nil if only the server knows
	// foreign is set if another worker began it, as far as the history's first page tells.
	foreign *Foreign
	// tail is the partial history that a task came with. Its last events may be the server's alone,
	// not yet in the history.
	tail []*historypb.HistoryEvent

	// markers go to the server with the answer to the open task.
	markers []*commandpb.Command
	// given is the open task, and again what it is to be begun again with, instead of its answer.
	given, again *workflowservice.PollWorkflowTaskQueueResponse
	// dropped is set if what the SDK has of the execution ends with the open task.
	dropped bool
	// answered are told what the server says to the answer; nil if nobody asked.
	answered []func(error)

	cached  Kept
	project Project
	// worker outlives cached: an execution that is over is dropped before its last task is
	// answered.
	worker taskWorker
	known  known
}

// NewTasks makes one for one connection.
func NewTasks() *Tasks {
	return &Tasks{open: map[string]openTask{}, runs: map[string]*run{}, failed: map[string]failedAttempt{}, watched: map[string]Project{}}
}

// DialOption puts Tasks into a connection. The SDK's own interceptors stay outside: retries,
// metrics and headers are done. A connection that is to be back soon after the server gets
// [Reconnect] too.
func (t *Tasks) DialOption() grpc.DialOption { return grpc.WithChainUnaryInterceptor(t.intercept) }

func (t *Tasks) intercept(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	t.nameSticky(req)
	switch r := req.(type) {
	case *workflowservice.PollWorkflowTaskQueueRequest:
		return t.take(ctx, method, r, reply, cc, invoke, opts...)
	case *workflowservice.RespondWorkflowTaskCompletedRequest:
		return t.complete(ctx, method, r, reply, cc, invoke, opts...)
	case *workflowservice.RespondWorkflowTaskFailedRequest:
		r.Identity += t.label(r.GetTaskToken())
		t.explain(r)
		defer t.answered(r.GetTaskToken())
	case *workflowservice.PollActivityTaskQueueRequest:
		err := t.poll(ctx, method, req, reply, cc, invoke, opts...)
		if task, ok := reply.(*workflowservice.PollActivityTaskQueueResponse); err == nil && ok {
			t.attemptBegan(task)
		}
		return err
	case *workflowservice.RespondActivityTaskFailedRequest:
		t.nameCode(r)
		return t.deliverAttempt(ctx, method, r, reply, cc, invoke, opts...)
	case *workflowservice.RespondActivityTaskCompletedRequest:
		return t.deliverAttempt(ctx, method, r, reply, cc, invoke, opts...)
	case *workflowservice.RespondActivityTaskCanceledRequest:
		return t.deliverAttempt(ctx, method, r, reply, cc, invoke, opts...)
	case *workflowservice.RespondQueryTaskCompletedRequest:
		t.explainQuery(r)
		defer t.answered(r.GetTaskToken())
	case *workflowservice.GetWorkflowExecutionHistoryRequest:
		err := invoke(ctx, method, req, reply, cc, opts...)
		if resp, ok := reply.(*workflowservice.GetWorkflowExecutionHistoryResponse); err == nil && ok && ofTheSDK(r) {
			t.page(r, resp)
			if o := t.stepObserver(); o != nil && t.Working(r.GetExecution().GetRunId()) {
				o.EventsReceived(r.GetExecution(), resp.GetHistory().GetEvents())
			}
		}
		return err
	}
	return invoke(ctx, method, req, reply, cc, opts...)
}

// take polls for a task, which is noted, and begun again by newer code if the execution moves.
func (t *Tasks) take(ctx context.Context, method string, r *workflowservice.PollWorkflowTaskQueueRequest, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	err := t.poll(ctx, method, r, reply, cc, invoke, opts...)
	if task, ok := reply.(*workflowservice.PollWorkflowTaskQueueResponse); err == nil && ok {
		t.connected(cc)
		t.received(r.GetNamespace(), task)
		if t.moves(task) {
			t.beginAgain(ctx, r.GetNamespace(), task)
		}
	}
	return err
}

// complete sends the answer to a task with what belongs to it, or, if the task is to be begun again,
// gives the SDK that instead of sending anything.
func (t *Tasks) complete(ctx context.Context, method string, r *workflowservice.RespondWorkflowTaskCompletedRequest, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	resp, ok := reply.(*workflowservice.RespondWorkflowTaskCompletedResponse)
	if again, err := t.takeAgain(r); again != nil || err != nil {
		if ok && err == nil {
			resp.WorkflowTask = again
		}
		return err
	}
	token := r.GetTaskToken()
	if !t.sentBefore(token) {
		t.nameWorkflow(r)
		t.addMarkers(r)
		r.Identity += t.label(token)
	}
	if t.movesNext(token) || t.drops(token) {
		r.ReturnNewWorkflowTask = false // it is polled for
	}
	worker, told := t.workerOf(token)
	progress, taken := t.progress(r), t.stepsTaken(r)
	err := invoke(ctx, method, r, reply, cc, opts...)
	if sentAgain(ctx, err) {
		t.sent(token)
		return err
	}
	if told {
		worker.tellCompleted(err, progress)
	}
	t.tellAnswered(token, err)
	t.answered(token)
	if err == nil && ok {
		taken(resp)
		if resp.GetWorkflowTask() != nil {
			t.received(r.GetNamespace(), resp.GetWorkflowTask())
		}
	}
	return err
}

// connected keeps the connection for the questions of lastCode.
func (t *Tasks) connected(cc *grpc.ClientConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.api == nil {
		t.api = workflowservice.NewWorkflowServiceClient(cc)
	}
}

// received takes note of a task before the SDK has it.
func (t *Tasks) received(namespace string, task *workflowservice.PollWorkflowTaskQueueResponse) {
	if len(task.GetTaskToken()) == 0 {
		return // nothing to do
	}
	events := task.GetHistory().GetEvents()
	if o := t.stepObserver(); o != nil && task.GetQuery() == nil {
		o.EventsReceived(task.GetWorkflowExecution(), events)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.sweep(now)
	r := t.runs[task.GetWorkflowExecution().GetRunId()]
	if r == nil {
		r = &run{namespace: namespace, id: task.GetWorkflowExecution()}
		t.runs[r.id.GetRunId()] = r
	}
	query := task.GetQuery() != nil
	// The server has given up what was open.
	if o, ok := t.open[r.token]; ok && (!query || o.sent && now.Sub(o.received) > maxResend) {
		delete(t.open, r.token)
		r.tasks--
	}
	t.open[string(task.GetTaskToken())] = openTask{runID: r.id.GetRunId(), query: query, received: now}
	if query {
		r.queries++
	} else {
		r.tasks++
		r.markers, r.again, r.dropped, r.answered = nil, nil, false, nil // of an attempt that was never answered
		r.given, r.token = task, string(task.GetTaskToken())
	}
	if began := beginning(events); began != nil {
		r.read(events, began, len(task.GetNextPageToken()) == 0)
	} else if !query {
		r.tail = events
	}
}

// read takes over what the first page of a history tells.
func (r *run) read(events []*historypb.HistoryEvent, began *historypb.WorkflowExecutionStartedEventAttributes, complete bool) {
	r.began, r.last, r.foreign = began, nil, Foreigner(events)
	r.known.origin, r.known.activities = originOf(began, events[0].GetEventTime().AsTime()), scheduled(events)
	if complete {
		last := lastCode(events)
		r.last = &last
	}
}

// answered forgets an open task.
func (t *Tasks) answered(token []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o, ok := t.open[string(token)]; ok {
		t.forget(string(token), o)
	}
}

// forget is called with mu held.
func (t *Tasks) forget(token string, o openTask) {
	delete(t.open, token)
	r := t.runs[o.runID]
	if r == nil {
		return
	}
	if o.query {
		r.queries--
	} else {
		r.tasks--
	}
	t.release(r)
}

// release is called with mu held.
func (t *Tasks) release(r *run) {
	if r.tasks+r.queries > 0 {
		return
	}
	r.began, r.last, r.foreign, r.tail, r.markers = nil, nil, nil, nil, nil
	r.given, r.again, r.dropped, r.answered = nil, nil, false, nil
	if r.cached == nil {
		delete(t.runs, r.id.GetRunId())
	}
}

// sweep forgets tasks that the SDK never answered: it gives some up without a word. Called with mu
// held.
func (t *Tasks) sweep(now time.Time) {
	if now.Sub(t.swept) < maxTaskAge {
		return
	}
	t.swept = now
	for token, o := range maps.Clone(t.open) {
		if now.Sub(o.received) > maxTaskAge {
			t.forget(token, o)
		}
	}
	maps.DeleteFunc(t.failed, func(_ string, f failedAttempt) bool { return now.Sub(f.at) > maxTaskAge })
}

// sentAgain tells whether the SDK sends an answer again for which there was this error: see its
// retry.IsRetryable. What it gives up is forgotten when the execution's next task comes.
func sentAgain(ctx context.Context, err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.ResourceExhausted, codes.Aborted, codes.Unknown, codes.Internal:
		return ctx.Err() == nil
	}
	return false
}

// sent notes that the answer to an open task is the SDK's to send again.
func (t *Tasks) sent(token []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o, ok := t.open[string(token)]; ok {
		o.sent = true
		t.open[string(token)] = o
	}
}

func (t *Tasks) sentBefore(token []byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.open[string(token)].sent
}

// label is what the identity of a task's answer gets: the code that ran.
func (t *Tasks) label(token []byte) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	o, ok := t.open[string(token)]
	if !ok || o.query {
		return "" // answered before: this is another attempt to send it
	}
	if r := t.runs[o.runID]; r != nil && r.cached != nil {
		if title, last, ok := r.cached.Code(); ok {
			return last.label(title)
		}
	}
	return ""
}

// Begin gives what is known of an execution that a definition begins to run: the attributes of its
// first event, nil if they didn't pass by here, and which code completed its last task.
func (t *Tasks) Begin(ctx context.Context, runID string) (began *historypb.WorkflowExecutionStartedEventAttributes, last LastCode, query bool, err error) {
	if t == nil {
		return nil, LastCode{}, false, nil
	}
	t.mu.Lock()
	r, api := t.runs[runID], t.api
	if r == nil {
		t.mu.Unlock()
		return nil, LastCode{}, false, nil
	}
	began, query = r.began, r.tasks == 0
	known := r.last
	t.mu.Unlock()
	if known == nil {
		known, err = askLastCode(ctx, api, r.namespace, r.id)
		if err != nil {
			return nil, LastCode{}, false, err
		}
	}
	return began, *known, query, nil
}

// Replay tells of a history that is given to a WorkflowReplayer and so doesn't pass by. It is
// replayed on the code that ran. done forgets it.
func (t *Tasks) Replay(runID string, events []*historypb.HistoryEvent) (done func()) {
	token := "replay " + runID
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &run{id: &commonpb.WorkflowExecution{RunId: runID}, queries: 1}
	r.read(events, beginning(events), true)
	t.runs[runID] = r
	t.open[token] = openTask{runID: runID, query: true, received: time.Now()}
	return func() { t.answered([]byte(token)) }
}

// Keep notes that a run is what the SDK has of an execution, unless it is there for a query alone.
func (t *Tasks) Keep(k Kept, x RunInfo, p Project) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.runs[x.RunID]; r != nil && r.tasks > 0 {
		r.cached, r.project = k, p
		r.worker = taskWorker{x: x, ends: p.Ends, what: TaskFailure{WorkflowType: x.Type}}
		if title, last, ok := k.Code(); ok {
			r.worker.what.Code, r.worker.what.Title = last.Hash, title
		}
	}
}

// Drop is Keep's counterpart.
func (t *Tasks) Drop(k Kept, runID string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.runs[runID]; r != nil && r.cached == k {
		r.cached, r.project = nil, Project{}
		t.release(r)
	}
}

// Dropped notes that a query in an open task has the SDK drop what it has of the execution. A task
// that followed in the same place would run on that, and the execution would end with its error.
func (t *Tasks) Dropped(runID string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.runs[runID]; r != nil {
		r.dropped = r.tasks > 0
	}
}

func (t *Tasks) drops(token []byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.runs[t.open[string(token)].runID]
	return r != nil && r.dropped
}

// cached gives the run that a task ran on; nil if there is none any more.
func (t *Tasks) cached(token []byte) (Kept, Project) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.runs[t.open[string(token)].runID]; r != nil {
		return r.cached, r.project
	}
	return nil, Project{}
}

// Watch notes who hears of the executions of a task queue. A later one takes an earlier one's
// place.
func (t *Tasks) Watch(taskQueue string, p Project) {
	if t == nil || taskQueue == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.watched[taskQueue] = p
}

// Empty tells whether nothing is known of any task or execution.
func (t *Tasks) Empty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open) == 0 && len(t.runs) == 0
}
