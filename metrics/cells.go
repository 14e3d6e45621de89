package metrics

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// Families gives what Temporal's SDK, users' code and Go have measured here, in Prometheus' own
// messages: for a process that shows it together with its own, see Beside.
func (m *Metrics) Families() ([][]byte, error) {
	r := prometheus.NewRegistry()
	r.MustRegister(m.temporal, m.users, collectors.NewGoCollector())
	found, err := r.Gather()
	if err != nil {
		return nil, fmt.Errorf("gather what is measured: %w", err)
	}
	out := make([][]byte, 0, len(found))
	for _, f := range found {
		b, err := proto.Marshal(f)
		if err != nil {
			return nil, fmt.Errorf("gather what is measured: %w", err)
		}
		out = append(out, b)
	}
	return out, nil
}

// Beside has /metrics show what other processes measure, too: what ask gives of each, by its number,
// of Families, and what the system says of those that processes gives. Series of the same labels are
// one, their sum; but Go's and the process's own have a label cell. What ended processes counted of
// Temporal's SDK goes on counting: a sum that falls would look like a restart of all of them.
func (m *Metrics) Beside(ask func(context.Context) map[int][][]byte, processes func() map[int]int) {
	m.beside.mu.Lock()
	defer m.beside.mu.Unlock()
	m.beside.ask, m.beside.processes = ask, processes
}

// beside are other processes' metrics.
type beside struct {
	mu  sync.Mutex // guards the rest
	ask func(context.Context) map[int][][]byte
	// processes gives their ids.
	processes func() map[int]int
	latest    map[int]map[string]*dto.MetricFamily
	ended     map[string]*dto.MetricFamily // by name
}

// Gather implements prometheus.Gatherer.
func (m *Metrics) Gather() ([]*dto.MetricFamily, error) {
	own, err := m.registry.Gather()
	b := &m.beside
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ask == nil {
		return own, err
	}
	sum := map[string]*dto.MetricFamily{}
	for _, f := range own {
		sum[f.GetName()] = f
	}
	for number, raw := range b.ask(context.Background()) {
		now := map[string]*dto.MetricFamily{}
		for _, text := range raw {
			var f dto.MetricFamily
			switch err := proto.Unmarshal(text, &f); {
			case err != nil: // it was made by Families
			case strings.HasPrefix(f.GetName(), "go_"):
				addOwn(sum, &f, number)
			default:
				now[f.GetName()] = &f
			}
		}
		b.know(number, now)
	}
	for number, id := range b.processes() {
		for _, f := range processFamilies(id) {
			addOwn(sum, f, number)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(b.latest)) {
		add(sum, b.latest[n])
	}
	add(sum, b.ended)
	out := slices.SortedFunc(maps.Values(sum), func(x, y *dto.MetricFamily) int { return strings.Compare(x.GetName(), y.GetName()) })
	return out, err
}

// cellLabel says of what one process has for itself which it is.
const cellLabel = "cell"

// processFamilies is what the system says of a process; nothing of one that is gone.
func processFamilies(id int) []*dto.MetricFamily {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{PidFn: func() (int, error) { return id, nil }}))
	found, err := r.Gather()
	if err != nil {
		return nil
	}
	return found
}

// addOwn adds what another process has for itself. f is changed.
func addOwn(sum map[string]*dto.MetricFamily, f *dto.MetricFamily, number int) {
	was := sum[f.GetName()]
	if was == nil {
		was = &dto.MetricFamily{Name: f.Name, Help: f.Help, Type: f.Type}
		sum[f.GetName()] = was
	}
	for _, m := range f.GetMetric() {
		own := &dto.LabelPair{Name: proto.String(cellLabel), Value: proto.String(strconv.Itoa(number))}
		at, _ := slices.BinarySearchFunc(m.GetLabel(), cellLabel, func(l *dto.LabelPair, name string) int { return strings.Compare(l.GetName(), name) })
		m.Label = slices.Insert(m.Label, at, own)
		was.Metric = append(was.Metric, m)
	}
}

// Ended notes that another process is no more. It is called before the next of its number begins.
func (m *Metrics) Ended(number int) {
	b := &m.beside
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended == nil {
		b.ended = map[string]*dto.MetricFamily{}
	}
	add(b.ended, lasting(b.latest[number]))
	delete(b.latest, number)
}

// know takes over what a process measures now.
func (b *beside) know(number int, now map[string]*dto.MetricFamily) {
	if b.latest == nil {
		b.latest = map[int]map[string]*dto.MetricFamily{}
	}
	b.latest[number] = now
}

// lasting is what counts beyond its process's end: not gauges, and no project's own metrics, which
// go with its worker.
func lasting(families map[string]*dto.MetricFamily) map[string]*dto.MetricFamily {
	out := map[string]*dto.MetricFamily{}
	for name, f := range families {
		ours := slices.ContainsFunc(f.GetMetric(), func(m *dto.Metric) bool { return label(m, projectLabel) != "" })
		if t := f.GetType(); !ours && (t == dto.MetricType_COUNTER || t == dto.MetricType_HISTOGRAM) {
			out[name] = f
		}
	}
	return out
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// add adds more to sum, and leaves more as it is. Families of one name and different types stay as
// they are first.
func add(sum, more map[string]*dto.MetricFamily) {
	for name, f := range more {
		was := sum[name]
		if was == nil {
			was = &dto.MetricFamily{Name: proto.String(name), Help: f.Help, Type: f.Type}
			sum[name] = was
		}
		if was.GetType() != f.GetType() {
			continue
		}
		at := map[string]int{}
		for i, m := range was.Metric {
			at[seriesKey(m)] = i
		}
		for _, m := range f.Metric {
			key := seriesKey(m)
			i, known := at[key]
			if !known {
				at[key] = len(was.Metric)
				was.Metric = append(was.Metric, proto.CloneOf(m))
				continue
			}
			addTo(was.Metric[i], m)
		}
	}
}

func seriesKey(m *dto.Metric) string {
	labels := slices.Clone(m.GetLabel())
	slices.SortFunc(labels, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
	var key strings.Builder
	for _, l := range labels {
		key.WriteString(strconv.Quote(l.GetName()) + strconv.Quote(l.GetValue()))
	}
	return key.String()
}

func addTo(sum, m *dto.Metric) {
	switch {
	case m.Counter != nil && sum.Counter != nil:
		sum.Counter = &dto.Counter{Value: proto.Float64(sum.Counter.GetValue() + m.Counter.GetValue())}
	case m.Gauge != nil && sum.Gauge != nil:
		sum.Gauge = &dto.Gauge{Value: proto.Float64(sum.Gauge.GetValue() + m.Gauge.GetValue())}
	case m.Histogram != nil && sum.Histogram != nil && len(m.Histogram.Bucket) == len(sum.Histogram.Bucket):
		h := &dto.Histogram{
			SampleCount: proto.Uint64(sum.Histogram.GetSampleCount() + m.Histogram.GetSampleCount()),
			SampleSum:   proto.Float64(sum.Histogram.GetSampleSum() + m.Histogram.GetSampleSum()),
		}
		for i, b := range sum.Histogram.Bucket {
			h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: b.UpperBound, CumulativeCount: proto.Uint64(b.GetCumulativeCount() + m.Histogram.Bucket[i].GetCumulativeCount())})
		}
		sum.Histogram = h
	}
}
