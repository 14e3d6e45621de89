package workflow

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// tally is a Meter that writes down what it is told.
type tally struct {
	mu    sync.Mutex // guards lines
	lines []string
	full  bool
}

func (m *tally) Measure(kind, name, description string, value float64, tags map[string]string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full {
		return errors.New("as many series as it may: " + name)
	}
	var shown []string
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		shown = append(shown, tag+"="+tags[tag])
	}
	m.lines = append(m.lines, fmt.Sprintf("%s %s %q %v %s", kind, name, description, value, strings.Join(shown, " ")))
	return nil
}

func (m *tally) told() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.lines)
}

// Each workflow task but the first replays in TestAllAgainWithoutTheCache.
func TestMetricsAreMeasuredOnceWhateverIsReplayed(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	m := &tally{}
	p.opts.Meter = m
	p.deploy(`
const created: any[] = [];
export async function run() {
  const meter = wf.metricMeter.withTags({ region: 'eu', n: 1, yes: true });
  const counter = meter.createCounter('orders', 'orders', 'How many');
  created.push(counter);
  setHandler(defineQuery('q'), () => { counter.add(1000); return 1; });
  counter.add(2);
  await sleep(1);
  counter.add(3, { region: 'us' });
  meter.createHistogram('took', 'float', 'ms').record(1.5);
  wf.metricMeter.createHistogram('size').record(7.9);
  await sleep(1);
  wf.metricMeter.createGauge('depth', 'float').withTags({ taskQueue: 'mine' }).set(0.5);
  const refused = [];
  for (const f of [() => counter.add(-1), () => (wf.metricMeter as any).createUpDownCounter('u')]) {
    try { f(); } catch (e: any) { refused.push(e.message); }
  }
  return refused;
}`)
	p.startWorker()
	run := p.start("run")
	if got := p.result(run); got != `["MetricCounter value must be non-negative (got -1)","createUpDownCounter is not supported by the underlying meter"]` {
		t.Error(got)
	}
	if err := p.replay(run, p.history(run)); err != nil {
		t.Error(err)
	}
	p.query(run, "q")
	own := "namespace=default"
	tags := "taskQueue=" + p.queue
	want := []string{
		`counter orders "How many (orders)" 2 n=1 ` + own + " region=eu " + tags + " workflowType=run yes=true",
		`counter orders "How many (orders)" 3 n=1 ` + own + " region=us " + tags + " workflowType=run yes=true",
		`histogram took " (ms)" 1.5 n=1 ` + own + " region=eu " + tags + " workflowType=run yes=true",
		`histogram size "" 7 ` + own + " " + tags + " workflowType=run",
		`gauge depth "" 0.5 ` + own + " taskQueue=mine workflowType=run",
	}
	if got := m.told(); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestMetricsThatAreNotKeptAreWarnedOfOnce(t *testing.T) {
	t.Parallel()
	p := unstarted(t)
	p.opts.Meter = &tally{full: true}
	p.deploy(`
export async function run() {
  for (let i = 0; i < 3; i++) {
    wf.metricMeter.createCounter('orders' + i).add(1);
    await sleep(1);
  }
}`)
	p.startWorker()
	p.result(p.start("run"))
	p.result(p.start("run"))
	lines := strings.Join(p.seen.logged(), "")
	if n := strings.Count(lines, "as many series as it may"); n != 1 || !strings.Contains(lines, `level=WARN msg="as many series as it may: orders0" project_id=p1 workflow=run`) {
		t.Errorf("%d times in\n%s", n, lines)
	}
}
