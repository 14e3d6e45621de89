package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// stateCollector shows at each scrape what has no event of its own: how long the
// stream has been silent, and what the probes saw last.
type stateCollector struct {
	metrics    *Metrics
	streamMode *prometheus.Desc
	polling    *prometheus.Desc
	silence    *prometheus.Desc
	dependency *prometheus.Desc
	trouble    *prometheus.Desc
}

func newStateCollector(m *Metrics) *stateCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
	}
	return &stateCollector{
		metrics:    m,
		streamMode: desc("stream_mode", "1 for the mode the change stream is in, 0 for the others.", "mode"),
		polling: desc("stream_polling",
			"1 while changes are found by polling instead of streaming, with the reason's name; absent otherwise.", "reason"),
		silence: desc("stream_silence_seconds",
			"Seconds since the last byte from the change stream; absent while nothing was ever received."),
		dependency: desc("dependency_up", "1 if the last probe of the dependency succeeded.", "dependency"),
		trouble:    desc("trouble", "1 while the service can't do something that it does all the time, by its id; absent otherwise.", "id"),
	}
}

// Describe implements prometheus.Collector.
func (c *stateCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.streamMode
	out <- c.polling
	out <- c.silence
	out <- c.dependency
	out <- c.trouble
}

// Collect implements prometheus.Collector.
func (c *stateCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	stream := c.metrics.stream.view()
	for _, mode := range []string{StreamConnecting, StreamStreaming, StreamPolling} {
		gauge(c.streamMode, one(stream.mode == mode), mode)
	}
	if stream.mode == StreamPolling {
		gauge(c.polling, 1, pollingReason(stream.reason))
	}
	if stream.heard {
		gauge(c.silence, stream.silence.Seconds())
	}
	gauge(c.dependency, one(c.metrics.dependencies.database.up()), "database")
	gauge(c.dependency, one(c.metrics.dependencies.temporal.up()), "temporal")
	for _, t := range c.metrics.troubles.view(c.metrics.options.Now()) { // few: the rooms have a list of them
		gauge(c.trouble, 1, t.id)
	}
}

// pollingReason is the name before the colon of what cdc says, one of the names it has.
func pollingReason(reason string) string {
	name, _, _ := strings.Cut(reason, ":")
	return oneOf([]string{
		"wal_level", "standby", "server_version", "no_right", "no_slot", "no_sender", "pooler", "publication",
		"open_transactions", "refused", "unavailable", "stalled", "ended", "unreadable",
	}, name)
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
