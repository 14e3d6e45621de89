package metrics

import (
	"maps"
	"slices"
	"strings"
)

const kindHistogram = "histogram"

// TopProjectsSetting is the setting of [Options].TopProjects, for messages.
const TopProjectsSetting = "METRICS_TOP_PROJECTS"

// UserSeriesSetting is the setting of [Options].UserSeries, for messages.
const UserSeriesSetting = "USER_METRICS_MAX_SERIES"

// userPrefix begins every name that users' code has chosen, and none of ours, of
// Go's or of Temporal's: all are scraped together, and one name of two types
// would spoil the scrape.
const userPrefix = "user_"

const (
	longestName = 100
	longestText = 200
	mostLabels  = 20
)

// gaugeSuffixes are the ends of names that counters and histograms have.
var gaugeSuffixes = []string{"_total", "_histogram", "_bucket", "_sum", "_count", "_created", "_info"}

// userMetricName turns a name into the exposed one. Each kind has names of its
// own: what is a counter in one project may be a gauge in another, and neither
// may hide the other's.
func userMetricName(name, kind string) string {
	name = userPrefix + cleanName(name)
	switch kind {
	case kindCounter:
		return strings.TrimSuffix(name, "_total") + "_total"
	case kindHistogram:
		return strings.TrimSuffix(name, "_histogram") + "_histogram"
	}
	if slices.ContainsFunc(gaugeSuffixes, func(end string) bool { return strings.HasSuffix(name, end) }) {
		return name + "_gauge"
	}
	return name
}

// cleanName keeps what Prometheus allows in names of metrics and labels.
func cleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, bounded(name, longestName))
	if name == "" {
		return "_"
	}
	return name
}

// userLabels turns tags into labels. Of those that become one label the last by
// name counts, of too many the first.
func userLabels(tags map[string]string) map[string]string {
	labels := make(map[string]string, len(tags))
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		name := userLabelName(tag)
		if _, known := labels[name]; !known && len(labels) == mostLabels {
			continue
		}
		if value := validLabelValue(tags[tag]); value != "" { // Prometheus takes an empty one for none
			labels[name] = value
		}
	}
	return labels
}

// userLabelName keeps users' labels away from those that have a meaning here or
// in Prometheus.
func userLabelName(tag string) string {
	name := cleanName(tag)
	reserved := name == projectLabel || name == "le" || name == "quantile" || strings.HasPrefix(name, "__")
	if reserved || name[0] >= '0' && name[0] <= '9' {
		return "tag_" + name
	}
	return name
}

// bounded is a text that isn't longer, and UTF-8.
func bounded(text string, longest int) string {
	if len(text) > longest {
		text = text[:longest]
	}
	return strings.ToValidUTF8(text, "")
}
