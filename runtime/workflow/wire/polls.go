package wire

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"
)

// PollFailure says since when a worker's polls fail, and how.
type PollFailure struct {
	Since time.Time
	Error string
}

// polls watches the polls of a connection's workers. The SDK tries for ever what the server
// refuses, and tells its log alone.
type polls struct {
	mu     sync.Mutex // guards the rest, and what it points to
	queues map[polled]*pollState
	// ends has, by task queue, what is closed when its worker is about to stop.
	ends    map[string]chan struct{}
	waiting int // polls that are held
}

// polled is what is polled for.
type polled struct {
	taskQueue  string
	activities bool
}

type pollState struct {
	waiting int       // polls under way
	began   time.Time // the newest of them
	since   time.Time // of the first failure since one succeeded; zero if none
	last    time.Time // failure
	code    codes.Code
	text    string
	conn    *grpc.ClientConn
}

const (
	// pollPatience is how long polls fail before it is told: the server's restart, or one lost
	// packet, is no news.
	pollPatience = 5 * time.Second
	// pollSettles is after which time a poll that waits on a connection that stands is a good one:
	// it may wait for a minute.
	pollSettles = 2 * time.Second
)

// polledBy tells what a request polls for.
func polledBy(req any) (polled, bool) {
	switch r := req.(type) {
	case *workflowservice.PollWorkflowTaskQueueRequest:
		q := r.GetTaskQueue()
		if q.GetNormalName() != "" { // sticky
			return polled{q.GetNormalName(), false}, true
		}
		return polled{q.GetName(), false}, true
	case *workflowservice.PollActivityTaskQueueRequest:
		return polled{r.GetTaskQueue().GetName(), true}, true
	}
	return polled{}, false
}

// begin notes a poll; end, what became of it, and whether it may be tried again without a word to
// the SDK: the first failure is for its log and its metrics.
func (p *polls) begin(of polled, conn *grpc.ClientConn, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.queues[of]
	if s == nil {
		if p.queues == nil {
			p.queues = map[polled]*pollState{}
		}
		s = &pollState{}
		p.queues[of] = s
	}
	s.waiting++
	s.began, s.conn = now, conn
}

func (p *polls) end(ctx context.Context, of polled, err error, now time.Time) (again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.queues[of]
	if s == nil {
		return false
	}
	s.waiting--
	switch code := status.Code(err); {
	case err == nil:
		s.since = time.Time{}
	case ctx.Err() == context.Canceled || code == codes.Canceled: // the worker stops
	default:
		again = code == codes.Unavailable && !s.since.IsZero()
		if s.since.IsZero() {
			s.since, s.text = now, ""
		}
		if s.text == "" || s.code != code { // a text may name a port that is another each time
			s.code, s.text = code, status.Convert(err).Message()
		}
		s.last = now
	}
	if s.waiting <= 0 && s.since.IsZero() {
		delete(p.queues, of)
	}
	return again
}

// fails says how the polls of a kind fail, if they do.
func (s *pollState) fails(now time.Time) (PollFailure, bool) {
	if s.since.IsZero() || now.Sub(s.since) < pollPatience {
		return PollFailure{}, false
	}
	stands := s.conn == nil || s.conn.GetState() == connectivity.Ready
	if s.waiting > 0 && s.began.After(s.last) && now.Sub(s.began) >= pollSettles && stands {
		s.since = time.Time{}
		return PollFailure{}, false
	}
	return PollFailure{s.since, s.code.String() + ": " + s.text}, true
}

// FailingPolls gives the task queues whose polls fail. A nil Tasks knows none.
func (t *Tasks) FailingPolls() map[string]PollFailure {
	if t == nil {
		return nil
	}
	now := time.Now()
	t.polls.mu.Lock()
	defer t.polls.mu.Unlock()
	var out map[string]PollFailure
	for of, s := range t.polls.queues {
		f, fails := s.fails(now)
		if !fails {
			continue
		}
		if out == nil {
			out = map[string]PollFailure{}
		}
		if other, both := out[of.taskQueue]; !both || f.Since.Before(other.Since) {
			out[of.taskQueue] = f
		}
	}
	return out
}

// Forget forgets a task queue whose worker has stopped.
func (t *Tasks) Forget(taskQueue string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	delete(t.watched, taskQueue)
	t.mu.Unlock()
	t.polls.mu.Lock()
	defer t.polls.mu.Unlock()
	delete(t.polls.queues, polled{taskQueue, false})
	delete(t.polls.queues, polled{taskQueue, true})
	delete(t.polls.ends, taskQueue)
}

// poll makes a call that may be a poll, and watches it. While the server is away it waits here for
// its return (see held).
func (t *Tasks) poll(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	of, ok := polledBy(req)
	if !ok {
		return invoke(ctx, method, req, reply, cc, opts...)
	}
	for tries := 0; ; tries++ {
		t.polls.begin(of, cc, time.Now())
		err := invoke(ctx, method, req, reply, cc, opts...)
		if again := t.polls.end(ctx, of, err, time.Now()); !again || !t.polls.held(ctx, of.taskQueue, cc, tries) {
			return err
		}
	}
}
