package workflow

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
)

// Both may be set: the seed of the programs of TestRandomProgramsReplayAsTheyRan, and how many
// there are.
const (
	randomSeed  = "WORKFLOW_TEST_SEED"
	randomCount = "WORKFLOW_TEST_PROGRAMS"
)

// step is one of testdata/random/program.ts.
type step struct {
	Op   string `json:"op"`
	ID   int    `json:"id"`
	Of   []step `json:"of,omitempty"`
	N    int    `json:"n"`
	Ms   int    `json:"ms,omitempty"`
	Kind string `json:"kind,omitempty"`
}

// programmer makes random programs.
type programmer struct {
	r    *rand.Rand
	made int
}

func (p *programmer) pick(of ...string) string { return of[p.r.IntN(len(of))] }

func (p *programmer) step(depth int) step {
	p.made++
	s := step{ID: p.made, N: p.r.IntN(8), Ms: 1 + p.r.IntN(40)}
	if depth == 0 || p.r.IntN(4) == 0 {
		s.Op = p.pick("echo", "echo", "double", "fail", "flaky", "hang", "local", "local", "sleep", "sleep", "timeout", "condition", "trigger",
			"signal", "patched", "random", "memo", "time", "micro", "thrown")
		if s.Op == "hang" {
			s.Kind = p.pick("TRY_CANCEL", "WAIT_CANCELLATION_COMPLETED", "ABANDON")
		}
		return s
	}
	s.Op = p.pick("seq", "all", "all", "race", "any", "scope", "within", "cancelled", "cancelled", "child")
	switch s.Op {
	case "scope":
		s.Kind = p.pick("cancellable", "nonCancellable")
	case "child":
		s.Kind = p.pick("TRY_CANCEL", "WAIT_CANCELLATION_COMPLETED", "ABANDON", "WAIT_CANCELLATION_REQUESTED")
	}
	for range 1 + p.r.IntN(3) {
		s.Of = append(s.Of, p.step(depth-1))
	}
	return s
}

func setting(t *testing.T, name string, standard uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return standard
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// Random mixes of everything that waits, with signals, updates, queries and cancellations from
// outside: a replay from scratch must note the same things in the same order.
// TestAllAgainWithoutTheCache does it once more with a replay at each task.
func TestRandomProgramsReplayAsTheyRan(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	t.Parallel()
	seed, count := setting(t, randomSeed, rand.Uint64()), setting(t, randomCount, 12)
	t.Logf("%s=%d %s=%d runs these programs again", randomSeed, seed, randomCount, count)
	text, err := os.ReadFile("testdata/random/program.ts")
	if err != nil {
		t.Fatal(err)
	}
	p := newProject(t, string(text))
	var all sync.WaitGroup
	for i := range count {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, i))
			main := (&programmer{r: r}).step(4)
			run := p.start("program", main)
			p.disturb(run, r)
			program, _ := json.Marshal(main) //nolint:errchkjson // plain fields
			live, err := p.outcome(run)
			if err != nil {
				t.Errorf("program %d: %v, %s\n%s", i, err, p.taskFailures(run), program)
				return
			}
			if replayed := replayedResult(t, p, run); replayed != live {
				t.Errorf("program %d: %s\nran      %s\nreplayed %s", i, program, live, replayed)
			}
		})
	}
	all.Wait()
}

// disturb sends what a program doesn't expect. It may be closed by then.
func (p *project) disturb(run client.WorkflowRun, r *rand.Rand) {
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	for range r.IntN(6) {
		n := r.IntN(8)
		switch r.IntN(8) {
		case 0, 1, 2:
			_ = p.c.SignalWorkflow(ctx, run.GetID(), run.GetRunID(), "add", n)
		case 3, 4:
			if h, err := p.c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
				WorkflowID: run.GetID(), RunID: run.GetRunID(), UpdateName: "grow", Args: []any{n}, WaitForStage: client.WorkflowUpdateStageAccepted,
			}); err == nil && n%3 == 0 {
				_ = h.Get(ctx, nil)
			}
		case 5, 6:
			_, _ = p.tryQuery(run, "notes")
		case 7:
			_ = p.c.CancelWorkflow(ctx, run.GetID(), run.GetRunID())
		}
	}
}
