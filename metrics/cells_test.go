package metrics

import (
	"context"
	"os"
	"testing"

	dto "github.com/prometheus/client_model/go"
)

func TestWhatAnotherProcessHasForItselfSaysOfWhichItIs(t *testing.T) {
	t.Parallel()
	m, cell := New(Options{}), New(Options{})
	families, err := cell.Families()
	if err != nil {
		t.Fatal(err)
	}
	m.Beside(func(context.Context) map[int][][]byte { return map[int][][]byte{2: families} }, func() map[int]int { return map[int]int{2: os.Getpid()} })
	all, err := m.Gather()
	if err != nil {
		t.Fatal(err)
	}
	of := map[string][]string{}
	for _, f := range all {
		for _, x := range f.GetMetric() {
			of[f.GetName()] = append(of[f.GetName()], label(x, cellLabel))
		}
	}
	for _, name := range []string{"go_goroutines", "go_gc_duration_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total"} {
		if got := of[name]; len(got) != 2 || got[0] != "" || got[1] != "2" {
			t.Errorf("%s has the cells %q", name, got)
		}
	}
	if got := of["workflow_worker_build_info"]; len(got) != 1 {
		t.Errorf("there are %d builds", len(got))
	}
}

func TestALabelOfACellStandsInItsPlace(t *testing.T) {
	t.Parallel()
	name := func(s string) *string { return &s }
	f := &dto.MetricFamily{Name: name("go_info"), Metric: []*dto.Metric{{Label: []*dto.LabelPair{{Name: name("a"), Value: name("1")}, {Name: name("version"), Value: name("2")}}}}}
	sum := map[string]*dto.MetricFamily{}
	addOwn(sum, f, 3)
	if got := sum["go_info"].Metric[0].Label; len(got) != 3 || got[1].GetName() != cellLabel || got[1].GetValue() != "3" {
		t.Errorf("the labels are %v", got)
	}
}
