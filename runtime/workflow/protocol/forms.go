package protocol

import (
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/converter"
	bindings "go.temporal.io/sdk/internalbindings"
	"go.temporal.io/sdk/workflow"
)

// The commands. What waits for an answer has the package's sequence number, by which its
// cancellation and the job that answers it name it too.

// The values of ScheduleActivity.Cancellation and ScheduleLocalActivity.Cancellation: the
// protocol's ActivityCancellationType.
const (
	ActivityTryCancel = 0
	ActivityWait      = 1
	ActivityAbandon   = 2
)

// ScheduleActivity is a command.
type ScheduleActivity struct {
	Seq          int64
	Params       bindings.ExecuteActivityParams // without a header
	Headers      map[string]*commonpb.Payload
	Cancellation int64
}

func readScheduleActivity(v *Values, f Fields, shown shown) (Command, error) {
	c := &ScheduleActivity{Seq: f.Integer("seq"), Cancellation: f.Integer("cancellationType")}
	p := &c.Params
	p.ActivityID = f.Text("activityId")
	p.ActivityType = bindings.ActivityType{Name: f.Text("activityType")}
	p.TaskQueueName = f.Text("taskQueue")
	p.ScheduleToCloseTimeout = f.Duration("scheduleToCloseTimeout")
	p.ScheduleToStartTimeout = f.Duration("scheduleToStartTimeout")
	p.StartToCloseTimeout = f.Duration("startToCloseTimeout")
	p.HeartbeatTimeout = f.Duration("heartbeatTimeout")
	p.RetryPolicy = f.RetryPolicy(v.Runtime, "retryPolicy")
	p.Priority = f.Priority("priority")
	p.Summary, p.EventGroupMarkers = shown.summary, shown.groups
	p.DisableEagerExecution = f.Truth("doNotEagerlyExecute")
	p.WaitForCancellation = c.Cancellation == ActivityWait
	var err error
	if c.Headers, err = v.readHeader(f); err != nil {
		return nil, err
	}
	p.Input, err = v.ReadPayloads(f.Value("arguments"))
	return c, err
}

// CancelActivity is a command.
type CancelActivity struct{ Seq int64 }

func readCancelActivity(_ *Values, f Fields, _ shown) (Command, error) {
	return CancelActivity{f.Integer("seq")}, nil
}

// ScheduleLocalActivity is a command. What the server would fill in is as the code said it: zero
// where it didn't.
type ScheduleLocalActivity struct {
	Seq                           int64
	ActivityID, ActivityType      string
	ScheduleToClose, StartToClose time.Duration
	RetryPolicy                   *commonpb.RetryPolicy
	// RetryThreshold is the longest pause between attempts that isn't a timer; nil for the default.
	RetryThreshold *time.Duration
	Attempt        int32 // from 1
	Summary        string
	Groups         Groups
	Input          *commonpb.Payloads
	Headers        map[string]*commonpb.Payload
	Cancellation   int64
	// Over is of the deadline that is given and zero.
	Over enumspb.TimeoutType
	// FirstMillis is when the first attempt was scheduled, of an attempt after a timer.
	FirstMillis float64
}

func readScheduleLocalActivity(v *Values, f Fields, shown shown) (Command, error) {
	c := &ScheduleLocalActivity{
		Seq: f.Integer("seq"), Cancellation: f.Integer("cancellationType"), FirstMillis: f.Number("originalScheduleTime"),
		ActivityID: f.Text("activityId"), ActivityType: f.Text("activityType"),
		StartToClose: f.Duration("startToCloseTimeout"), ScheduleToClose: f.Duration("scheduleToCloseTimeout"),
		RetryPolicy: f.RetryPolicy(v.Runtime, "retryPolicy"), Attempt: int32(max(1, f.Integer("attempt"))), Summary: shown.summary, Groups: shown.groups,
	}
	switch {
	case f.Has("scheduleToCloseTimeout") && c.ScheduleToClose == 0:
		c.Over = enumspb.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE
	case f.Has("startToCloseTimeout") && c.StartToClose == 0:
		c.Over = enumspb.TIMEOUT_TYPE_START_TO_CLOSE
	}
	if f.Has("localRetryThreshold") {
		threshold := f.Duration("localRetryThreshold")
		c.RetryThreshold = &threshold
	}
	var err error
	if c.Headers, err = v.readHeader(f); err != nil {
		return nil, err
	}
	c.Input, err = v.ReadPayloads(f.Value("arguments"))
	return c, err
}

// CancelLocalActivity is a command.
type CancelLocalActivity struct{ Seq int64 }

func readCancelLocalActivity(_ *Values, f Fields, _ shown) (Command, error) {
	return CancelLocalActivity{f.Integer("seq")}, nil
}

// The values of StartChild.Cancellation: the protocol's ChildWorkflowCancellationType.
const (
	ChildAbandon       = 0
	ChildTryCancel     = 1
	ChildWaitCompleted = 2
	ChildWaitRequested = 3
)

// StartChild is a command.
type StartChild struct {
	Seq          int64
	Params       bindings.ExecuteWorkflowParams
	Cancellation int64
}

func readStartChild(v *Values, f Fields, shown shown) (Command, error) {
	c := &StartChild{Seq: f.Integer("seq"), Cancellation: f.Integer("cancellationType")}
	p := &c.Params
	p.WorkflowType = &bindings.WorkflowType{Name: f.Text("workflowType")}
	p.WorkflowID = f.Text("workflowId")
	p.Namespace = f.Text("namespace")
	p.TaskQueueName = f.Text("taskQueue")
	p.WorkflowExecutionTimeout = f.Duration("workflowExecutionTimeout")
	p.WorkflowRunTimeout = f.Duration("workflowRunTimeout")
	p.WorkflowTaskTimeout = f.Duration("workflowTaskTimeout")
	p.RetryPolicy = f.RetryPolicy(v.Runtime, "retryPolicy")
	p.Priority = f.Priority("priority")
	p.WorkflowIDReusePolicy = enumspb.WorkflowIdReusePolicy(f.Integer("workflowIdReusePolicy"))
	p.ParentClosePolicy = enumspb.ParentClosePolicy(f.Integer("parentClosePolicy"))
	p.CronSchedule = f.Text("cronSchedule")
	p.StaticSummary, p.StaticDetails, p.EventGroupMarkers = shown.summary, shown.details, shown.groups
	p.WaitForCancellation = c.Cancellation == ChildWaitCompleted
	memo, err := v.ReadPayloadMap(f.Value("memo"))
	if err != nil {
		return nil, err
	}
	p.Memo = RawValues(memo)
	attributes, err := v.readSearchAttributes(f)
	if err != nil {
		return nil, err
	}
	p.SearchAttributes = AsAny(attributes)
	headers, err := v.readHeader(f)
	if err != nil {
		return nil, err
	}
	if len(headers) > 0 {
		p.Header = &commonpb.Header{Fields: headers}
	}
	p.Input, err = v.ReadPayloads(f.Value("input"))
	return c, err
}

// RawValues keeps payloads as they are through a data converter.
func RawValues(m map[string]*commonpb.Payload) map[string]any {
	if m == nil {
		return nil
	}
	out := make(map[string]any, len(m))
	for k, p := range m {
		out[k] = converter.NewRawValue(p)
	}
	return out
}

// AsAny is the map as the SDK takes search attributes.
func AsAny(m map[string]*commonpb.Payload) map[string]any {
	if m == nil {
		return nil
	}
	out := make(map[string]any, len(m))
	for k, p := range m {
		out[k] = p
	}
	return out
}

func (v *Values) readSearchAttributes(f Fields) (map[string]*commonpb.Payload, error) {
	return v.ReadPayloadMap(f.Object("searchAttributes").Value("indexedFields"))
}

// CancelChild is a command.
type CancelChild struct{ Seq int64 }

func readCancelChild(_ *Values, f Fields, _ shown) (Command, error) {
	return CancelChild{f.Integer("childWorkflowSeq")}, nil
}

// SignalExternal is a command: it signals another workflow, or a child.
type SignalExternal struct {
	Seq                          int64
	Namespace, WorkflowID, RunID string
	Child                        bool
	Name                         string
	Input                        *commonpb.Payloads
	Header                       *commonpb.Header
	Groups                       Groups
}

func readSignalExternal(v *Values, f Fields, shown shown) (Command, error) {
	c := &SignalExternal{Seq: f.Integer("seq"), Name: f.Text("signalName"), Groups: shown.groups}
	if e := f.Object("workflowExecution"); e.o != nil {
		c.Namespace, c.WorkflowID, c.RunID = e.Text("namespace"), e.Text("workflowId"), e.Text("runId")
	} else {
		c.WorkflowID, c.Child = f.Text("childWorkflowId"), true
	}
	headers, err := v.readHeader(f)
	if err != nil {
		return nil, err
	}
	if len(headers) > 0 {
		c.Header = &commonpb.Header{Fields: headers}
	}
	c.Input, err = v.ReadPayloads(f.Value("args"))
	return c, err
}

// CancelSignal is a command.
type CancelSignal struct{ Seq int64 }

func readCancelSignal(_ *Values, f Fields, _ shown) (Command, error) {
	return CancelSignal{f.Integer("seq")}, nil
}

// CancelExternal is a command: it asks another workflow to cancel itself.
type CancelExternal struct {
	Seq                          int64
	Namespace, WorkflowID, RunID string
	Groups                       Groups
}

func readCancelExternal(_ *Values, f Fields, shown shown) (Command, error) {
	e := f.Object("workflowExecution")
	return CancelExternal{f.Integer("seq"), e.Text("namespace"), e.Text("workflowId"), e.Text("runId"), shown.groups}, nil
}

// The values of ScheduleNexus.Cancellation: the protocol's NexusOperationCancellationType; 0 waits
// for the operation's end.
const (
	NexusAbandon       = 1
	NexusTryCancel     = 2
	NexusWaitRequested = 3
)

// ScheduleNexus is a command.
type ScheduleNexus struct {
	Seq                          int64
	Endpoint, Service, Operation string
	Input                        *commonpb.Payload
	Header                       map[string]string
	Options                      bindings.NexusOperationOptions
	Cancellation                 int64
}

func readScheduleNexus(v *Values, f Fields, shown shown) (Command, error) {
	c := &ScheduleNexus{
		Seq: f.Integer("seq"), Endpoint: f.Text("endpoint"), Service: f.Text("service"), Operation: f.Text("operation"),
		Cancellation: f.Integer("cancellationType"),
		Options: bindings.NexusOperationOptions{
			ScheduleToCloseTimeout: f.Duration("scheduleToCloseTimeout"),
			ScheduleToStartTimeout: f.Duration("scheduleToStartTimeout"),
			StartToCloseTimeout:    f.Duration("startToCloseTimeout"),
			// The other types are seen to here: they resolve before the SDK would.
			CancellationType: workflow.NexusOperationCancellationTypeWaitCompleted,
			Summary:          shown.summary,
		},
	}
	if c.Cancellation == NexusWaitRequested {
		c.Options.CancellationType = workflow.NexusOperationCancellationTypeWaitRequested
	}
	if h := f.Object("nexusHeader"); h.o != nil {
		c.Header = make(map[string]string)
		for _, k := range h.o.Keys() {
			c.Header[k] = h.Text(k)
		}
	}
	var err error
	c.Input, err = v.ReadPayload(f.Value("input"))
	return c, err
}

// CancelNexus is a command.
type CancelNexus struct{ Seq int64 }

func readCancelNexus(_ *Values, f Fields, _ shown) (Command, error) {
	return CancelNexus{f.Integer("seq")}, nil
}

// StartTimer is a command.
type StartTimer struct {
	Seq     int64
	After   time.Duration
	Summary string
	Groups  Groups
}

func readStartTimer(_ *Values, f Fields, shown shown) (Command, error) {
	return StartTimer{f.Integer("seq"), f.Duration("startToFireTimeout"), shown.summary, shown.groups}, nil
}

// CancelTimer is a command. It needs no answer: the package has rejected the promise already.
type CancelTimer struct{ Seq int64 }

func readCancelTimer(_ *Values, f Fields, _ shown) (Command, error) {
	return CancelTimer{f.Integer("seq")}, nil
}

// Complete is a command: the run's end with a result, nil for none.
type Complete struct{ Result *commonpb.Payload }

func readComplete(v *Values, f Fields, _ shown) (Command, error) {
	p, err := v.ReadPayload(f.Value("result"))
	return Complete{p}, err
}

// Fail is a command: the run's end with a failure.
type Fail struct{ Failure *failurepb.Failure }

func readFail(v *Values, f Fields, _ shown) (Command, error) {
	p, err := v.ReadFailure(f.Value("failure"))
	return Fail{p}, err
}

// Cancelled is a command: the run's end by its cancellation.
type Cancelled struct{}

func readCancelled(*Values, Fields, shown) (Command, error) { return Cancelled{}, nil }

// ContinueAsNew is a command: the run's end with another one behind it.
type ContinueAsNew struct {
	WorkflowType, TaskQueue          string
	Input                            *commonpb.Payloads
	Headers                          map[string]*commonpb.Payload
	Memo, Attributes                 map[string]*commonpb.Payload
	RunTimeout, TaskTimeout, Backoff time.Duration
	Versioning                       workflow.ContinueAsNewVersioningBehavior
}

func readContinueAsNew(v *Values, f Fields, _ shown) (Command, error) {
	c := ContinueAsNew{
		WorkflowType: f.Text("workflowType"), TaskQueue: f.Text("taskQueue"),
		RunTimeout: f.Duration("workflowRunTimeout"), TaskTimeout: f.Duration("workflowTaskTimeout"),
		Backoff:    f.Duration("backoffStartInterval"),
		Versioning: workflow.ContinueAsNewVersioningBehavior(f.Integer("initialVersioningBehavior")),
	}
	var err error
	if c.Headers, err = v.readHeader(f); err != nil {
		return nil, err
	}
	if c.Memo, err = v.ReadPayloadMap(f.Value("memo")); err != nil {
		return nil, err
	}
	if c.Attributes, err = v.readSearchAttributes(f); err != nil {
		return nil, err
	}
	c.Input, err = v.ReadPayloads(f.Value("arguments"))
	return c, err
}

// Patch is a command: it records that a patch is in the code.
type Patch struct{ ID string }

func readPatch(_ *Values, f Fields, _ shown) (Command, error) { return Patch{f.Text("patchId")}, nil }

// UpsertSearchAttributes is a command.
type UpsertSearchAttributes struct {
	Fields map[string]*commonpb.Payload
	Groups Groups
}

func readUpsertSearchAttributes(v *Values, f Fields, shown shown) (Command, error) {
	m, err := v.readSearchAttributes(f)
	return UpsertSearchAttributes{m, shown.groups}, err
}

// UpsertMemo is a command.
type UpsertMemo struct {
	Fields map[string]*commonpb.Payload
	Groups Groups
}

func readUpsertMemo(v *Values, f Fields, shown shown) (Command, error) {
	m, err := v.ReadPayloadMap(f.Object("upsertedMemo").Value("fields"))
	return UpsertMemo{m, shown.groups}, err
}

// UpdateResponse is a command: it accepts, rejects or completes an update. A rejection of an
// accepted one is its failure.
type UpdateResponse struct {
	ID       string
	Accepted bool
	Rejected *failurepb.Failure
	Result   *commonpb.Payload
}

func readUpdateResponse(v *Values, f Fields, _ shown) (Command, error) {
	c := UpdateResponse{ID: f.Text("protocolInstanceId"), Accepted: f.Has("accepted")}
	var err error
	switch {
	case f.Has("rejected"):
		c.Rejected, err = v.ReadFailure(f.Value("rejected"))
	case f.Has("completed"):
		c.Result, err = v.ReadPayload(f.Value("completed"))
	}
	return c, err
}
