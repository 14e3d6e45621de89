package wire

import (
	"context"
	"testing"
	"time"

	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestPollsThatFailAreToldUntilTheyDoNot(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	queue := polled{"q", false}
	away := status.Error(codes.Unavailable, "connection refused")
	stopped, stop := context.WithCancel(t.Context())
	stop()
	type step struct {
		after time.Duration
		begin bool
		ctx   context.Context
		err   error
	}
	begin := func(after time.Duration) step { return step{after: after, begin: true} }
	end := func(after time.Duration, err error) step { return step{after: after, ctx: t.Context(), err: err} }
	for name, c := range map[string]struct {
		steps []step
		after time.Duration
		want  string
	}{
		"none yet":                         {},
		"one that waits":                   {[]step{begin(0)}, time.Minute, ""},
		"one that failed just now":         {[]step{begin(0), end(0, away)}, time.Second, ""},
		"one that failed":                  {[]step{begin(0), end(0, away)}, 5 * time.Second, "Unavailable: connection refused"},
		"tried again, just now":            {[]step{begin(0), end(0, away), begin(9 * time.Second)}, time.Second, "Unavailable: connection refused"},
		"tried again, and it waits":        {[]step{begin(0), end(0, away), begin(9 * time.Second)}, 2 * time.Second, ""},
		"another waited since before":      {[]step{begin(0), begin(0), end(time.Second, away)}, 9 * time.Second, "Unavailable: connection refused"},
		"tried again, and it succeeded":    {[]step{begin(0), end(0, away), begin(9 * time.Second), end(0, nil)}, time.Minute, ""},
		"the worker stops":                 {[]step{begin(0), {ctx: stopped, err: status.Error(codes.Canceled, "")}}, time.Minute, ""},
		"it says what is wrong now":        {[]step{begin(0), end(0, away), begin(0), end(0, status.Error(codes.NotFound, "no namespace"))}, time.Minute, "NotFound: no namespace"},
		"not another port each time":       {[]step{begin(0), end(0, away), begin(0), end(0, status.Error(codes.Unavailable, "port 7"))}, time.Minute, "Unavailable: connection refused"},
		"it fails again after it was well": {[]step{begin(0), end(0, away), begin(time.Minute), end(0, nil), begin(0), end(0, away)}, time.Second, ""},
	} {
		tasks, now := NewTasks(), at
		for _, s := range c.steps {
			now = now.Add(s.after)
			if s.begin {
				tasks.polls.begin(queue, nil, now)
			} else {
				tasks.polls.end(s.ctx, queue, s.err, now)
			}
		}
		got := ""
		if s := tasks.polls.queues[queue]; s != nil {
			if f, fails := s.fails(now.Add(c.after)); fails {
				got = f.Error
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestPollsAreKnownByTheProjectsTaskQueue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		req  any
		want polled
	}{
		{&workflowservice.PollWorkflowTaskQueueRequest{TaskQueue: &taskqueuepb.TaskQueue{Name: "q"}}, polled{"q", false}},
		{&workflowservice.PollWorkflowTaskQueueRequest{TaskQueue: &taskqueuepb.TaskQueue{Name: "host:1", NormalName: "q"}}, polled{"q", false}},
		{&workflowservice.PollActivityTaskQueueRequest{TaskQueue: &taskqueuepb.TaskQueue{Name: "q"}}, polled{"q", true}},
		{&workflowservice.RespondActivityTaskCompletedRequest{}, polled{}},
	} {
		if got, ok := polledBy(c.req); got != c.want || ok != (c.want != polled{}) {
			t.Errorf("%T: %+v", c.req, got)
		}
	}
	tasks := NewTasks()
	tasks.polls.begin(polled{"q", true}, nil, time.Now())
	tasks.polls.end(t.Context(), polled{"q", true}, status.Error(codes.Unavailable, ""), time.Now().Add(-time.Minute))
	if got := tasks.FailingPolls(); len(got) != 1 {
		t.Errorf("%v", got)
	}
	if tasks.Forget("q"); len(tasks.FailingPolls()) != 0 {
		t.Error("they fail still")
	}
}
