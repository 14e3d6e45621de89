package activity

import (
	"github.com/dop251/goja"
	"go.temporal.io/sdk/activity"

	"workflow-worker/runtime/sandbox"
)

// measure takes a value of metricMeter: kind, name, value type, unit, description, value, tags.
func (in *instance) measure(call goja.FunctionCall) goja.Value {
	if in.code.opts.Meter == nil {
		return goja.Undefined()
	}
	arg := call.Argument
	m := sandbox.ReadMeasurement(arg(0).String(), arg(1), arg(2), arg(3), arg(4), arg(5), arg(6))
	if activity.IsActivity(in.running) {
		i := activity.GetInfo(in.running)
		m.TagByDefault("namespace", i.Namespace)
		m.TagByDefault("taskQueue", i.TaskQueue)
		m.TagByDefault("activityType", i.ActivityType.Name)
	}
	if err := in.code.opts.Meter.Measure(m.Kind, m.Name, m.Description, m.Value, m.Tags); err != nil {
		in.code.unkept.Do(func() { in.log.warn(err.Error()) })
	}
	return goja.Undefined()
}
