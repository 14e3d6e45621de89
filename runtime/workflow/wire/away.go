package wire

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc"
	grpcbackoff "google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"
)

// What the SDK does while the server is away costs most after its return. The connection is tried
// every twelve seconds, one try may take twenty; then each kind of poll (workflow tasks, those of
// cached executions, activities) sleeps up to ten more, and an execution needs all three, one after
// the other. The results of activities that ended meanwhile are given up after ten seconds: such an
// activity runs again when its start-to-close timeout is over.
const (
	// reconnectDelay is the longest pause between two tries to connect. There is one connection for
	// all workers.
	reconnectDelay = 2 * time.Second
	// connectTimeout is the longest that such a try takes, where packets are lost rather than
	// refused.
	connectTimeout = 10 * time.Second

	// answerTimeout is how long one try to deliver an activity's answer may take; the SDK's own
	// limit for all of them.
	answerTimeout = 10 * time.Second
	// answerPatience is when an answer is given up at last. The server refuses one whose attempt is
	// over.
	answerPatience = time.Hour
)

// Reconnect makes a connection stand again soon after the server can be reached.
func Reconnect() grpc.DialOption {
	b := grpcbackoff.DefaultConfig
	b.BaseDelay, b.MaxDelay = 200*time.Millisecond, reconnectDelay
	return grpc.WithConnectParams(grpc.ConnectParams{Backoff: b, MinConnectTimeout: connectTimeout})
}

// held waits until a poll that failed may be tried again: the connection stands, and some time has
// passed if it stood before. It is false if the poll is over, or its worker about to stop: the SDK
// waits then for its polls, and cancels none.
func (p *polls) held(ctx context.Context, taskQueue string, cc *grpc.ClientConn, tries int) bool {
	p.mu.Lock()
	ends := p.endOf(taskQueue)
	p.waiting++
	waiting := p.waiting
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.waiting--
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-ends:
			cancel()
		case <-ctx.Done():
		}
	}()
	return stands(ctx, cc) && pause(ctx, tries, waiting)
}

// endOf is called with mu held.
func (p *polls) endOf(taskQueue string) chan struct{} {
	if p.ends[taskQueue] == nil {
		if p.ends == nil {
			p.ends = map[string]chan struct{}{}
		}
		p.ends[taskQueue] = make(chan struct{})
	}
	return p.ends[taskQueue]
}

// StopPolls lets no poll of a task queue wait for the server any longer. It is for a worker that is
// about to stop; Forget ends it.
func (t *Tasks) StopPolls(taskQueue string) {
	if t == nil {
		return
	}
	t.polls.mu.Lock()
	defer t.polls.mu.Unlock()
	ends := t.polls.endOf(taskQueue)
	select {
	case <-ends: // another worker of the same queue
	default:
		close(ends)
	}
}

// PollsEnd is closed when StopPolls is called for a task queue.
func (t *Tasks) PollsEnd(taskQueue string) <-chan struct{} {
	if t == nil {
		return nil
	}
	t.polls.mu.Lock()
	defer t.polls.mu.Unlock()
	return t.polls.endOf(taskQueue)
}

// deliver gives an activity's answer to the server, for longer than the SDK would: what an attempt
// has done is not to be done again because the server was away when it ended.
func deliver(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	// Without the SDK's deadline. Who completes an activity from outside may give it up.
	all, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerPatience)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		if ctx.Err() == context.Canceled {
			cancel()
		}
	})()
	for tries := 0; ; tries++ {
		try, done := context.WithTimeout(all, answerTimeout)
		err := invoke(try, method, req, reply, cc, opts...)
		done()
		if code := status.Code(err); code != codes.Unavailable && code != codes.DeadlineExceeded {
			return err
		}
		if !stands(all, cc) || !pause(all, tries, 1) {
			return err
		}
	}
}

// stands waits until a connection stands.
func stands(ctx context.Context, cc *grpc.ClientConn) bool {
	for cc != nil { // nil in tests of the interceptor alone
		state := cc.GetState()
		switch state {
		case connectivity.Ready:
			return ctx.Err() == nil
		case connectivity.Shutdown:
			return false
		case connectivity.Idle:
			cc.Connect()
		}
		if !cc.WaitForStateChange(ctx, state) {
			return false
		}
	}
	return ctx.Err() == nil
}

// pause is what lies between two tries on a connection that stands: a proxy may answer for servers
// that are away. With many who wait it is longer, up to the SDK's ten seconds, so that they are no
// burden to a server that has just come back.
func pause(ctx context.Context, tries, waiting int) bool {
	const first, most = 100 * time.Millisecond, 10 * time.Second
	all := min(time.Duration(waiting)*first/10, most)
	d := min(max(first<<min(tries, 10), all/5), max(all, time.Second))
	timer := time.NewTimer(d/2 + rand.N(d/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
