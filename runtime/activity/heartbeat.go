package activity

import (
	"context"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
)

// heartbeats hands an execution's heartbeats to Go's SDK, whose call may wait for the server: JavaScript never does. Only the
// latest that wasn't handed over yet is kept.
type heartbeats struct {
	latest chan *commonpb.Payload // of one
	done   chan struct{}
}

// heartbeat is the SDK's heartbeat(details). Details without a payload end the activity, as upstream.
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
		for details := range h.latest {
			if ctx.Err() != nil {
				continue
			}
			if details == nil {
				activity.RecordHeartbeat(ctx)
			} else {
				activity.RecordHeartbeat(ctx, converter.NewRawValue(details))
			}
		}
	}()
	return h
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
