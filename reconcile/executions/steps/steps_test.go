package steps

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"workflow-worker/reconcile/executions/shown"
	"workflow-worker/reconcile/rows"
)

// told collects what a fold tells, the latest of each step, as the rows do.
type told map[string]*step

func (t told) emit(s step) {
	id := s.kind + "/" + s.key
	if was := t[id]; was != nil {
		s.merge(was)
	}
	t[id] = &s
}

func (t told) is(tb testing.TB, key, status string, ordinal int) {
	tb.Helper()
	s := t[rows.StepActivity+"/"+key]
	if s == nil || s.status != status || s.ordinal != ordinal {
		tb.Errorf("step %s is %+v, want %s, number %d", key, s, status, ordinal)
	}
}

func began(run string) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{EventId: 1, Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
		WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{FirstExecutionRunId: run},
	}}
}

func scheduledEvent(id int64, key string) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{EventId: id, EventType: enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, EventTime: timestamppb.Now(),
		Attributes: &historypb.HistoryEvent_ActivityTaskScheduledEventAttributes{ActivityTaskScheduledEventAttributes: &historypb.ActivityTaskScheduledEventAttributes{
			ActivityId: key, ActivityType: &commonpb.ActivityType{Name: "a"}, Input: payloads(`"in"`),
		}}}
}

func completedEvent(id, of int64) *historypb.HistoryEvent {
	return &historypb.HistoryEvent{EventId: id, EventType: enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, EventTime: timestamppb.Now(),
		Attributes: &historypb.HistoryEvent_ActivityTaskCompletedEventAttributes{ActivityTaskCompletedEventAttributes: &historypb.ActivityTaskCompletedEventAttributes{
			ScheduledEventId: of, Result: payloads(`"out"`),
		}}}
}

func payloads(values ...string) *commonpb.Payloads {
	p := &commonpb.Payloads{}
	for _, v := range values {
		p.Payloads = append(p.Payloads, shown.Payload([]byte(v)))
	}
	return p
}

func ask(key string) *commandpb.Command {
	return &commandpb.Command{Attributes: &commandpb.Command_ScheduleActivityTaskCommandAttributes{
		ScheduleActivityTaskCommandAttributes: &commandpb.ScheduleActivityTaskCommandAttributes{ActivityId: key, ActivityType: &commonpb.ActivityType{Name: "a"}, Input: payloads(`"in"`)},
	}}
}

var closes = &commandpb.Command{Attributes: &commandpb.Command_CompleteWorkflowExecutionCommandAttributes{
	CompleteWorkflowExecutionCommandAttributes: &commandpb.CompleteWorkflowExecutionCommandAttributes{},
}}

func TestAFoldCountsEachStepOnceInTheOrderOfScheduling(t *testing.T) {
	t.Parallel()
	f, got := newFold("w", "r", false), told{}
	f.event(began("r"), got.emit)
	for _, c := range []*commandpb.Command{ask("1"), ask("2")} {
		f.command(c, time.Now(), got.emit)
	}
	got.is(t, "2", rows.StepPending, 1)
	events := []*historypb.HistoryEvent{scheduledEvent(5, "1"), scheduledEvent(6, "2"), completedEvent(8, 5)}
	for range 2 { // a history that is read once more tells nothing new
		for _, e := range events {
			f.event(e, got.emit)
		}
	}
	got.is(t, "1", rows.StepCompleted, 0)
	f.command(ask("3"), time.Now(), got.emit)
	got.is(t, "3", rows.StepPending, 2)
	f.command(closes, time.Now(), got.emit)
	got.is(t, "2", rows.StepCancelled, 1)
	got.is(t, "3", rows.StepCancelled, 2)
	got.is(t, "1", rows.StepCompleted, 0)
	if !f.over || len(f.open)+len(f.events)+len(f.asked)+len(f.early) > 0 {
		t.Errorf("it keeps %+v", f)
	}
}

// What a task asked for is told once the server has answered; the next task, which may come first, has
// its events, and perhaps its end.
func TestACommandThatIsToldLateIsNoOtherStep(t *testing.T) {
	t.Parallel()
	f, got := newFold("w", "r", true), told{}
	after := func(task int64, e *historypb.HistoryEvent) *historypb.HistoryEvent {
		e.GetActivityTaskScheduledEventAttributes().WorkflowTaskCompletedEventId = task
		return e
	}
	for _, e := range []*historypb.HistoryEvent{began("r"), after(4, scheduledEvent(5, "1")), after(4, scheduledEvent(6, "2")), completedEvent(8, 5)} {
		f.event(e, got.emit)
	}
	f.command(ask("1"), time.Now(), got.emit)
	f.command(ask("2"), time.Now(), got.emit)
	got.is(t, "1", rows.StepCompleted, 0)
	f.event(completedEvent(9, 6), got.emit)
	got.is(t, "2", rows.StepCompleted, 1)
	// Of an earlier task no commands come any more: the code may give an id anew.
	f.event(after(12, scheduledEvent(13, "3")), got.emit)
	f.event(completedEvent(15, 13), got.emit)
	f.event(after(17, scheduledEvent(18, "4")), got.emit)
	f.command(ask("4"), time.Now(), got.emit)
	f.command(ask("3"), time.Now(), got.emit)
	if s := f.open["activity/3"]; s == nil {
		t.Error("the second step of its id isn't known")
	}
	f.command(closes, time.Now(), got.emit)
	for key, n := range map[string]int{"1": 0, "2": 1} {
		got.is(t, key, rows.StepCompleted, n)
	}
	got.is(t, "4", rows.StepCancelled, 3)
	if len(f.open)+len(f.events)+len(f.asked)+len(f.early) > 0 {
		t.Errorf("it keeps %+v", f)
	}
}

func TestAFoldWithoutTheBeginningGuessesNoOrder(t *testing.T) {
	t.Parallel()
	f, got := newFold("w", "r", false), told{}
	f.event(completedEvent(8, 5), got.emit) // of one that was scheduled before
	f.event(scheduledEvent(9, "7"), got.emit)
	f.event(completedEvent(11, 9), got.emit)
	got.is(t, "7", rows.StepCompleted, -1)
	if len(got) != 1 {
		t.Errorf("%d steps", len(got))
	}
}

// Whatever order they come in, of two words about a step the one that is further on counts.
func TestTheLaterWordCountsWhicheverComesFirst(t *testing.T) {
	t.Parallel()
	words := []step{
		{status: rows.StepPending, progress: progressPending, ordinal: 3, maxAttempts: 5, input: payloads(`1`), name: "a"},
		{status: rows.StepRunning, progress: progressOf(1, progressRunning), attempt: 1, ordinal: -1, maxAttempts: -1, started: time.Unix(1, 0)},
		{status: rows.StepRetrying, progress: progressOf(1, progressRetrying), attempt: 1, ordinal: -1, maxAttempts: -1, nextAt: time.Unix(9, 0), failure: &failurepb.Failure{Message: "x"}},
		{status: rows.StepRunning, progress: progressOf(2, progressRunning), attempt: 2, ordinal: -1, maxAttempts: -1, started: time.Unix(2, 0)},
		{status: rows.StepCompleted, progress: progressSettled, ordinal: -1, maxAttempts: -1, ended: time.Unix(3, 0), output: payloads(`2`)},
	}
	for i := range words {
		for j := range words {
			got := told{}
			order := append([]step{words[i], words[j]}, words...)
			for k := range order {
				one := order[len(order)-1-k]
				one.kind, one.key = rows.StepActivity, "1"
				got.emit(one)
			}
			s := got[rows.StepActivity+"/1"]
			if s.status != rows.StepCompleted || s.attempt != 2 || s.ordinal != 3 || s.maxAttempts != 5 || s.failure != nil || !s.nextAt.IsZero() || s.input == nil || s.output == nil || s.started.Unix() != 2 {
				t.Fatalf("%d, %d: %+v", i, j, s)
			}
		}
	}
}

func TestTheNextAttemptIsWhenTheServerMakesIt(t *testing.T) {
	t.Parallel()
	now := time.Now()
	app := func(kind string, non bool, delay *durationpb.Duration) *failurepb.Failure {
		return &failurepb.Failure{FailureInfo: &failurepb.Failure_ApplicationFailureInfo{ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: kind, NonRetryable: non, NextRetryDelay: delay}}}
	}
	policy := func(most int32) *commonpb.RetryPolicy {
		return &commonpb.RetryPolicy{InitialInterval: durationpb.New(time.Second), BackoffCoefficient: 2, MaximumInterval: durationpb.New(5 * time.Second), MaximumAttempts: most, NonRetryableErrorTypes: []string{"Fatal"}}
	}
	for name, c := range map[string]struct {
		attempt, most int32
		f             *failurepb.Failure
		toClose, want time.Duration // 0: none
	}{
		"the first":       {1, 0, app("", false, nil), 0, time.Second},
		"it grows":        {3, 0, app("", false, nil), 0, 4 * time.Second},
		"up to the most":  {30, 0, app("", false, nil), 0, 5 * time.Second},
		"the last":        {3, 3, app("", false, nil), 0, 0},
		"one before":      {2, 3, app("", false, nil), 0, 2 * time.Second},
		"not retryable":   {1, 0, app("", true, nil), 0, 0},
		"of such a type":  {1, 0, app("Fatal", false, nil), 0, 0},
		"as it says":      {1, 0, app("", false, durationpb.New(time.Minute)), 0, time.Minute},
		"too late":        {1, 0, app("", false, nil), time.Second / 2, 0},
		"in time":         {1, 0, app("", false, nil), 2 * time.Second, time.Second},
		"a timeout":       {1, 0, &failurepb.Failure{FailureInfo: &failurepb.Failure_TimeoutFailureInfo{}}, 0, time.Second},
		"a cancellation ": {1, 0, &failurepb.Failure{FailureInfo: &failurepb.Failure_CanceledFailureInfo{CanceledFailureInfo: &failurepb.CanceledFailureInfo{}}}, 0, 0},
	} {
		task := &workflowservice.PollActivityTaskQueueResponse{Attempt: c.attempt, RetryPolicy: policy(c.most), ScheduledTime: timestamppb.New(now), ScheduleToCloseTimeout: durationpb.New(c.toClose)}
		next, ok := nextAttempt(task, c.f, now)
		if ok != (c.want > 0) || ok && next.Sub(now) != c.want {
			t.Errorf("%s: after %v, %v; want %v", name, next.Sub(now), ok, c.want)
		}
	}
}

func TestNodesNameActivities(t *testing.T) {
	t.Parallel()
	const id = "c0000000-0000-4000-8000-000000000001"
	node := func(id, component, name, label string) rows.StepNode {
		return rows.StepNode{ID: id, ComponentID: component, ComponentName: name, Label: label}
	}
	d := newDefinition(rows.StepDefinition{
		Nodes: []rows.StepNode{
			node("n1", strings.ToUpper(id), "", ""), node("n2", "", "", "sendMail"), node("n3", id, "other", "x"), node("n4", "", "send-invoice", ""),
			node("Fetch page", "nonsense", "", ""), node("n5", "", "", "Send invoice"),
		},
		Components: []rows.StepComponent{{ID: id, Name: "sendMail"}, {ID: "c0000000-0000-4000-8000-000000000002", Name: "lonely"}},
	})
	for _, c := range []struct {
		activity string
		ordinal  int
		node     string
		comp     bool
	}{
		{"sendMail", 0, "n1", true}, {"sendMail", 1, "n3", true}, {"sendMail", 2, "n1", true}, {"sendMail", -1, "", true},
		{"sendInvoice", 5, "n4", false}, {"send-invoice", -1, "n4", false}, {"fetchPage", 0, "Fetch page", false}, {"lonely", 0, "", true}, {"nothing", 0, "", false},
	} {
		n := d.node(c.activity, c.ordinal)
		got := ""
		if n != nil {
			got = n.ID
		}
		if got != c.node || (d.componentOf(c.activity, n) != "") != c.comp {
			t.Errorf("%s %d: node %q, component %q; want %+v", c.activity, c.ordinal, got, d.componentOf(c.activity, n), c)
		}
	}
}

func TestRetriesAreExpectedAsTheNodeSays(t *testing.T) {
	t.Parallel()
	with := func(text string) *rows.StepNode {
		n := &rows.StepNode{}
		if err := json.Unmarshal([]byte(`{"RetryPolicy": `+text+`}`), n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, c := range []struct {
		node          *rows.StepNode
		retries, most int
		want          bool
	}{
		{nil, 0, 5, false}, {nil, 2, 5, true}, {nil, 2, 0, false}, {nil, 5, 5, false},
		{with(`{"Strategy": "keep-trying"}`), 100, 0, true}, {with(`{"Strategy": "none"}`), 1, 5, false}, {with(`null`), 1, 5, true},
		{with(`{"Strategy": "fail-after-x", "MaxAttempts": 2}`), 1, 0, true}, {with(`{"Strategy": "fail-after-x", "MaxAttempts": 2}`), 2, 0, false},
		{with(`{"Strategy": "fail-after-x", "MaxAttempts": null}`), 2, 0, true}, {with(`{"Strategy": "exponential-backoff"}`), 5, 0, false},
	} {
		if got := expected(c.node, c.retries, c.most); got != c.want {
			t.Errorf("%+v %d of %d: %v", c.node, c.retries, c.most, got)
		}
	}
}

func TestSecretsGoWhereverTheyAre(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ said, input, output, message, wantInput, wantOutput, wantMessage string }{
		"by name":       {`["password"]`, `{"a": [{"Password": "hunter2"}], "b": 1}`, `{"x": "hunter2"}`, "bad hunter2!", `{"a":[{"Password":"[redacted]"}],"b":1}`, `{"x":"[redacted]"}`, "bad [redacted]!"},
		"one name":      {`"key"`, `{"key": {"deep": ["abcdef", 123456]}}`, `[123456, "abcdef"]`, "", `{"key":"[redacted]"}`, `["[redacted]","[redacted]"]`, ""},
		"in the output": {`["token"]`, `{}`, `{"token": "tok-1", "url": "https://x/?t=tok-1"}`, "", `{}`, `{"token":"[redacted]","url":"https://x/?t=[redacted]"}`, ""},
		"as JSON":       {`["pw"]`, `{"pw": "a\"b\"c"}`, `"said {\"pw\":\"a\\\"b\\\"c\"}"`, `{"pw":"a\"b\"c"}`, `{"pw":"[redacted]"}`, `"said {\"pw\":\"[redacted]\"}"`, `{"pw":"[redacted]"}`},
		"too short":     {`["pin"]`, `{"pin": "1"}`, `"1 of 11"`, "1", `{"pin":"[redacted]"}`, `"1 of 11"`, "1"},
		"all":           {`true`, `{"a": "long text", "b": false}`, `["long text", null]`, "long text is wrong", `"[redacted]"`, `"[redacted]"`, "[redacted] is wrong"},
		"nothing":       {`{"password": true}`, `{"password": "hunter2"}`, `"hunter2"`, "hunter2", `{"password": "hunter2"}`, `"hunter2"`, "hunter2"},
	} {
		clean := cleaner{redaction: redaction{}.with(json.RawMessage(c.said))}
		in, out := payloads(c.input), payloads(c.output)
		if !clean.none() {
			clean.learn(in)
			clean.learn(out)
		}
		gotIn, gotOut := string(clean.payloads(in).GetPayloads()[0].GetData()), string(clean.payloads(out).GetPayloads()[0].GetData())
		if gotIn != c.wantInput || gotOut != c.wantOutput || clean.text(c.message) != c.wantMessage {
			t.Errorf("%s: %s, %s, %s", name, gotIn, gotOut, clean.text(c.message))
		}
	}
}

// What isn't known to be without secrets doesn't land: the input may be too large to be kept until
// the step ends.
func TestWhatCameOfAnUnknownInputIsWithheld(t *testing.T) {
	t.Parallel()
	s := New(Config{Limits: shown.Limits{MaxValue: 1000}, Settings: Settings{Record: rows.StepsActivities, Payloads: true, MaxValue: 1000}})
	s.definitions["w"] = newDefinition(rows.StepDefinition{WorkflowID: "w", Components: []rows.StepComponent{{ID: "c", Name: "login", Redact: json.RawMessage(`["password"]`)}}})
	target := rows.StepTarget{ExecutionID: "e", WorkflowID: "w"}
	secret := step{kind: rows.StepActivity, key: "1", name: "login", failure: &failurepb.Failure{Message: "hunter2"}, output: payloads(`"hunter2"`)}
	if row, ok := s.rowOf(target, "r", &secret); !ok || row.Message != redacted || *row.Output != `"`+redacted+`"` {
		t.Errorf("%+v", row)
	}
	secret.given, secret.known = payloads(`{"password": "hunter2"}`), true
	secret.failure = &failurepb.Failure{Message: "not hunter2 but"}
	if row, _ := s.rowOf(target, "r", &secret); row.Message != "not [redacted] but" || strings.Contains(fmt.Sprint(*row.Output), "hunter2") {
		t.Errorf("%+v", row)
	}
}

// Many at a time: what a step's row says on the way nobody sees, and isn't written.
func TestInACrowdAStepIsOneWrite(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Settings: Settings{Record: rows.StepsActivities}})
		x := func(i int) *commonpb.WorkflowExecution {
			return &commonpb.WorkflowExecution{WorkflowId: "w", RunId: fmt.Sprint("run ", i)}
		}
		begin := func(i int) {
			s.EventsReceived(x(i), []*historypb.HistoryEvent{began(x(i).GetRunId())})
			s.CommandsTaken(x(i), []*commandpb.Command{ask("1")})
		}
		begin(0)
		if n := len(s.take()); n != 1 {
			t.Errorf("%d runs are written, one alone waits for nothing", n)
		}
		const many = 200
		for i := range many {
			begin(i + 1)
		}
		early := len(s.take())
		if early >= many/2 {
			t.Errorf("%d of %d are written before they end", early, many)
		}
		for i := range many {
			s.EventsReceived(x(i+1), []*historypb.HistoryEvent{scheduledEvent(5, "1"), completedEvent(7, 5)})
			s.CommandsTaken(x(i+1), []*commandpb.Command{closes})
		}
		ended := 0
		for _, p := range s.take() {
			for _, one := range p.steps {
				if p.settles && one.status == rows.StepCompleted && one.input != nil {
					ended++
				}
			}
		}
		if ended != many-early {
			t.Errorf("%d steps are written once, with their ends; want %d", ended, many-early)
		}
		begin(many + 1)
		if n := len(s.take()); n != 0 {
			t.Errorf("%d are written in a crowd", n)
		}
		time.Sleep(time.Second)
		if n := len(s.take()); n != 1 {
			t.Errorf("%d are written, what goes on for longer is shown", n)
		}
		for i := range many {
			begin(many + 2 + i)
		}
		s.take()
		begin(3 * many)
		s.ending = true
		if n := len(s.take()); n == 0 || len(s.pending) > 0 {
			t.Errorf("%d are written in the end, %d are left", n, len(s.pending))
		}
	})
}
