package workflow

import (
	"math"
	"time"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/types/known/durationpb"
)

// duration reads {seconds, nanos}; what Go's Duration can't hold becomes its largest, 292 years.
func (f fields) duration(name string) time.Duration {
	d := f.object(name)
	seconds := d.number("seconds") // a Long converts itself
	if seconds > math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(seconds)*time.Second + time.Duration(d.number("nanos"))
}

func (f fields) durationProto(name string) *durationpb.Duration {
	if !f.has(name) {
		return nil
	}
	return durationpb.New(f.duration(name))
}

func (f fields) retryPolicy(r *goja.Runtime, name string) *commonpb.RetryPolicy {
	p := f.object(name)
	if p.o == nil {
		return nil
	}
	out := &commonpb.RetryPolicy{
		InitialInterval:    p.durationProto("initialInterval"),
		MaximumInterval:    p.durationProto("maximumInterval"),
		BackoffCoefficient: p.number("backoffCoefficient"),
		MaximumAttempts:    int32(min(p.integer("maximumAttempts"), math.MaxInt32)),
	}
	for _, t := range items(r, p.value("nonRetryableErrorTypes")) {
		out.NonRetryableErrorTypes = append(out.NonRetryableErrorTypes, t.String())
	}
	return out
}

func (f fields) priority(name string) *commonpb.Priority {
	p := f.object(name)
	if p.o == nil {
		return nil
	}
	return &commonpb.Priority{
		PriorityKey:    int32(p.integer("priorityKey")),
		FairnessKey:    p.text("fairnessKey"),
		FairnessWeight: float32(p.number("fairnessWeight")),
	}
}
