package workflow

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
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

// kindsOfRuntimes are those that executions live on. placed tells whether a project's executions did;
// made is how many runtimes were made for its code alone.
var kindsOfRuntimes = map[string]struct {
	projects      int
	shared, alone bool
	placed        func(p randomProject) bool
}{
	"shared by projects": {projects: 2, shared: true, placed: func(p randomProject) bool { return p.code.shared.pool.has(p.code) }},
	"pooled by a code":   {projects: 1, placed: func(p randomProject) bool { return p.made.Load() > 0 || p.code.own.kept() > 0 }},
	"an execution's own": {projects: 1, shared: true, alone: true, placed: func(p randomProject) bool { return int(p.made.Load()) >= len(p.runs) }},
}

// kept is how many runtimes a pool has: all executions may be on the one that looked the code over.
func (p *pool) kept() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.machines)
}

// has tells whether a code has executions in a pool's runtimes, or had them a moment ago.
func (p *pool) has(c *Code) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.machines, func(v *machine) bool { return v.homes[c] != nil })
}

// Random mixes of everything that waits, with signals, updates, queries and cancellations from
// outside, on each kind of runtimes: a replay from scratch must note the same things in the same
// order. TestAllAgainWithoutTheCache does it once more with a replay at each task.
func TestRandomProgramsReplayAsTheyRan(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	t.Parallel()
	seed, count := setting(t, randomSeed, rand.Uint64()), setting(t, randomCount, 6)
	t.Logf("%s=%d %s=%d runs these programs again", randomSeed, seed, randomCount, count)
	text, err := os.ReadFile("testdata/random/program.ts")
	if err != nil {
		t.Fatal(err)
	}
	for name, kind := range kindsOfRuntimes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s *Runtimes
			if kind.shared {
				s = NewRuntimes(RuntimesOptions{Shared: 2, Idle: time.Minute})
				t.Cleanup(s.Close)
			}
			var projects []randomProject
			for i := range kind.projects {
				p := unstarted(t)
				p.codes.Runtimes, p.opts.ProjectID = s, "p"+strconv.Itoa(i)
				r := randomProject{project: p, code: p.deploy(string(text)), r: rand.New(rand.NewPCG(seed, uint64(i))), made: new(atomic.Int64)} //nolint:gosec // small
				r.begin(int(count)/kind.projects, kind.alone)                                                                                    //nolint:gosec // small
				projects = append(projects, r)
			}
			var all sync.WaitGroup
			for _, p := range projects {
				p.finish(&all)
			}
			all.Wait()
			for _, p := range projects {
				switch {
				case kind.placed(p):
				case kind.shared && p.code.livesApart():
					t.Logf("the machine is so slow that %s was moved to runtimes of its own", p.opts.ProjectID)
				default:
					t.Errorf("the executions of %s didn't live on this kind of runtimes", p.opts.ProjectID)
				}
			}
		})
	}
}

// randomProject runs random programs.
type randomProject struct {
	*project

	code     *Code
	r        *rand.Rand
	made     *atomic.Int64
	programs []step
	runs     []client.WorkflowRun
}

// begin starts programs, and a worker when all are placed.
func (p *randomProject) begin(count int, alone bool) {
	for range count {
		main := (&programmer{r: p.r}).step(4)
		p.programs, p.runs = append(p.programs, main), append(p.runs, p.start("program", main))
	}
	if alone {
		for _, run := range p.runs {
			p.code.suspects.add(run.GetRunID())
		}
	}
	own := p.code.own.make
	p.code.own.make = func() *machine {
		p.made.Add(1)
		return own()
	}
	p.startWorker()
}

func (p *randomProject) finish(all *sync.WaitGroup) {
	for i, run := range p.runs {
		r := rand.New(rand.NewPCG(p.r.Uint64(), uint64(i))) //nolint:gosec // small
		all.Go(func() {
			p.disturb(run, r)
			program, _ := json.Marshal(p.programs[i]) //nolint:errchkjson // plain fields
			live, err := p.outcome(run)
			if err != nil {
				p.t.Errorf("program %d: %v, %s\n%s", i, err, p.taskFailures(run), program)
				return
			}
			if replayed := replayedResult(p.t, p.project, run); replayed != live {
				p.t.Errorf("program %d: %s\nran      %s\nreplayed %s", i, program, live, replayed)
			}
		})
	}
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
