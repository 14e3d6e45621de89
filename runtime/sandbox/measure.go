package sandbox

import (
	"math"

	"github.com/dop251/goja"
)

// Measurement is a value that code gave Temporal's metricMeter.
type Measurement struct {
	// Kind is as the package calls it: counter, up-down-counter, gauge, histogram.
	Kind        string
	Name        string
	Description string // with the unit
	Value       float64
	Tags        map[string]string
}

// maxTags bounds what is looked at; metrics keep fewer.
const maxTags = 100

// ReadMeasurement reads it as it comes from JavaScript, where the author's code may have put
// anything. Whole numbers are what the value type int asks for, as the package documents it.
func ReadMeasurement(kind string, name, valueType, unit, description, value, tags goja.Value) Measurement {
	m := Measurement{Kind: kind, Name: optionalText(name), Description: optionalText(description), Value: value.ToFloat(), Tags: map[string]string{}}
	if optionalText(valueType) != "float" {
		m.Value = math.Trunc(m.Value)
	}
	if unit := optionalText(unit); unit != "" {
		m.Description += " (" + unit + ")"
	}
	if o, ok := tags.(*goja.Object); ok {
		for i, tag := range o.Keys() {
			if i == maxTags {
				break
			}
			m.Tags[tag] = optionalText(o.Get(tag))
		}
	}
	return m
}

// TagByDefault adds what the worker says of each value, unless the code said it.
func (m *Measurement) TagByDefault(name, value string) {
	if _, given := m.Tags[name]; !given {
		m.Tags[name] = value
	}
}

func optionalText(v goja.Value) string {
	if v == nil || goja.IsUndefined(v) || goja.IsNull(v) {
		return ""
	}
	return v.String()
}
