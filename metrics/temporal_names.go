package metrics

import (
	"strings"
)

// The kinds of the SDK's metrics.
const (
	kindCounter = "counter"
	kindGauge   = "gauge"
	kindTimer   = "timer"
)

const temporalPrefix = "temporal_"

// prometheusName turns an SDK name into the one that Temporal's documentation
// and dashboards use for the Go SDK: the prefix, and the unit or _total behind.
func prometheusName(name, kind string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		}
		return '_'
	}, name)
	if !strings.HasPrefix(name, temporalPrefix) {
		name = temporalPrefix + name
	}
	suffix := ""
	switch kind {
	case kindCounter:
		suffix = "_total"
	case kindTimer:
		suffix = "_seconds"
	}
	return strings.TrimSuffix(name, suffix) + suffix
}

// validLabelValue makes a tag's value one that Prometheus accepts and a person
// can read: an invalid one would make the scrape fail.
func validLabelValue(v string) string {
	const longest = 100
	v = strings.ToValidUTF8(v, "?")
	if len(v) > longest {
		v = strings.ToValidUTF8(v[:longest], "")
	}
	return v
}

// bucketsFor returns a timer's bucket bounds in seconds.
func bucketsFor(name string) []float64 {
	switch {
	case strings.Contains(name, "long_request_latency"):
		// A poll that finds nothing returns after a minute.
		return []float64{.01, .1, 1, 5, 10, 30, 60, 70}
	case strings.Contains(name, "endtoend_latency"):
		// From a moment to a week: a workflow may wait for people.
		return []float64{.01, .05, .1, .5, 1, 5, 10, 60, 600, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600}
	default:
		return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
	}
}

// helpFor returns the help text of an exposed name.
func helpFor(name string) string {
	switch name {
	case "temporal_num_pollers":
		return "Temporal Go SDK: pollers running now, over all projects."
	case "temporal_worker_task_slots_available":
		return "Temporal Go SDK: free task slots, over all projects."
	case "temporal_worker_task_slots_used":
		return "Temporal Go SDK: task slots in use, over all projects."
	case "temporal_sticky_cache_size":
		return "Temporal Go SDK: workflow executions cached in this process."
	}
	what := strings.TrimPrefix(name, temporalPrefix)
	what = strings.TrimSuffix(strings.TrimSuffix(what, "_total"), "_seconds")
	return "Temporal Go SDK: " + strings.ReplaceAll(what, "_", " ") + " (https://docs.temporal.io/references/sdk-metrics)."
}
