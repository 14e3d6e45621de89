package workflow

import (
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/workflow"
)

type startTimer struct {
	seq     int64
	after   time.Duration
	summary string
}

func readStartTimer(_ *vm, f fields, meta metadata) (command, error) {
	return startTimer{f.integer("seq"), f.duration("startToFireTimeout"), meta.summary}, nil
}

func (c startTimer) accept(d *definition) error { d.put(c); return nil }

func (c startTimer) send(d *definition) error {
	// The SDK calls back at once, and records nothing, for a timer of no duration.
	after := max(c.after, time.Millisecond)
	id := d.env.NewTimer(after, workflow.TimerOptions{Summary: c.summary}, func(_ *commonpb.Payloads, err error) {
		if err == nil {
			delete(d.timers, c.seq)
			d.push(fireTimerJob{c.seq})
		}
	})
	if id != nil {
		d.timers[c.seq] = *id
	}
	return nil
}

// cancelTimer needs no answer: the package has rejected the promise already.
type cancelTimer struct{ seq int64 }

func readCancelTimer(_ *vm, f fields, _ metadata) (command, error) {
	return cancelTimer{f.integer("seq")}, nil
}

func (c cancelTimer) accept(d *definition) error {
	if !take(d, func(s startTimer) bool { return s.seq == c.seq }) {
		d.put(c)
	}
	return nil
}

func (c cancelTimer) send(d *definition) error {
	if id, ok := d.timers[c.seq]; ok {
		delete(d.timers, c.seq)
		d.env.RequestCancelTimer(id)
	}
	return nil
}
