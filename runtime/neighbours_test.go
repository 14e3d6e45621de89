package runtime

import (
	"errors"
	goruntime "runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"

	"workflow-worker/docker/stack/stacktest"
)

// Executions of one project that compute without end take turns: beside them a small workflow of
// another project finds a core.
func TestEndlessExecutionsLeaveTheirNeighboursACore(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.row("bad", "1", "", `export async function spins(): Promise<void> { for (;;); }`)
	neighbour := Project{ID: uuid.NewString(), Name: "neighbour", TaskQueue: stacktest.TaskQueue(t), Workflows: []Workflow{
		{ID: "good", KebabName: "good", Version: "1", Code: `export async function good(): Promise<string> { return 'served'; }`}}}

	cores := goruntime.GOMAXPROCS(0)
	executions := 2*cores + 4
	var mu sync.Mutex // guards what follows
	inside, most, entries := 0, 0, 0
	r := b.replicaWith(func(c *Config) {
		c.WorkflowTaskTimeout = 300 * time.Millisecond
		c.MaxConcurrentWorkflowTasks = executions
		c.Entered = func(e Entry) func() {
			if e.ProjectID != b.project.ID || e.RunID == "" {
				return func() {}
			}
			mu.Lock()
			defer mu.Unlock()
			inside, entries = inside+1, entries+1
			most = max(most, inside)
			return func() {
				mu.Lock()
				defer mu.Unlock()
				inside--
			}
		}
	})
	r.look()
	if _, err := r.runner.Start(t.Context(), neighbour); err != nil {
		t.Fatal(err)
	}
	good := func() {
		t.Helper()
		run, err := b.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
			ID: uuid.NewString(), TaskQueue: neighbour.TaskQueue, WorkflowExecutionTimeout: 2 * time.Minute}, "good")
		if err != nil {
			t.Fatal(err)
		}
		if got := b.result(run); got != "served" {
			t.Errorf("the neighbour says %q", got)
		}
		b.noFailedTasks(run)
	}
	good()
	for range executions {
		b.start("spins")
	}
	b.until("most of them were cut off", func() error {
		good()
		mu.Lock()
		defer mu.Unlock()
		if entries < executions {
			return errors.New("not yet")
		}
		return nil
	})
	mu.Lock()
	defer mu.Unlock()
	// Of those that wait for long one more may compute.
	if most > max(1, cores-1)+1 {
		t.Errorf("%d computed at once, on %d cores", most, cores)
	}
}
