package runtime

import (
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"workflow-worker/activities"
	"workflow-worker/docker/stack/stacktest/race"
)

// loadsCutOff counts texts whose evaluation was cut off.
type loadsCutOff struct{ atomic.Int64 }

func (n *loadsCutOff) JSInterrupted(where string) {
	if where == interruptedLoad {
		n.Add(1)
	}
}
func (*loadsCutOff) WorkflowTaskFailed(string) {}

// Not parallel, as all that measures the heap of the process.
func TestRowsThatHoardAreRefusedAndDoNoHarm(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	race.AtSpeed(t) // the blame is divided by the time that it takes
	const limit = 32 << 20
	var cut loadsCutOff
	b := newBench(t)
	r := b.replicaWith(func(c *Config) {
		c.MaxWorkflowMemory, c.MaxActivityMemory = limit, limit
		c.WorkflowTaskTimeout = 8 * time.Second
		c.Observer = &cut
	})
	b.row("good", "1", "", `export async function good() { return 'one'; }`)
	b.row("hoards", "1", "", "let s = 'x';\nfor (;;) s += s;\nexport async function hoards() {}")
	b.project.Components = []Component{{ID: "c", Name: "collects", Language: "typescript", Code: "const a: any[] = [];\nfor (;;) a.push({ a });\nexport function collects() {}"}}
	b.row("turns", "1", AutoUpgrade, turns("one", wait, none))
	report := r.look()
	isLive(t, report, "good", "1")
	one := isLive(t, report, "turns", "1")
	for name, setting := range map[string]string{"hoards": MaxWorkflowMemorySetting, "collects": activities.MaxMemorySetting} {
		e := source(t, report, name).Error
		if e == nil || e.Line != 2 || !strings.Contains(e.Message, setting) || !strings.Contains(e.Message, strconv.Itoa(limit)) || strings.Contains(e.Message, "\n") {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if n := cut.Load(); n != 2 {
		t.Errorf("%d texts were counted as cut off", n)
	}
	run := b.start("turns")
	b.on(run, one.Hash)
	b.signal(run, "turn")
	b.visible("turns", 1)

	// It hoards where running executions would go on with it.
	b.row("turns", "2", AutoUpgrade, turns("two", `let s = 'x'; for (;;) s += s;`, none))
	e := source(t, r.look(), "turns").Error
	if e == nil || !strings.Contains(e.Message, "would break 1 running executions (of 1 that were tried)") || !strings.Contains(e.Message, MaxWorkflowMemorySetting) {
		t.Errorf("the gate: %+v", e)
	}
	b.signal(run, "turn")
	var result string
	if err := run.Get(t.Context(), &result); err != nil || result != "one" {
		t.Errorf("the execution ended with %q, %v", result, err)
	}
}
