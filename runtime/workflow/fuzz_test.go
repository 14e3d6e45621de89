package workflow

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"google.golang.org/protobuf/proto"

	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/workflow/protocol"
)

// answering is an execution that answers the query `echo` with its argument.
func answering(t testing.TB) *definition {
	p := benchmarkProject(t)
	program, err := p.comp.Compile(t.Context(), compile.Source{Name: "fuzz.ts", Kind: compile.Workflow, Text: `
import { condition, defineQuery, setHandler } from '@temporalio/workflow';
export async function waits() {
  setHandler(defineQuery<unknown, [unknown]>('echo'), (x) => x);
  await condition(() => false);
}`})
	if err != nil {
		t.Fatal(err)
	}
	p.current["waits"] = target{NewCode(program, CodeOptions{}), "waits"}
	d := waitingDefinition(t, p)
	t.Cleanup(d.Close)
	return d
}

// FuzzJSONPayload holds that a JSON value comes out of JavaScript as it went in.
//
//	go test ./runtime/workflow -run XXX -fuzz FuzzJSONPayload -fuzztime 60s
func FuzzJSONPayload(f *testing.F) {
	for _, text := range []string{
		`null`, `{"a":[1,-0,1e21,0.1,5e-324],"__proto__":{"x":1},"constructor":null}`, `"grüße \ud800 \udc00\ud83d\ude00 \u2028 \u0000"`, `[[[]],{}]`,
		`{"toJSON":1,"1":1,"0":0,"b":2,"a":1}`, `123456789012345678901234567890`, ` {"dup":1,"dup":2} `, `{"":""}`, `{`, `"\x"`, ``, `01`, "\"\xff\"",
	} {
		f.Add([]byte(text))
	}
	d := answering(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		answer, err := d.query("echo", &commonpb.Payloads{Payloads: []*commonpb.Payload{protocol.JSONPayload(data)}}, nil)
		var want any
		if bad := json.Unmarshal(data, &want); bad != nil {
			if err == nil && utf8.Valid(data) && !strings.Contains(bad.Error(), "out of range") && !strings.Contains(bad.Error(), "exceeded max depth") {
				t.Fatalf("%q is no JSON (%v), and came back as %s", data, bad, answer.GetPayloads()[0].GetData())
			}
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		var got any
		if err := json.Unmarshal(answer.GetPayloads()[0].GetData(), &got); err != nil || !reflect.DeepEqual(got, normal(want)) {
			t.Fatalf("%q came back as %s, %v", data, answer.GetPayloads()[0].GetData(), err)
		}
	})
}

// normal is what JSON makes of a value by way of JavaScript: no negative zero.
func normal(v any) any {
	switch v := v.(type) {
	case float64:
		if v == 0 {
			return math.Abs(v)
		}
	case []any:
		for i := range v {
			v[i] = normal(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = normal(v[k])
		}
	}
	return v
}

// FuzzPayload holds that any payload passes through JavaScript, and that an unknown or broken one
// only fails.
func FuzzPayload(f *testing.F) {
	for _, p := range []*commonpb.Payload{
		{}, protocol.JSONPayload([]byte(`{"a":1}`)), {Metadata: map[string][]byte{"encoding": []byte("binary/plain")}, Data: []byte{0, 255}},
		{Metadata: map[string][]byte{"encoding": []byte("binary/null")}}, {Metadata: map[string][]byte{"encoding": []byte("json/protobuf"), "messageType": []byte("x.Y")}, Data: []byte("{}")},
		{Metadata: map[string][]byte{"encoding": []byte("json/plain"), "__proto__": []byte("x"), "type": []byte("Keyword")}, Data: []byte(`"x"`)}, {Data: []byte("x")},
	} {
		data, err := proto.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	d := answering(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &commonpb.Payload{}
		if proto.Unmarshal(data, p) != nil || len(p.GetExternalPayloads()) > 0 || len(p.ProtoReflect().GetUnknown()) > 0 {
			return
		}
		if string(p.GetMetadata()[protocol.EncodingKey]) == protocol.EncodingJSON && !utf8.Valid(p.GetData()) {
			return
		}
		if string(p.GetMetadata()[protocol.EncodingKey]) == protocol.EncodingNull {
			p.Data = nil // there is one such value
		}
		var back *commonpb.Payload
		err := d.in.enter(t.Context(), d.o.TaskTimeout, d, func() error {
			o, err := d.in.machine.sdk.values.Payload(p)
			if err != nil {
				return err
			}
			back, err = d.in.machine.sdk.values.ReadPayload(o)
			return err
		})
		if len(p.GetMetadata()) == 0 && back != nil {
			p.Metadata, back.Metadata = nil, nil
		}
		if err != nil || !proto.Equal(p, back) && !(len(p.GetData()) == 0 && len(back.GetData()) == 0 && reflect.DeepEqual(p.GetMetadata(), back.GetMetadata())) {
			t.Fatalf("%v came back as %v, %v", p, back, err)
		}
		// Whatever the converter makes of it.
		_, _ = d.query("echo", &commonpb.Payloads{Payloads: []*commonpb.Payload{p}}, nil)
		if d.closed || d.in.machine.broken != nil {
			t.Fatalf("%v broke the execution", p)
		}
	})
}

// FuzzFailure holds that a failure that JavaScript made says in Go what it said there.
func FuzzFailure(f *testing.F) {
	cancelled := protocol.Cancellation(nil)
	for _, x := range []*failurepb.Failure{
		{Message: "m", Source: "TypeScriptSDK", StackTrace: "Error: m\n    at f (a.ts:1:2)"},
		{Message: "a", Cause: cancelled, FailureInfo: &failurepb.Failure_ActivityFailureInfo{ActivityFailureInfo: &failurepb.ActivityFailureInfo{
			ActivityId: "1", ActivityType: &commonpb.ActivityType{Name: "t"}, Identity: "i", RetryState: 3}}},
		{FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{
			Type: "T", NonRetryable: true, Category: 1, Details: &commonpb.Payloads{Payloads: []*commonpb.Payload{protocol.JSONPayload([]byte("1")), {}}}}}},
		{FailureInfo: &failurepb.Failure_TimeoutFailureInfo{TimeoutFailureInfo: &failurepb.TimeoutFailureInfo{TimeoutType: 2}}},
		{FailureInfo: &failurepb.Failure_NexusOperationExecutionFailureInfo{NexusOperationExecutionFailureInfo: &failurepb.NexusOperationFailureInfo{
			ScheduledEventId: 7, Endpoint: "e", Service: "s", Operation: "o", OperationToken: "t"}}},
		{FailureInfo: &failurepb.Failure_ChildWorkflowExecutionFailureInfo{ChildWorkflowExecutionFailureInfo: &failurepb.ChildWorkflowExecutionFailureInfo{
			Namespace: "n", WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: "w", RunId: "r"}, WorkflowType: &commonpb.WorkflowType{Name: "t"}}}},
		{EncodedAttributes: protocol.JSONPayload([]byte(`{"message":"x"}`)), FailureInfo: &failurepb.Failure_NexusHandlerFailureInfo{NexusHandlerFailureInfo: &failurepb.NexusHandlerFailureInfo{Type: "B", RetryBehavior: 2}}},
	} {
		data, err := proto.Marshal(x)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	d := answering(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		x := &failurepb.Failure{}
		if proto.Unmarshal(data, x) != nil {
			return
		}
		var back *failurepb.Failure
		err := d.in.enter(t.Context(), d.o.TaskTimeout, d, func() error {
			v := d.in.machine
			value, err := v.sdk.values.Failure(x)
			if err != nil {
				return err
			}
			if same, err := v.sdk.values.ReadFailure(value); err != nil || same != x {
				t.Fatalf("%v came back as %v, %v", x, same, err)
			}
			back, err = v.sdk.values.ReadFailure(withoutHandles(v, value.(*goja.Object)))
			return err
		})
		if depth(x) > protocol.MaxCauses {
			if err == nil {
				t.Fatalf("%d causes were read", depth(x))
			}
			return
		}
		said(x)
		said(back)
		if err != nil || !proto.Equal(x, back) {
			t.Fatalf("%v\ncame back as\n%v, %v", x, back, err)
		}
	})
}

// withoutHandles copies the protocol's object of a failure, but for the failure that it was made
// of: as if code had made it.
func withoutHandles(v *machine, o *goja.Object) *goja.Object {
	out := v.vm.Runtime.NewObject()
	for _, k := range o.Keys() {
		value := o.Get(k)
		if cause := protocol.Object(value); k == "cause" && cause != nil {
			value = withoutHandles(v, cause)
		}
		if err := out.Set(k, value); err != nil {
			panic(err)
		}
	}
	return out
}

func depth(f *failurepb.Failure) int {
	if f == nil {
		return 0
	}
	return 1 + depth(f.GetCause())
}

// said leaves of a failure what the protocol's objects have, and of payloads what TestPayloads is
// about.
func said(f *failurepb.Failure) {
	if f == nil {
		return
	}
	f.ProtoReflect().SetUnknown(nil)
	f.StackTrace = protocol.ShortStack(f.GetStackTrace())
	if f.GetEncodedAttributes() != nil {
		f.EncodedAttributes = &commonpb.Payload{}
	}
	some := func(ps *commonpb.Payloads) *commonpb.Payloads {
		if len(ps.GetPayloads()) == 0 {
			return nil
		}
		return &commonpb.Payloads{Payloads: make([]*commonpb.Payload, len(ps.GetPayloads()))}
	}
	switch i := f.GetFailureInfo().(type) {
	case *failurepb.Failure_ApplicationFailureInfo:
		a := i.ApplicationFailureInfo
		i.ApplicationFailureInfo = &failurepb.ApplicationFailureInfo{Type: a.GetType(), NonRetryable: a.GetNonRetryable(), Category: a.GetCategory(), Details: some(a.GetDetails())}
	case *failurepb.Failure_CanceledFailureInfo:
		i.CanceledFailureInfo = &failurepb.CanceledFailureInfo{Details: some(i.CanceledFailureInfo.GetDetails())}
	case *failurepb.Failure_TimeoutFailureInfo:
		a := i.TimeoutFailureInfo
		i.TimeoutFailureInfo = &failurepb.TimeoutFailureInfo{TimeoutType: a.GetTimeoutType(), LastHeartbeatDetails: some(a.GetLastHeartbeatDetails())}
	case *failurepb.Failure_ResetWorkflowFailureInfo:
		f.FailureInfo = nil // no code makes one
	case *failurepb.Failure_ServerFailureInfo:
		i.ServerFailureInfo = &failurepb.ServerFailureInfo{NonRetryable: i.ServerFailureInfo.GetNonRetryable()}
	case *failurepb.Failure_TerminatedFailureInfo:
		i.TerminatedFailureInfo = &failurepb.TerminatedFailureInfo{}
	case *failurepb.Failure_ActivityFailureInfo:
		a := i.ActivityFailureInfo
		i.ActivityFailureInfo = &failurepb.ActivityFailureInfo{
			ActivityType: &commonpb.ActivityType{Name: a.GetActivityType().GetName()}, ActivityId: a.GetActivityId(), Identity: a.GetIdentity(), RetryState: a.GetRetryState(),
		}
	case *failurepb.Failure_ChildWorkflowExecutionFailureInfo:
		a := i.ChildWorkflowExecutionFailureInfo
		i.ChildWorkflowExecutionFailureInfo = &failurepb.ChildWorkflowExecutionFailureInfo{
			Namespace: a.GetNamespace(), RetryState: a.GetRetryState(), WorkflowType: &commonpb.WorkflowType{Name: a.GetWorkflowType().GetName()},
			WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: a.GetWorkflowExecution().GetWorkflowId(), RunId: a.GetWorkflowExecution().GetRunId()},
		}
	case *failurepb.Failure_NexusOperationExecutionFailureInfo:
		a := i.NexusOperationExecutionFailureInfo
		i.NexusOperationExecutionFailureInfo = &failurepb.NexusOperationFailureInfo{
			ScheduledEventId: a.GetScheduledEventId(), Endpoint: a.GetEndpoint(), Service: a.GetService(), Operation: a.GetOperation(), OperationToken: a.GetOperationToken(),
		}
	case *failurepb.Failure_NexusHandlerFailureInfo:
		a := i.NexusHandlerFailureInfo
		i.NexusHandlerFailureInfo = &failurepb.NexusHandlerFailureInfo{Type: a.GetType(), RetryBehavior: a.GetRetryBehavior()}
	}
	said(f.GetCause())
}
