package protocol

import (
	"math"
	"time"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Fields reads a plain object's properties; a missing one is a zero value.
type Fields struct{ o *goja.Object }

// FieldsOf reads a value; what isn't an object has none.
func FieldsOf(value goja.Value) Fields { return Fields{Object(value)} }

// None says that there is no object.
func (f Fields) None() bool { return f.o == nil }

// Value gives a property, nil where it is undefined or null.
func (f Fields) Value(name string) goja.Value {
	if f.o == nil {
		return nil
	}
	if v := f.o.Get(name); v != nil && !goja.IsUndefined(v) && !goja.IsNull(v) {
		return v
	}
	return nil
}

// Has reports whether a property is neither undefined nor null.
func (f Fields) Has(name string) bool { return f.Value(name) != nil }

// Object gives the fields of an object that is a property.
func (f Fields) Object(name string) Fields { return Fields{Object(f.Value(name))} }

// Text gives a property as text.
func (f Fields) Text(name string) string {
	if v := f.Value(name); v != nil {
		return v.String()
	}
	return ""
}

// Integer gives a property as an integer.
func (f Fields) Integer(name string) int64 {
	if v := f.Value(name); v != nil {
		return v.ToInteger()
	}
	return 0
}

// Number gives a property as a number.
func (f Fields) Number(name string) float64 {
	if v := f.Value(name); v != nil {
		return v.ToFloat()
	}
	return 0
}

// Truth gives a property as a boolean.
func (f Fields) Truth(name string) bool {
	v := f.Value(name)
	return v != nil && v.ToBoolean()
}

// Duration reads {seconds, nanos}; what Go's Duration can't hold becomes its largest, 292 years.
func (f Fields) Duration(name string) time.Duration {
	d := f.Object(name)
	seconds := d.Number("seconds") // a Long converts itself
	if seconds > math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(seconds)*time.Second + time.Duration(d.Number("nanos"))
}

// DurationProto is nil where there is none.
func (f Fields) DurationProto(name string) *durationpb.Duration {
	if !f.Has(name) {
		return nil
	}
	return durationpb.New(f.Duration(name))
}

// RetryPolicy is nil where there is none.
func (f Fields) RetryPolicy(r *goja.Runtime, name string) *commonpb.RetryPolicy {
	p := f.Object(name)
	if p.o == nil {
		return nil
	}
	out := &commonpb.RetryPolicy{
		InitialInterval:    p.DurationProto("initialInterval"),
		MaximumInterval:    p.DurationProto("maximumInterval"),
		BackoffCoefficient: p.Number("backoffCoefficient"),
		MaximumAttempts:    int32(min(p.Integer("maximumAttempts"), math.MaxInt32)),
	}
	for _, t := range Items(r, p.Value("nonRetryableErrorTypes")) {
		out.NonRetryableErrorTypes = append(out.NonRetryableErrorTypes, t.String())
	}
	return out
}

// Priority is nil where there is none.
func (f Fields) Priority(name string) *commonpb.Priority {
	p := f.Object(name)
	if p.o == nil {
		return nil
	}
	return &commonpb.Priority{
		PriorityKey:    int32(p.Integer("priorityKey")),
		FairnessKey:    p.Text("fairnessKey"),
		FairnessWeight: float32(p.Number("fairnessWeight")),
	}
}
