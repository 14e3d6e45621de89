package activities

import (
	"context"
	"math"
	"time"

	"go.temporal.io/sdk/activity"
)

// longestWait keeps a wait inside time.Duration; the activity's own timeouts end it long before.
const longestWait = 100 * 365 * 24 * time.Hour

// waitFor: {milliseconds, reason?} → {waited, reason}.
func waitFor(ctx context.Context, in input) (result, error) {
	ms, err := in.number("milliseconds")
	if err != nil {
		return result{}, err
	}
	if ms < 0 || ms > float64(longestWait.Milliseconds()) {
		return result{}, invalid("milliseconds", "must be between 0 and %d", longestWait.Milliseconds())
	}
	reason, given := in.get("reason")
	if given && typeOf(reason) != "string" {
		return result{}, invalid("reason", "must be a string, got %s", describe(reason))
	}
	stop := heartbeating(ctx)
	defer stop()
	timer := time.NewTimer(time.Duration(math.Ceil(ms * float64(time.Millisecond))))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return result{}, interrupted(ctx)
	}
	waited := object{keys: []string{"waited"}, values: map[string]value{"waited": ms}}
	if given {
		waited.keys = append(waited.keys, "reason")
		waited.values["reason"] = textOf(reason)
	}
	text, _ := stringify(&waited, 0, math.MaxInt)
	return result{json: []byte(text)}, nil
}

// heartbeating tells Temporal that the activity lives, which is also how Temporal tells the
// activity that it's cancelled. The returned function ends it and waits for a heartbeat that is on
// its way. The SDK thins the calls out to what the heartbeat timeout needs.
func heartbeating(ctx context.Context) (stop func()) {
	if !activity.IsActivity(ctx) || activity.GetInfo(ctx).IsLocalActivity {
		return func() {}
	}
	every := time.Second
	if t := activity.GetInfo(ctx).HeartbeatTimeout; t > 0 {
		every = min(every, max(t/4, 10*time.Millisecond))
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			activity.RecordHeartbeat(ctx)
			select {
			case <-ticker.C:
			case <-quit:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}
