package executions

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"

	"workflow-worker/reconcile/executions/shown"
	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime/workflow/wire"
)

// options is workflow_executions.options: what the TypeScript client's start takes.
type options struct {
	Type             string            `json:"type"`
	Args             []json.RawMessage `json:"args"`
	WorkflowID       string            `json:"workflowId"` // rows.ClaimStarts reads it
	ReusePolicy      string            `json:"workflowIdReusePolicy"`
	ConflictPolicy   string            `json:"workflowIdConflictPolicy"`
	ExecutionTimeout duration          `json:"workflowExecutionTimeout"`
	RunTimeout       duration          `json:"workflowRunTimeout"`
	TaskTimeout      duration          `json:"workflowTaskTimeout"`
	StartDelay       duration          `json:"startDelay"`
	Cron             string            `json:"cronSchedule"`
	Retry            *struct {
		InitialInterval    duration `json:"initialInterval"`
		MaximumInterval    duration `json:"maximumInterval"`
		BackoffCoefficient float64  `json:"backoffCoefficient"`
		MaximumAttempts    int32    `json:"maximumAttempts"`
		NonRetryable       []string `json:"nonRetryableErrorTypes"`
	} `json:"retry"`
	Memo             map[string]json.RawMessage `json:"memo"`
	SearchAttributes map[string]json.RawMessage `json:"searchAttributes"`
	Priority         *struct {
		Key            int32   `json:"priorityKey"`
		FairnessKey    string  `json:"fairnessKey"`
		FairnessWeight float32 `json:"fairnessWeight"`
	} `json:"priority"`
}

func readOptions(text *string) (o options, err error) {
	if text == nil {
		return o, nil
	}
	return o, readStrictly("options", *text, &o)
}

// readStrictly reads JSON into a struct. What isn't understood is an error, in words for whoever
// wrote it.
func readStrictly(what, text string, into any) error {
	err := json.Unmarshal([]byte(text), into)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s can't be a JSON %s", strings.TrimSuffix(what+"."+wrong.Field, "."), wrong.Value)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if name := unknownName(reflect.TypeOf(into), []byte(text)); name != "" {
		return fmt.Errorf("%s: there is no %q", what, name)
	}
	return nil
}

// unknownName is a member of an object, or of one in it, that a type has no field for, "" if there
// is none. encoding/json doesn't mind the case of letters, the database does.
func unknownName(t reflect.Type, text []byte) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var members map[string]json.RawMessage
	if t.Kind() != reflect.Struct || json.Unmarshal(text, &members) != nil {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		found := false
		for i := range t.NumField() {
			if tag := t.Field(i).Tag.Get("json"); tag == name && tag != "" {
				found = true
				if inner := unknownName(t.Field(i).Type, members[name]); inner != "" {
					return name + "." + inner
				}
			}
		}
		if !found {
			return name
		}
	}
	return ""
}

// duration is a number of milliseconds, or a text as the TypeScript SDK takes it: 10s, 1 minute.
type duration time.Duration

var durationText = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) *([a-z]*)$`)

var units = map[string]time.Duration{
	"": time.Millisecond, "ms": time.Millisecond, "millisecond": time.Millisecond, "milliseconds": time.Millisecond,
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour, "w": 168 * time.Hour, "week": 168 * time.Hour, "weeks": 168 * time.Hour,
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *duration) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil // as where it isn't named
	}
	text := strings.Trim(string(b), `"`)
	m := durationText.FindStringSubmatch(strings.ToLower(strings.TrimSpace(text)))
	if m == nil || units[m[2]] == 0 {
		return fmt.Errorf("%s is no duration: a number of milliseconds, or a text such as \"10s\"", b)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil || n*float64(units[m[2]]) > float64(1<<62) {
		return fmt.Errorf("%s is no duration", b)
	}
	*d = duration(n * float64(units[m[2]]))
	return nil
}

func (d duration) proto() *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(time.Duration(d))
}

// policyOf reads the name of a policy, with or without what Temporal's own names begin with.
func policyOf(what, name string, values map[string]int32, prefix string, otherwise int32) (int32, error) {
	if name == "" {
		return otherwise, nil
	}
	full := prefix + strings.TrimPrefix(strings.ToUpper(strings.ReplaceAll(name, "-", "_")), prefix)
	if v, ok := values[full]; ok && v != 0 {
		return v, nil
	}
	return 0, fmt.Errorf("options: there is no %s %q", what, name)
}

// maxInput is how many bytes of arguments are sent: the server takes two megabytes.
const maxInput = 2_000_000

// startRequest is the request that a row stands for. The error is the author's.
func (b *Base) startRequest(s rows.Start) (*workflowservice.StartWorkflowExecutionRequest, options, error) {
	o, err := readOptions(s.Options)
	if err != nil {
		return nil, o, err
	}
	if s.TemporalID == "" {
		return nil, o, errors.New("the workflow id is longer than 255 characters")
	}
	if s.OptionsBytes > maxInput {
		return nil, o, fmt.Errorf("options are %d bytes, Temporal takes no more than %d", s.OptionsBytes, maxInput)
	}
	if s.InputBytes > maxInput {
		return nil, o, fmt.Errorf("input is %d bytes, Temporal takes no more than %d: large data belongs in a store, hand on where it is", s.InputBytes, maxInput)
	}
	conflict, err := policyOf("workflowIdConflictPolicy", o.ConflictPolicy, enumspb.WorkflowIdConflictPolicy_value, "WORKFLOW_ID_CONFLICT_POLICY_", 0)
	if err != nil {
		return nil, o, err
	}
	once := enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE
	if enumspb.WorkflowIdConflictPolicy(conflict) == enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING {
		once = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE // what takes an id over can't refuse it
	}
	reuse, err := policyOf("workflowIdReusePolicy", o.ReusePolicy, enumspb.WorkflowIdReusePolicy_value, "WORKFLOW_ID_REUSE_POLICY_", int32(once))
	if err != nil {
		return nil, o, err
	}
	q := &workflowservice.StartWorkflowExecutionRequest{
		Namespace: b.Namespace, Identity: b.Identity, RequestId: s.ID, WorkflowId: s.TemporalID,
		WorkflowType:          &commonpb.WorkflowType{Name: s.KebabName},
		TaskQueue:             &taskqueuepb.TaskQueue{Name: s.TaskQueue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
		Input:                 &commonpb.Payloads{},
		WorkflowIdReusePolicy: enumspb.WorkflowIdReusePolicy(reuse), WorkflowIdConflictPolicy: enumspb.WorkflowIdConflictPolicy(conflict),
		WorkflowExecutionTimeout: o.ExecutionTimeout.proto(), WorkflowRunTimeout: o.RunTimeout.proto(), WorkflowTaskTimeout: o.TaskTimeout.proto(),
		WorkflowStartDelay: o.StartDelay.proto(), CronSchedule: o.Cron,
		Memo: &commonpb.Memo{Fields: payloadsByName(o.Memo)},
	}
	if o.Type != "" {
		q.WorkflowType.Name = o.Type
	}
	switch {
	case o.Args != nil:
		for _, a := range o.Args {
			q.Input.Payloads = append(q.Input.Payloads, shown.Payload(a))
		}
	case s.Input != nil:
		q.Input.Payloads = []*commonpb.Payload{shown.Payload([]byte(*s.Input))}
	default:
		q.Input.Payloads = []*commonpb.Payload{shown.Payload([]byte("{}"))}
	}
	q.Memo.Fields[wire.RowMemo] = shown.Payload([]byte(strconv.Quote(s.ID)))
	if len(o.SearchAttributes) > 0 {
		for name, v := range o.SearchAttributes {
			o.SearchAttributes[name] = withoutFraction(v)
		}
		q.SearchAttributes = &commonpb.SearchAttributes{IndexedFields: payloadsByName(o.SearchAttributes)}
	}
	if r := o.Retry; r != nil {
		q.RetryPolicy = &commonpb.RetryPolicy{
			InitialInterval: r.InitialInterval.proto(), MaximumInterval: r.MaximumInterval.proto(),
			BackoffCoefficient: r.BackoffCoefficient, MaximumAttempts: r.MaximumAttempts, NonRetryableErrorTypes: r.NonRetryable,
		}
	}
	if p := o.Priority; p != nil {
		q.Priority = &commonpb.Priority{PriorityKey: p.Key, FairnessKey: p.FairnessKey, FairnessWeight: p.FairnessWeight}
	}
	return q, o, nil
}

// exclusive says that the server itself refuses a second start of the id, for as long as it knows
// of the first.
func exclusive(q *workflowservice.StartWorkflowExecutionRequest) bool {
	return q.GetWorkflowIdReusePolicy() == enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE &&
		(q.GetWorkflowIdConflictPolicy() == enumspb.WORKFLOW_ID_CONFLICT_POLICY_UNSPECIFIED || q.GetWorkflowIdConflictPolicy() == enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL)
}

var wholeNumber = regexp.MustCompile(`^(-?[0-9]+)\.0+$`)

// withoutFraction writes 1.0, which a jsonb keeps, as JavaScript writes it: the server refuses it as
// an Int, and calls it 1.
func withoutFraction(v json.RawMessage) json.RawMessage {
	if m := wholeNumber.FindSubmatch(v); m != nil {
		return m[1]
	}
	return v
}

func payloadsByName(values map[string]json.RawMessage) map[string]*commonpb.Payload {
	fields := make(map[string]*commonpb.Payload, len(values)+1)
	for name, v := range values {
		fields[name] = shown.Payload(v)
	}
	return fields
}
