package main

import (
	"errors"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"workflow-worker/docker/stack/stacktest"
)

// replayed tells whether an execution of the workflow "waits" was replayed since it began.
func (p *project) replayed(run client.WorkflowRun) bool {
	p.t.Helper()
	answer, err := p.temporal.QueryWorkflow(p.t.Context(), run.GetID(), run.GetRunID(), "replayed")
	if err != nil {
		p.t.Fatal(err)
	}
	var is bool
	if err := answer.Get(&is); err != nil {
		p.t.Fatal(err)
	}
	return is
}

// What code is cut off for takes its runtime with it. Who shares that is replayed elsewhere; who is
// kept apart, by the setting or by the project's own row, notices nothing.
func TestIsolationKeepsAProjectFromWhatItsNeighboursAreCutOffFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		setting string
		column  any
		apart   bool
	}{
		"shared":             {"shared", nil, false},
		"set for all":        {"project", nil, true},
		"set by the project": {"shared", "project", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := stacktest.MigratedDatabase(t)
			startService(t, db, "WORKFLOW_ISOLATION="+c.setting)
			b := newBuilder(t, db)
			victim, bad := b.project(), b.project()
			b.exec(`UPDATE projects SET isolation = $2 WHERE id = $1`, victim.id, c.column)
			victim.workflow("waits", `import { workflowInfo, condition, setHandler, defineQuery } from '@temporalio/workflow';
export async function waits() {
  const replayed = workflowInfo().unsafe.isReplaying;
  setHandler(defineQuery<boolean>('replayed'), () => replayed);
  await condition(() => false);
}`)
			bad.workflow("spins", `export async function spins() { for (;;); }`)
			victim.running(liveVersion("waits", "1"))
			bad.running(liveVersion("spins", "1"))

			// One in each of the runtimes that there may be, however many.
			var waiting []client.WorkflowRun
			for range 20 {
				run := victim.start("waits")
				victim.reaches(run, enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
				waiting = append(waiting, run)
			}
			for _, run := range waiting {
				if victim.replayed(run) {
					t.Fatal("it was replayed before anything happened")
				}
			}
			bad.reaches(bad.start("spins"), enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED)
			some := func() error {
				for _, run := range waiting {
					if victim.replayed(run) {
						return nil
					}
				}
				return errors.New("none was replayed")
			}
			if c.apart {
				if some() == nil {
					t.Error("a project that is kept apart was replayed")
				}
				return
			}
			eventually(t, "who shares the runtime is replayed", some)
		})
	}
}
