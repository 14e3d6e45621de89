package workflow

import (
	"github.com/dop251/goja"

	"workflow-worker/runtime/sandbox"
)

// measure takes a value of metricMeter. The package calls it by the sink's functions, and not at
// all while it replays.
func (d *definition) measure(fn string, args []goja.Value) {
	if d.o.Meter == nil {
		return
	}
	kind, valueType := "counter", goja.Undefined()
	switch fn {
	case "recordMetricHistogramValue":
		kind = "histogram"
	case "setMetricGaugeValue":
		kind = "gauge"
	}
	if kind != "counter" && len(args) == 6 {
		valueType = args[1]
		args = append(args[:1:1], args[2:]...)
	}
	if len(args) != 5 {
		return // not the package's call
	}
	m := sandbox.ReadMeasurement(kind, args[0], valueType, args[1], args[2], args[3], args[4])
	i := d.env.WorkflowInfo()
	m.TagByDefault("namespace", i.Namespace)
	m.TagByDefault("taskQueue", i.TaskQueueName)
	if err := d.o.Meter.Measure(m.Kind, m.Name, m.Description, m.Value, m.Tags); err != nil {
		d.lost("metrics", err.Error())
	}
}
