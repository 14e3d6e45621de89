package reconcile

import (
	"strings"
	"testing"
	"time"

	"workflow-worker/reconcile/rows"
	"workflow-worker/runtime"
)

func TestARecordsMetadata(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 21, 0, 3, 114e6, time.FixedZone("x", 3600))
	rec := newRecord("p", "replica-a")
	rec.phase = running
	rec.applied(runtime.Project{Components: []runtime.Component{{ID: "c", Name: "score", Shared: true}}}, nil, runtime.Report{Sources: []runtime.SourceReport{
		{Kind: "workflow", ID: "w", Name: "order", Version: "1", Hash: "h", Since: at, Types: []string{"order"}},
		{Kind: "workflow", ID: "x", Name: "new", Error: &runtime.SourceError{Version: "1", Message: strings.Repeat("é", rows.MaxText), Line: 3, Column: 7}},
		{Kind: "component", ID: "c", Name: "score", Hash: "i", Since: at, Types: []string{"score"}},
	}}, nil)
	m := rec.metadata("replica-a")
	if !strings.HasPrefix(m.Error, "workflow new: 3:7: éé") || len(m.Error) > rows.MaxText+10 {
		t.Errorf("error %.40q…, %d bytes", m.Error, len(m.Error))
	}
	if w := m.Workflows[0]; w.Since.Location() != time.UTC || !w.Since.Equal(at) || w.Error != nil {
		t.Errorf("workflow %+v", w)
	}
	if x := m.Workflows[1]; x.Since != nil || x.Hash != "" || len(x.Error.Message) > rows.MaxText+10 {
		t.Errorf("broken workflow %+v", x)
	}
	if !m.Components[0].Shared {
		t.Error("a shared component isn't marked")
	}
	rec.phase = absent
	if w := rec.metadata("replica-a").Workflows[0]; w.Version != "1" || w.Types == nil {
		t.Errorf("of a stopped worker: %+v; want what it ran last", w)
	}
	rec.failure = &failure{text: "Temporal is away"}
	if w := rec.metadata("replica-a").Workflows[0]; w.Version != "" || w.Hash != "" || w.Since != nil || w.Types != nil {
		t.Errorf("of a worker that doesn't start: %+v; want nothing that looks live", w)
	}
	rec.failure = &failure{text: "no NUL\x00 here"}
	text, err := rec.metadata("replica-a").Encode()
	if err != nil || strings.Contains(text, `\u0000`) || !strings.Contains(text, `"error":"no NUL`) {
		t.Errorf("%s, %v", text, err)
	}
}

func TestConfigNamesAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Workers: -1, HeartbeatInterval: -1, BackoffBase: time.Hour})
	for _, field := range []string{"Pool", "Runner", "Workers", "HeartbeatInterval", "BackoffBase"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("error doesn't name %s: %v", field, err)
		}
	}
}

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	c := Config{}.withDefaults()
	if c.RemovalGrace != 5*time.Second || c.HeartbeatInterval != 30*time.Second || c.RequestDeadline != 2*time.Minute || c.BackoffLimit != 30*time.Second {
		t.Errorf("defaults: %+v", c)
	}
	if c := (Config{RemovalGrace: -1, HeartbeatInterval: time.Second}).withDefaults(); c.RemovalGrace != 0 || c.RequestDeadline != 4*time.Second {
		t.Errorf("derived: %+v", c)
	}
	if !strings.HasPrefix(c.Replica, c.Host+"/") {
		t.Errorf("replica %q of host %q", c.Replica, c.Host)
	}
}
