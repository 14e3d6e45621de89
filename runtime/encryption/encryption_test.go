package encryption

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	querypb "go.temporal.io/api/query/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

func key(b byte) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(b), keySize)))
}

func keys(t *testing.T, text string) *Keys {
	t.Helper()
	k, err := NewKeys(func() (string, error) { return text, nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func payload(text string) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{encodingKey: []byte("json/plain")}, Data: []byte(text)}
}

func list(p ...*commonpb.Payload) []*commonpb.Payload { return p }

func connection(codec Codec, failures bool) *Connection {
	c := New(Config{State: NewState(codec), Failures: failures})
	c.patience = 200 * time.Millisecond
	return c
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	former, now := keys(t, "a:"+key('a')), keys(t, "b:"+key('b')+", a:"+key('a'))
	old, err := former.Encode(t.Context(), list(payload("hidden")))
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := now.Encode(t.Context(), list(payload("hidden")))
	if err != nil || string(fresh[0].GetMetadata()[keyIDKey]) != "b" || string(fresh[0].GetMetadata()[encodingKey]) != encrypted {
		t.Errorf("%v, %v", fresh, err)
	}
	got, err := now.Decode(t.Context(), list(old[0], fresh[0], payload("hidden")))
	for i := range 3 {
		if err != nil || !proto.Equal(got[i], payload("hidden")) {
			t.Errorf("%v, %v", got, err)
		}
	}
	// Who hasn't the key passes it on, and says so; the rest is readable.
	got, err = former.Decode(t.Context(), list(fresh[0], old[0]))
	if !isUnreadable(err) || !strings.Contains(err.Error(), `"b"`) || !proto.Equal(got[0], fresh[0]) || !proto.Equal(got[1], payload("hidden")) {
		t.Errorf("%v, %v", got, err)
	}
	for _, change := range []func(*commonpb.Payload){
		func(p *commonpb.Payload) { p.Data = p.Data[:5] },
		func(p *commonpb.Payload) { p.Data[20] ^= 1 },
	} {
		changed := proto.CloneOf(fresh[0])
		change(changed)
		if got, err := now.Decode(t.Context(), list(changed)); !isUnreadable(err) || !proto.Equal(got[0], changed) {
			t.Errorf("%v, %v", got, err)
		}
	}
}

// Somebody else's file is read again, and what is no key leaves the former.
func TestKeysOfAFileCountWithoutARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a:" + key('a'))
	k, err := NewKeys(func() (string, error) { b, err := os.ReadFile(path); return string(b), err }, nil)
	if err != nil {
		t.Fatal(err)
	}
	uses := func() string {
		k.mu.Lock()
		k.looked = time.Time{}
		k.mu.Unlock()
		out, err := k.Encode(t.Context(), list(payload("x")))
		if err != nil {
			t.Fatal(err)
		}
		return string(out[0].GetMetadata()[keyIDKey])
	}
	for _, step := range []struct{ text, want string }{
		{"b:" + key('b') + "\na:" + key('a') + "\n", "b"}, {"b:no key", "b"}, {"", "b"}, {"c:" + key('c'), "c"},
	} {
		write(step.text)
		if got := uses(); got != step.want {
			t.Errorf("%q: it encrypts with %s", step.text, got)
		}
	}
	// A payload of a key that somebody else has first is read at once.
	others, err := keys(t, "d:"+key('d')).Encode(t.Context(), list(payload("x")))
	if err != nil {
		t.Fatal(err)
	}
	write("c:" + key('c') + ",d:" + key('d'))
	if got, err := k.Decode(t.Context(), others); err != nil || !proto.Equal(got[0], payload("x")) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestMistakesInKeysTellNoKey(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"hidden":                           "key 1 isn't an id",
		"a:hidden":                         `key "a" isn't 32 bytes`,
		"a:" + key('a') + ",a:" + key('b'): `key "a" is there twice`,
		":" + key('a'):                     "key 1 isn't an id",
		" , ":                              "key 1 isn't an id",
		",":                                "there is no key",
	} {
		if err := CheckKeys(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// invoked is a server that answers and keeps what it was sent.
type invoked struct {
	answer func(reply any)
	err    error
	sent   []proto.Message
}

func (i *invoked) invoke(_ context.Context, _ string, sent, reply any, _ *grpc.ClientConn, _ ...grpc.CallOption) error {
	i.sent = append(i.sent, proto.Clone(sent.(proto.Message)))
	if i.answer != nil {
		i.answer(reply)
	}
	return i.err
}

// The SDK tries a call again with the message that it has.
func TestACallThatIsTriedAgainIsEncryptedOnce(t *testing.T) {
	t.Parallel()
	c := connection(keys(t, "a:"+key('a')), true)
	request := &workflowservice.RespondActivityTaskFailedRequest{
		Failure:              &failurepb.Failure{Message: "hidden", StackTrace: "hidden", Cause: &failurepb.Failure{Message: "hidden"}},
		LastHeartbeatDetails: &commonpb.Payloads{Payloads: list(payload("hidden"))},
	}
	before := proto.Clone(request)
	server := &invoked{err: status.Error(codes.Unavailable, "again")}
	for range 2 {
		err := c.intercept(t.Context(), "m", request, &workflowservice.RespondActivityTaskFailedResponse{}, nil, server.invoke)
		if err == nil || !proto.Equal(request, before) {
			t.Errorf("%v, the request is %v", err, request)
		}
	}
	for _, sent := range server.sent {
		if b, err := proto.Marshal(sent); err != nil || strings.Contains(string(b), "hidden") {
			t.Errorf("readable: %v %v", sent, err)
		}
		err := c.decode(t.Context(), sent)
		f := sent.(*workflowservice.RespondActivityTaskFailedRequest).GetFailure()
		f.EncodedAttributes, f.Cause.EncodedAttributes = nil, nil // they stay beside what they were made of
		if err != nil || !proto.Equal(sent, before) {
			t.Errorf("%v %v", sent, err)
		}
	}
}

// What somebody else encoded is not made plain by being handed on.
func TestFailuresThatOthersEncodedStayEncoded(t *testing.T) {
	t.Parallel()
	theirs, ours := connection(keys(t, "a:"+key('a')), true), connection(keys(t, "a:"+key('a')), false)
	m := &workflowservice.RespondActivityTaskFailedRequest{Failure: &failurepb.Failure{Message: "hidden", StackTrace: "hidden"}}
	if err := errors.Join(theirs.encode(t.Context(), m), ours.decode(t.Context(), m)); err != nil || m.GetFailure().GetMessage() != "hidden" {
		t.Fatalf("%v %v", m, err)
	}
	m.Failure = &failurepb.Failure{Message: "shown", Cause: m.GetFailure()}
	err := ours.encode(t.Context(), m)
	if b, marshal := proto.Marshal(m); err != nil || marshal != nil || strings.Contains(string(b), "hidden") || !strings.Contains(string(b), "shown") {
		t.Errorf("%v, %v", m, err)
	}
}

func TestQueryErrorsAreHiddenWithFailures(t *testing.T) {
	t.Parallel()
	c := connection(keys(t, "a:"+key('a')), true)
	one := &workflowservice.RespondQueryTaskCompletedRequest{ErrorMessage: "hidden"}
	several := &workflowservice.RespondWorkflowTaskCompletedRequest{QueryResults: map[string]*querypb.WorkflowQueryResult{
		"q": {ErrorMessage: "hidden", Failure: &failurepb.Failure{Message: "hidden"}},
	}}
	for _, m := range []proto.Message{one, several} {
		err := c.encode(t.Context(), m)
		if b, marshal := proto.Marshal(m); err != nil || marshal != nil || strings.Contains(string(b), "hidden") {
			t.Errorf("%v, %v", m, err)
		}
	}
}

// codecServer is Temporal's own handler, that can be told to fail.
type codecServer struct {
	*httptest.Server
	inner  http.Handler
	asked  atomic.Int64
	status atomic.Int64 // to answer; 0 for what is right
}

// sdkCodec shows keys as the SDK's handler wants them.
type sdkCodec struct{ *Keys }

func (c sdkCodec) Encode(p []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return c.Keys.Encode(context.Background(), p)
}

func (c sdkCodec) Decode(p []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return c.Keys.Decode(context.Background(), p)
}

func newCodecServer(t *testing.T) *codecServer {
	s := &codecServer{inner: converter.NewPayloadCodecHTTPHandler(sdkCodec{keys(t, "a:"+key('a'))})}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		switch {
		case s.status.Load() != 0:
			http.Error(w, "hidden", int(s.status.Load()))
		case r.Header.Get("X-Namespace") != "mine" || r.Header.Get("Authorization") != "Bearer hidden":
			http.Error(w, "who are you?", http.StatusForbidden)
		default:
			s.inner.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *codecServer) remote() *Remote {
	return &Remote{Endpoint: s.URL + "/", Namespace: "mine", Authorization: func() (string, error) { return "Bearer hidden", nil }}
}

// A codec server is asked once for all that a message holds, and only what it can't read stays.
func TestARemoteCodecReadsWhatItCan(t *testing.T) {
	t.Parallel()
	server := newCodecServer(t)
	c := connection(server.remote(), false)
	history := &workflowservice.GetWorkflowExecutionHistoryResponse{History: &historypb.History{}}
	for range 50 {
		history.History.Events = append(history.History.Events, &historypb.HistoryEvent{Attributes: &historypb.HistoryEvent_WorkflowExecutionSignaledEventAttributes{
			WorkflowExecutionSignaledEventAttributes: &historypb.WorkflowExecutionSignaledEventAttributes{Input: &commonpb.Payloads{Payloads: list(payload("hidden"))}},
		}})
	}
	want := proto.CloneOf(history)
	if err := c.encode(t.Context(), history); err != nil || proto.Equal(history, want) || server.asked.Load() != 1 {
		t.Fatalf("%v, asked %d times", err, server.asked.Load())
	}
	if err := c.decode(t.Context(), history); err != nil || !proto.Equal(history, want) || server.asked.Load() != 2 {
		t.Errorf("%v, asked %d times", err, server.asked.Load())
	}
	mine, err := server.remote().Encode(t.Context(), list(payload("x"), payload("y"), payload("z")))
	if err != nil {
		t.Fatal(err)
	}
	others, err := keys(t, "b:"+key('b')).Encode(t.Context(), list(payload("hidden")))
	if err != nil {
		t.Fatal(err)
	}
	out, err := server.remote().Decode(t.Context(), list(mine[0], others[0], mine[1], mine[2]))
	if !isUnreadable(err) || len(out) != 4 || !proto.Equal(out[0], payload("x")) || !proto.Equal(out[1], others[0]) || !proto.Equal(out[2], payload("y")) || !proto.Equal(out[3], payload("z")) {
		t.Errorf("%v, %v", out, err)
	}
	stranger := &Remote{Endpoint: server.URL, Namespace: "mine"}
	if _, err := stranger.Decode(t.Context(), mine); err == nil || isUnreadable(err) || !strings.Contains(err.Error(), "403") {
		t.Errorf("without authorisation: %v", err)
	}
}

// While a codec server is away nobody takes a task; what is under way is given back, and what goes to
// the server may be tried again.
func TestNothingIsLostWhileACodecServerIsAway(t *testing.T) {
	t.Parallel()
	server := newCodecServer(t)
	c := connection(server.remote(), false)
	hidden, err := c.codec.Encode(t.Context(), list(payload("hidden")))
	if err != nil {
		t.Fatal(err)
	}
	server.status.Store(http.StatusServiceUnavailable)
	poll := &workflowservice.PollWorkflowTaskQueueRequest{Namespace: "mine", Identity: "me"}
	temporal := &invoked{answer: func(reply any) {
		if task, ok := reply.(*workflowservice.PollWorkflowTaskQueueResponse); ok {
			task.TaskToken, task.Attempt = []byte("token"), 1
			task.History = &historypb.History{Events: []*historypb.HistoryEvent{{Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{
				WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{Input: &commonpb.Payloads{Payloads: hidden}},
			}}}}
		}
	}}
	task := &workflowservice.PollWorkflowTaskQueueResponse{}
	err = c.intercept(t.Context(), "poll", poll, task, nil, temporal.invoke)
	if status.Code(err) != codes.Unavailable || len(task.GetTaskToken()) > 0 || len(temporal.sent) != 2 {
		t.Fatalf("%v, %v, %v", err, task, temporal.sent)
	}
	failed, ok := temporal.sent[1].(*workflowservice.RespondWorkflowTaskFailedRequest)
	if !ok || string(failed.GetTaskToken()) != "token" || !strings.Contains(failed.GetFailure().GetMessage(), "503") || strings.Contains(failed.String(), "hidden") {
		t.Errorf("%v", temporal.sent[1])
	}
	// The next one isn't sent at all.
	if err := c.intercept(t.Context(), "poll", poll, task, nil, temporal.invoke); status.Code(err) != codes.Unavailable || len(temporal.sent) != 2 {
		t.Errorf("%v, %v", err, temporal.sent)
	}
	answer := &workflowservice.RespondActivityTaskCompletedRequest{Result: &commonpb.Payloads{Payloads: list(payload("hidden"))}}
	if err := c.intercept(t.Context(), "answer", answer, &workflowservice.RespondActivityTaskCompletedResponse{}, nil, temporal.invoke); status.Code(err) != codes.Unavailable || len(temporal.sent) != 2 {
		t.Errorf("%v, %v", err, temporal.sent)
	}
	server.status.Store(0)
	if err := c.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.intercept(t.Context(), "poll", poll, task, nil, temporal.invoke); err != nil || len(task.GetHistory().GetEvents()) != 1 {
		t.Errorf("%v, %v", err, task)
	}
}

// An activity's attempt is one of those that the code allowed.
func TestAnActivitysTaskWaitsForACodecServer(t *testing.T) {
	t.Parallel()
	server := newCodecServer(t)
	c := connection(server.remote(), false)
	hidden, err := c.codec.Encode(t.Context(), list(payload("hidden")))
	if err != nil {
		t.Fatal(err)
	}
	server.status.Store(http.StatusServiceUnavailable)
	temporal := &invoked{answer: func(reply any) {
		if task, ok := reply.(*workflowservice.PollActivityTaskQueueResponse); ok {
			task.TaskToken, task.Input, task.StartToCloseTimeout = []byte("token"), &commonpb.Payloads{Payloads: hidden}, durationpb.New(time.Hour)
		}
	}}
	done := make(chan error)
	task := &workflowservice.PollActivityTaskQueueResponse{}
	go func() {
		done <- c.intercept(context.WithoutCancel(t.Context()), "poll", &workflowservice.PollActivityTaskQueueRequest{}, task, nil, temporal.invoke)
	}()
	for c.Away() == nil {
		select {
		case err := <-done:
			t.Fatalf("it is over: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	server.status.Store(0)
	if err := <-done; err != nil || !proto.Equal(task.GetInput().GetPayloads()[0], payload("hidden")) || len(temporal.sent) != 1 {
		t.Errorf("%v, %v, %v", err, task, temporal.sent)
	}
}

// Whose key isn't here is given back once, and then left to the server's patience; lists go on.
func TestAPayloadOfAnotherKey(t *testing.T) {
	t.Parallel()
	c := connection(keys(t, "a:"+key('a')), false)
	others, err := keys(t, "b:"+key('b')).Encode(t.Context(), list(payload("hidden")))
	if err != nil {
		t.Fatal(err)
	}
	for attempt, want := range map[int32]int{1: 2, 2: 1} {
		temporal := &invoked{answer: func(reply any) {
			if task, ok := reply.(*workflowservice.PollWorkflowTaskQueueResponse); ok {
				task.TaskToken, task.Attempt = []byte("token"), attempt
				task.Queries = map[string]*querypb.WorkflowQuery{"q": {QueryArgs: &commonpb.Payloads{Payloads: others}}}
			}
		}}
		task := &workflowservice.PollWorkflowTaskQueueResponse{}
		err := c.intercept(t.Context(), "poll", &workflowservice.PollWorkflowTaskQueueRequest{}, task, nil, temporal.invoke)
		if err != nil || len(task.GetTaskToken()) > 0 || len(temporal.sent) != want {
			t.Errorf("attempt %d: %v, %v, %v", attempt, err, task, temporal.sent)
		}
	}
	query := &invoked{answer: func(reply any) {
		reply.(*workflowservice.QueryWorkflowResponse).QueryResult = &commonpb.Payloads{Payloads: others}
	}}
	if err := c.intercept(t.Context(), "query", &workflowservice.QueryWorkflowRequest{}, &workflowservice.QueryWorkflowResponse{}, nil, query.invoke); status.Code(err) != codes.FailedPrecondition {
		t.Error(err)
	}
	described := &invoked{answer: func(reply any) {
		reply.(*workflowservice.DescribeActivityExecutionResponse).Input = &commonpb.Payloads{Payloads: others}
	}}
	if err := c.intercept(t.Context(), "describe", &workflowservice.DescribeActivityExecutionRequest{}, &workflowservice.DescribeActivityExecutionResponse{}, nil, described.invoke); err != nil {
		t.Error(err)
	}
}

func BenchmarkKeys(b *testing.B) {
	k, err := NewKeys(func() (string, error) { return "a:" + key('a'), nil }, nil)
	if err != nil {
		b.Fatal(err)
	}
	c := connection(k, true)
	request := &workflowservice.RespondActivityTaskCompletedRequest{Result: &commonpb.Payloads{Payloads: list(payload(strings.Repeat("x", 1000)))}}
	for b.Loop() {
		sent := proto.CloneOf(request)
		if err := errors.Join(c.encode(b.Context(), sent), c.decode(b.Context(), sent)); err != nil {
			b.Fatal(err)
		}
	}
}
