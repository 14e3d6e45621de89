package workflow

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	bindings "go.temporal.io/sdk/internalbindings"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"

	"workflow-worker/runtime/workflow/protocol"
)

const (
	// noDeadline stands for no schedule-to-close timeout: the SDK would take the start-to-close
	// timeout for all attempts together.
	noDeadline = 10 * 365 * 24 * time.Hour
	// defaultRetryThreshold is upstream's: longer pauses between attempts become timers.
	defaultRetryThreshold = time.Minute
)

// localState is a local activity that the execution waits for.
type localState struct {
	command *scheduleLocalActivity
	id      bindings.LocalActivityID
	sent    bool

	attempt struct {
		sync.Mutex // guards what is below: attempts are the SDK's goroutines
		cancel     context.CancelFunc
		asked      bool
	}
}

// ask tells the attempt under way that it is cancelled; it, or what follows, ends as it likes. With
// none under way there is no further one.
func (l *localState) ask() {
	l.attempt.Lock()
	defer l.attempt.Unlock()
	if l.attempt.cancel != nil {
		l.attempt.cancel()
	} else {
		l.attempt.asked = true
	}
}

// begin gives an attempt its context; ok is false if there is to be none.
func (l *localState) begin(ctx context.Context) (_ context.Context, end func(), ok bool) {
	l.attempt.Lock()
	defer l.attempt.Unlock()
	if l.attempt.asked {
		return nil, nil, false
	}
	ctx, l.attempt.cancel = context.WithCancel(ctx)
	return ctx, func() {
		l.attempt.Lock()
		defer l.attempt.Unlock()
		l.attempt.cancel()
		l.attempt.cancel = nil
	}, true
}

type scheduleLocalActivity struct {
	*protocol.ScheduleLocalActivity
	said   LocalActivity
	params bindings.ExecuteLocalActivityParams
}

func newScheduleLocalActivity(f *protocol.ScheduleLocalActivity) *scheduleLocalActivity {
	c := &scheduleLocalActivity{ScheduleLocalActivity: f, said: LocalActivity{
		Name: f.ActivityType, ID: f.ActivityID, StartToClose: f.StartToClose, ScheduleToClose: f.ScheduleToClose,
		Retry: localRetry(f.RetryPolicy),
	}}
	p := &c.params
	p.ActivityType, p.ScheduleToCloseTimeout, p.StartToCloseTimeout = f.ActivityType, f.ScheduleToClose, f.StartToClose
	if p.StartToCloseTimeout == 0 {
		p.StartToCloseTimeout = p.ScheduleToCloseTimeout
	}
	if p.ScheduleToCloseTimeout == 0 {
		p.ScheduleToCloseTimeout = noDeadline
	}
	p.Attempt, p.Summary, p.EventGroupMarkers = f.Attempt, f.Summary, f.Groups
	threshold := defaultRetryThreshold
	if f.RetryThreshold != nil {
		threshold = *f.RetryThreshold
	}
	p.RetryPolicy = c.retriedBySDK(threshold)
	return c
}

// localRetry fills in what the server fills in for ordinary activities.
func localRetry(p *commonpb.RetryPolicy) temporal.RetryPolicy {
	out := temporal.RetryPolicy{
		InitialInterval: p.GetInitialInterval().AsDuration(), BackoffCoefficient: p.GetBackoffCoefficient(),
		MaximumInterval: p.GetMaximumInterval().AsDuration(), MaximumAttempts: p.GetMaximumAttempts(),
		NonRetryableErrorTypes: p.GetNonRetryableErrorTypes(),
	}
	if out.InitialInterval <= 0 {
		out.InitialInterval = time.Second
	}
	if out.BackoffCoefficient < 1 {
		out.BackoffCoefficient = 2
	}
	if out.MaximumInterval <= 0 {
		out.MaximumInterval = min(100*out.InitialInterval, math.MaxInt64)
	}
	return out
}

// pause is the time after an attempt.
func (c *scheduleLocalActivity) pause(attempt int32) time.Duration {
	d := float64(c.said.Retry.InitialInterval) * math.Pow(c.said.Retry.BackoffCoefficient, float64(attempt-1))
	return time.Duration(min(d, float64(c.said.Retry.MaximumInterval)))
}

// retriedBySDK is the policy with as many attempts as have pauses below the threshold between them.
// The SDK's own threshold, the workflow task's timeout, can't be set.
func (c *scheduleLocalActivity) retriedBySDK(threshold time.Duration) *temporal.RetryPolicy {
	p := c.said.Retry
	for n := c.params.Attempt; n < c.params.Attempt+64; n++ { // by then the pause has long reached its maximum
		if c.pause(n) > threshold && (p.MaximumAttempts == 0 || n < p.MaximumAttempts) {
			p.MaximumAttempts = n
			break
		}
	}
	return &p
}

func (c *scheduleLocalActivity) accept(d *definition) error {
	if d.o.LocalActivity == nil {
		return protocol.Unsupported("scheduleLocalActivity")
	}
	put(&d.locals, c.Seq, &localState{command: c})
	if c.Over != enumspb.TIMEOUT_TYPE_UNSPECIFIED && d.keeps(ruleEmpties) {
		d.resolveLocal(c.Seq, c.timedOut(c.Over))
		return nil
	}
	d.put(c)
	return nil
}

func (c *scheduleLocalActivity) send(d *definition) error {
	l := d.locals[c.Seq]
	l.sent = true
	p := c.params
	p.WorkflowInfo = d.env.WorkflowInfo()
	p.DataConverter, p.FailureConverter = d.env.GetDataConverter(), d.env.GetFailureConverter()
	p.Header = d.codeHeader(c.Headers)
	p.ScheduledTime = d.env.Now()
	if c.FirstMillis > 0 {
		p.ScheduledTime = time.UnixMilli(int64(c.FirstMillis))
	}
	first := p.ScheduledTime
	p.ActivityFn = func(ctx context.Context) (*commonpb.Payloads, error) {
		own, end, ok := l.begin(ctx)
		if !ok {
			return nil, temporal.NewCanceledError()
		}
		defer end()
		result, err := d.o.LocalActivity(own, c.said, c.Input)
		if err == nil || ctx.Err() == nil {
			return result, err
		}
		// However the code took its end: that is what ended it.
		switch {
		case errors.Is(ctx.Err(), context.Canceled):
			return nil, temporal.NewCanceledError()
		case time.Now().After(first.Add(p.ScheduleToCloseTimeout)):
			return nil, temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, nil)
		}
		return nil, temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_START_TO_CLOSE, nil)
	}
	l.id = d.env.ExecuteLocalActivity(p, func(r *bindings.LocalActivityResultWrapper) {
		if d.locals[c.Seq] == l { // not resolved when it was cancelled
			d.resolveLocal(c.Seq, c.outcome(d, r, first))
		}
	})
	return nil
}

func (d *definition) resolveLocal(seq int64, r protocol.Resolution) {
	delete(d.locals, seq)
	d.push(protocol.ResolveActivity{Seq: seq, Resolution: r})
}

// outcome looks only at what the marker holds, so that a replay comes to the same.
func (c *scheduleLocalActivity) outcome(d *definition, r *bindings.LocalActivityResultWrapper, first time.Time) protocol.Resolution {
	if r.Err == nil {
		return protocol.Resolution{Result: r.Result}
	}
	cause, err := d.ended(r.Err)
	var canceled *temporal.CanceledError
	switch {
	case !errors.As(err, &canceled):
	case d.keeps(ruleLocalWords) && cause.GetSource() != "GoSDK":
		return c.cancelledAs(d, cause)
	default:
		return c.cancelled(d)
	}
	final := c.retryState(r.Attempt, err)
	if final == enumspb.RETRY_STATE_IN_PROGRESS {
		pause := r.Backoff
		if pause <= 0 {
			pause = c.pause(r.Attempt)
		}
		if first.Add(c.params.ScheduleToCloseTimeout).After(d.env.Now().Add(pause)) {
			return protocol.Resolution{Backoff: &protocol.Backoff{Attempt: r.Attempt + 1, Pause: pause, First: first}}
		}
		final = enumspb.RETRY_STATE_TIMEOUT
	}
	if timeout := cause.GetTimeoutFailureInfo(); timeout != nil {
		switch {
		case !d.keeps(ruleLocalEnds):
			return protocol.Resolution{Failure: c.failure("Activity task timed out", cause, final)}
		case cause.GetSource() == "GoSDK": // else the code threw it
			return c.timedOut(timeout.GetTimeoutType())
		}
	}
	// Upstream wraps timeouts and cancellations alone.
	return protocol.Resolution{Failure: cause}
}

// ended is what a local activity's end was, live and replayed alike: to the SDK's errors a live one is
// not yet what a replay reads from the marker.
func (d *definition) ended(err error) (*failurepb.Failure, error) {
	converter := d.env.GetFailureConverter()
	f := converter.ErrorToFailure(err)
	alone := f
	if d.keeps(ruleLocalWords) && f.GetCause() != nil { // which is somebody else's end
		alone = proto.CloneOf(f)
		alone.Cause = nil
	}
	return f, converter.FailureToError(alone)
}

// retryState says why there is no further attempt, or that there is one.
func (c *scheduleLocalActivity) retryState(attempt int32, err error) enumspb.RetryState {
	var application *temporal.ApplicationError
	var timeout *temporal.TimeoutError
	switch {
	case errors.As(err, &application) && (application.NonRetryable() || slices.Contains(c.said.Retry.NonRetryableErrorTypes, application.Type())):
		return enumspb.RETRY_STATE_NON_RETRYABLE_FAILURE
	case errors.As(err, &timeout) && timeout.TimeoutType() == enumspb.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE:
		return enumspb.RETRY_STATE_TIMEOUT
	case c.said.Retry.MaximumAttempts > 0 && attempt >= c.said.Retry.MaximumAttempts:
		return enumspb.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
	}
	return enumspb.RETRY_STATE_IN_PROGRESS
}

// timedOut has upstream's retry state, which is the same for all that it wraps.
func (c *scheduleLocalActivity) timedOut(kind enumspb.TimeoutType) protocol.Resolution {
	return protocol.Resolution{Failure: c.failure("Local Activity timed out", &failurepb.Failure{
		Message:     "Activity timed out",
		FailureInfo: &failurepb.Failure_TimeoutFailureInfo{TimeoutFailureInfo: &failurepb.TimeoutFailureInfo{TimeoutType: kind}},
	}, enumspb.RETRY_STATE_CANCEL_REQUESTED)}
}

func (c *scheduleLocalActivity) cancelled(d *definition) protocol.Resolution {
	return c.cancelledAs(d, nil)
}

// cancelledAs has the words of the code that ended itself so, where there are any.
func (c *scheduleLocalActivity) cancelledAs(d *definition, cause *failurepb.Failure) protocol.Resolution {
	if d.keeps(ruleLocalEnds) {
		if cause == nil {
			cause = protocol.Cancellation(nil)
			cause.Message = "Activity cancelled"
		}
		return protocol.Resolution{Cancelled: true, Failure: c.failure("Local Activity cancelled", cause, enumspb.RETRY_STATE_CANCEL_REQUESTED)}
	}
	return protocol.Resolution{Cancelled: true, Failure: c.failure("Activity cancelled", protocol.Cancellation(nil), enumspb.RETRY_STATE_CANCEL_REQUESTED)}
}

func (c *scheduleLocalActivity) failure(message string, cause *failurepb.Failure, state enumspb.RetryState) *failurepb.Failure {
	return &failurepb.Failure{
		Message: message, Cause: cause,
		FailureInfo: &failurepb.Failure_ActivityFailureInfo{ActivityFailureInfo: &failurepb.ActivityFailureInfo{
			ActivityType: &commonpb.ActivityType{Name: c.params.ActivityType}, ActivityId: c.said.ID, RetryState: state,
		}},
	}
}

type cancelLocalActivity protocol.CancelLocalActivity

func (c cancelLocalActivity) accept(d *definition) error {
	l := d.locals[c.Seq]
	if l == nil {
		return nil
	}
	if !l.sent {
		take(d, func(s *scheduleLocalActivity) bool { return s == l.command })
		d.resolveLocal(c.Seq, l.command.cancelled(d))
		return nil
	}
	switch l.command.Cancellation {
	case protocol.ActivityWait:
		d.put(askLocal{l})
		return nil
	case protocol.ActivityAbandon:
	default:
		d.put(requestCancelLocal{l.id})
	}
	d.resolveLocal(c.Seq, l.command.cancelled(d))
	return nil
}

// askLocal tells the code of a local activity alone: the SDK would answer at once that it was
// cancelled, whatever the code then comes to.
type askLocal struct{ *localState }

func (c askLocal) send(*definition) error {
	c.ask()
	return nil
}

type requestCancelLocal struct{ id bindings.LocalActivityID }

func (c requestCancelLocal) send(d *definition) error {
	d.env.RequestCancelLocalActivity(c.id)
	return nil
}

// missingActivity says why a local activity can't be scheduled; "" if it can.
func (d *definition) missingActivity(name string) string {
	if err := d.o.MissingActivity(name, d.in.code.Hash()); err != nil {
		return err.Error()
	}
	return ""
}
