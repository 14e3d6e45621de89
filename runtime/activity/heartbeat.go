package activity

import (
	"context"
	"errors"
	"time"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
)

// heartbeats hands an execution's heartbeats to Go's SDK, whose call may wait for the server:
// JavaScript never does. Only the latest that wasn't handed over yet is kept.
type heartbeats struct {
	latest chan *commonpb.Payload // of one
	done   chan struct{}
}

// heartbeat is the SDK's heartbeat(details). Details without a payload end the activity, as
// upstream.
func (in *instance) heartbeat(call goja.FunctionCall) goja.Value {
	ctx := in.running
	if ctx == nil || !activity.IsActivity(ctx) || activity.GetInfo(ctx).IsLocalActivity {
		return goja.Undefined()
	}
	var details *commonpb.Payload
	if v := call.Argument(0); !goja.IsUndefined(v) {
		p, err := in.vm.ToPayload(v)
		if err != nil || len(p.GetData()) > in.code.opts.MaxResultBytes {
			in.log.warn("heartbeat details that can't be sent")
			in.end(&ending{"HEARTBEAT_DETAILS_CONVERSION_FAILED", ""})
			return goja.Undefined()
		}
		details = p
	}
	in.beat.Store(time.Now().UnixNano())
	if in.beats == nil {
		in.beats = startHeartbeats(ctx)
	}
	in.beats.record(details)
	return goja.Undefined()
}

func startHeartbeats(ctx context.Context) *heartbeats {
	h := &heartbeats{latest: make(chan *commonpb.Payload, 1), done: make(chan struct{})}
	go func() {
		defer close(h.done)
		// Code that was notified of its end may go on with its heartbeats while it cleans up. Past its
		// deadline nobody wants them.
		alive := context.WithoutCancel(ctx)
		var last []any
		notified := false
		for details := range h.latest {
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				continue
			}
			last, notified = nil, ctx.Err() != nil
			if details != nil {
				last = []any{converter.NewRawValue(details)}
			}
			activity.RecordHeartbeat(alive, last...)
		}
		if notified && last != nil {
			flush(alive, last)
		}
	}()
	return h
}

// flushTimeout bounds the one call that the end of an attempt may have to wait for.
const flushTimeout = 5 * time.Second

// flush sends details that the SDK may hold back: it throttles, and when the attempt ends it sends
// what waits with a context that the attempt's end has cancelled. The next attempt shall find them.
func flush(ctx context.Context, details []any) {
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	// What the answer says, the attempt knows: it has ended.
	_ = activity.GetClient(ctx).RecordActivityHeartbeat(ctx, activity.GetInfo(ctx).TaskToken, details...)
}

// record replaces what waits. One goroutine alone calls it.
func (h *heartbeats) record(details *commonpb.Payload) {
	select {
	case <-h.latest:
	default:
	}
	h.latest <- details
}

// close hands over what waits, so that the next attempt finds the last details. It works on nil.
func (h *heartbeats) close() {
	if h == nil {
		return
	}
	close(h.latest)
	<-h.done
}
