package workflow

import (
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/workflow"

	"workflow-worker/runtime/workflow/protocol"
)

type startTimer protocol.StartTimer

func (c startTimer) accept(d *definition) error { d.put(c); return nil }

func (c startTimer) send(d *definition) error {
	// The SDK calls back at once, and records nothing, for a timer of no duration.
	after := max(c.After, time.Millisecond)
	id := d.env.NewTimer(after, workflow.TimerOptions{Summary: c.Summary}, c.Groups, func(_ *commonpb.Payloads, err error) {
		if err == nil {
			delete(d.timers, c.Seq)
			d.push(protocol.FireTimer{Seq: c.Seq})
		}
	})
	if id != nil {
		put(&d.timers, c.Seq, *id)
	}
	return nil
}

type cancelTimer protocol.CancelTimer

func (c cancelTimer) accept(d *definition) error {
	if !take(d, func(s startTimer) bool { return s.Seq == c.Seq }) {
		d.put(c)
	}
	return nil
}

func (c cancelTimer) send(d *definition) error {
	if id, ok := d.timers[c.Seq]; ok {
		delete(d.timers, c.Seq)
		d.env.RequestCancelTimer(id)
	}
	return nil
}
