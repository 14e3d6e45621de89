package cdc_test

import (
	"slices"
	"testing"
	"time"

	"workflow-worker/cdc"
	"workflow-worker/docker/stack/stacktest"
)

// hearer is a handler that only passes on what it was told, and when.
type hearer struct {
	*recorder
	heard chan hint
}

type hint struct {
	project string
	at      time.Time
}

func (h hearer) LookAt(id string, _ cdc.Commit) { h.heard <- hint{id, time.Now()} }

// BenchmarkCommitToHint edits a row's code in place, as the UI does, and measures
// from the return of the commit to the hint with the row's project. The hint may be
// there first: then the figure is negative.
func BenchmarkCommitToHint(b *testing.B) {
	url := stacktest.MigratedDatabase(b)
	db := open(b, url)
	project := db.project()
	code := db.code(db.workflow(project))
	h := hearer{newRecorder(), make(chan hint, 1000)}
	c := config(b, url, h.recorder)
	c.Handler = h
	run(b, c)
	h.await(b, "streaming", h.is("streaming"))
	h.await(b, "a look at all", h.lookedAtAll("connected"))

	took := make([]time.Duration, 0, b.N)
	for b.Loop() {
		db.exec(`UPDATE workflow_compiled_code SET workflow_code = repeat(md5(random()::text), 2000) WHERE id = $1`, code)
		committed := time.Now()
		got := <-h.heard
		if got.project != project {
			b.Fatalf("hint for %s", got.project)
		}
		took = append(took, got.at.Sub(committed))
	}
	slices.Sort(took)
	microseconds := func(q float64) float64 {
		return float64(took[int(q*float64(len(took)-1))].Microseconds())
	}
	b.ReportMetric(microseconds(0.50), "p50-µs")
	b.ReportMetric(microseconds(0.99), "p99-µs")
	b.ReportMetric(0, "ns/op") // includes the write
}
