package workflow

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	bindings "go.temporal.io/sdk/internalbindings"
	"go.temporal.io/sdk/temporal"
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
}

type scheduleLocalActivity struct {
	seq          int64
	said         LocalActivity
	params       bindings.ExecuteLocalActivityParams
	input        *commonpb.Payloads
	headers      map[string]*commonpb.Payload
	cancellation int64
	over         enumspb.TimeoutType // of the deadline that is given and zero
	firstMillis  float64             // when the first attempt was scheduled, of an attempt after a timer
}

func readScheduleLocal(v *vm, f fields, meta metadata) (command, error) {
	c := &scheduleLocalActivity{
		seq: f.integer("seq"), cancellation: f.integer("cancellationType"),
		firstMillis: f.number("originalScheduleTime"),
	}
	p := &c.params
	c.said = LocalActivity{
		Name: f.text("activityType"), ID: f.text("activityId"),
		StartToClose: f.duration("startToCloseTimeout"), ScheduleToClose: f.duration("scheduleToCloseTimeout"),
		Retry: localRetry(f.retryPolicy(v.box.Runtime, "retryPolicy")),
	}
	switch {
	case f.has("scheduleToCloseTimeout") && c.said.ScheduleToClose == 0:
		c.over = enumspb.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE
	case f.has("startToCloseTimeout") && c.said.StartToClose == 0:
		c.over = enumspb.TIMEOUT_TYPE_START_TO_CLOSE
	}
	p.ActivityType, p.ScheduleToCloseTimeout, p.StartToCloseTimeout = c.said.Name, c.said.ScheduleToClose, c.said.StartToClose
	if p.StartToCloseTimeout == 0 {
		p.StartToCloseTimeout = p.ScheduleToCloseTimeout
	}
	if p.ScheduleToCloseTimeout == 0 {
		p.ScheduleToCloseTimeout = noDeadline
	}
	p.Attempt = int32(max(1, f.integer("attempt")))
	p.Summary = meta.summary
	threshold := defaultRetryThreshold
	if f.has("localRetryThreshold") {
		threshold = f.duration("localRetryThreshold")
	}
	p.RetryPolicy = c.retriedBySDK(threshold)
	var err error
	if c.headers, err = v.readHeader(f); err != nil {
		return nil, err
	}
	c.input, err = v.readPayloads(f.value("arguments"))
	return c, err
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
		return unsupported("scheduleLocalActivity")
	}
	d.locals[c.seq] = &localState{command: c}
	if c.over != enumspb.TIMEOUT_TYPE_UNSPECIFIED && d.keeps(ruleEmpties) {
		d.resolveLocal(c.seq, resolution{failure: c.failure("Local Activity timed out", &failurepb.Failure{
			Message: "Activity timed out",
			FailureInfo: &failurepb.Failure_TimeoutFailureInfo{TimeoutFailureInfo: &failurepb.TimeoutFailureInfo{
				TimeoutType: c.over,
			}},
		}, enumspb.RETRY_STATE_CANCEL_REQUESTED)})
		return nil
	}
	d.put(c)
	return nil
}

func (c *scheduleLocalActivity) send(d *definition) error {
	l := d.locals[c.seq]
	l.sent = true
	p := c.params
	p.WorkflowInfo = d.env.WorkflowInfo()
	p.DataConverter, p.FailureConverter = d.env.GetDataConverter(), d.env.GetFailureConverter()
	p.Header = d.codeHeader(c.headers)
	p.ScheduledTime = d.env.Now()
	if c.firstMillis > 0 {
		p.ScheduledTime = time.UnixMilli(int64(c.firstMillis))
	}
	first := p.ScheduledTime
	p.ActivityFn = func(ctx context.Context) (*commonpb.Payloads, error) {
		result, err := d.o.LocalActivity(ctx, c.said, c.input)
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
		if d.locals[c.seq] == l { // not resolved when it was cancelled
			d.resolveLocal(c.seq, c.outcome(d, r, first))
		}
	})
	return nil
}

func (d *definition) resolveLocal(seq int64, r resolution) {
	delete(d.locals, seq)
	d.push(resolveActivityJob{seq, r})
}

// outcome looks only at what the marker holds, so that a replay comes to the same.
func (c *scheduleLocalActivity) outcome(d *definition, r *bindings.LocalActivityResultWrapper, first time.Time) resolution {
	if r.Err == nil {
		return resolution{result: r.Result}
	}
	var canceled *temporal.CanceledError
	if errors.As(r.Err, &canceled) {
		return c.cancelled()
	}
	final := c.retryState(r)
	if final == enumspb.RETRY_STATE_IN_PROGRESS {
		pause := r.Backoff
		if pause <= 0 {
			pause = c.pause(r.Attempt)
		}
		if first.Add(c.params.ScheduleToCloseTimeout).After(d.env.Now().Add(pause)) {
			return resolution{backoff: &backoff{r.Attempt + 1, pause, first}}
		}
		final = enumspb.RETRY_STATE_TIMEOUT
	}
	cause := d.env.GetFailureConverter().ErrorToFailure(r.Err)
	if cause.GetTimeoutFailureInfo() != nil {
		return resolution{failure: c.failure("Activity task timed out", cause, final)}
	}
	// Upstream wraps timeouts and cancellations alone.
	return resolution{failure: cause}
}

// retryState says why there is no further attempt, or that there is one.
func (c *scheduleLocalActivity) retryState(r *bindings.LocalActivityResultWrapper) enumspb.RetryState {
	var application *temporal.ApplicationError
	var timeout *temporal.TimeoutError
	switch {
	case errors.As(r.Err, &application) && (application.NonRetryable() || slices.Contains(c.said.Retry.NonRetryableErrorTypes, application.Type())):
		return enumspb.RETRY_STATE_NON_RETRYABLE_FAILURE
	case errors.As(r.Err, &timeout) && timeout.TimeoutType() == enumspb.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE:
		return enumspb.RETRY_STATE_TIMEOUT
	case c.said.Retry.MaximumAttempts > 0 && r.Attempt >= c.said.Retry.MaximumAttempts:
		return enumspb.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
	}
	return enumspb.RETRY_STATE_IN_PROGRESS
}

func (c *scheduleLocalActivity) cancelled() resolution {
	return resolution{cancelled: true, failure: c.failure("Activity cancelled", cancellation(nil), enumspb.RETRY_STATE_CANCEL_REQUESTED)}
}

func (c *scheduleLocalActivity) failure(message string, cause *failurepb.Failure, state enumspb.RetryState) *failurepb.Failure {
	return &failurepb.Failure{
		Message: message, Cause: cause,
		FailureInfo: &failurepb.Failure_ActivityFailureInfo{ActivityFailureInfo: &failurepb.ActivityFailureInfo{
			ActivityType: &commonpb.ActivityType{Name: c.params.ActivityType}, ActivityId: c.said.ID, RetryState: state,
		}},
	}
}

// backoff asks the package to wait with a timer and to schedule the next attempt.
type backoff struct {
	attempt int32
	pause   time.Duration
	first   time.Time
}

type cancelLocalActivity struct{ seq int64 }

func readCancelLocal(_ *vm, f fields, _ metadata) (command, error) {
	return cancelLocalActivity{f.integer("seq")}, nil
}

func (c cancelLocalActivity) accept(d *definition) error {
	l := d.locals[c.seq]
	if l == nil {
		return nil
	}
	if !l.sent {
		take(d, func(s *scheduleLocalActivity) bool { return s == l.command })
		d.resolveLocal(c.seq, l.command.cancelled())
		return nil
	}
	if l.command.cancellation != activityAbandon {
		d.put(requestCancelLocal{l.id})
	}
	if l.command.cancellation != activityWait {
		d.resolveLocal(c.seq, l.command.cancelled())
	}
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
