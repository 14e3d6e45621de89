package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"

	"workflow-worker/docker/stack/stacktest"
)

// cellBeside is the one cell that isn't among those.
func (s *service) cellBeside(others ...int) (pid int) {
	s.t.Helper()
	eventually(s.t, "there is another cell", func() error {
		pids := slices.DeleteFunc(s.cells(), func(pid int) bool { return slices.Contains(others, pid) })
		if len(pids) != 1 {
			return fmt.Errorf("beside %v there are %v", others, pids)
		}
		pid = pids[0]
		return nil
	})
	return pid
}

// Who was in JavaScript when cells died is set apart, and waits when it ends its own cell, too. Here
// the code only computes, and it is the test that ends the cells meanwhile.
func TestAProjectWhoseCodeEndsCellsEndsNobodyElsesWork(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "CELLS=1", "ACTIVITY_CPU_TIMEOUT=9s")
	b := newBuilder(t, db)
	bad, neighbour := b.project(), b.project()
	neighbour.workflow("flow", flow("flow", "v1", `return 'v1';`))
	bad.component("computes", `export async function computes() { console.log('computing'); for (const end = Date.now() + 8000; Date.now() < end;); }`)
	const code = `
import { proxyActivities } from '@temporalio/workflow';
const { computes } = proxyActivities<any>({ startToCloseTimeout: '5s', retry: { initialInterval: '100ms', backoffCoefficient: 1 } });
export async function busy() { await computes(); }
export async function quick() { return 'done'; }
`
	w := bad.workflow("busy", code)
	bad.running(nil)
	neighbour.running(nil)
	busy := bad.start("busy")
	computing := func(n int) {
		t.Helper()
		eventually(t, fmt.Sprintf("it computes for the %d. time", n), func() error {
			if got := strings.Count(s.output(), "msg=computing"); got < n {
				return fmt.Errorf("it did %d times", got)
			}
			return nil
		})
	}
	kill := func(pid int) {
		t.Helper()
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	shared := s.cell()
	computing(1)
	kill(shared)
	shared = s.cellBeside(shared)
	computing(2)
	kill(shared)

	t.Log("it has a cell of its own")
	alone := regexp.MustCompile(`in a cell of its own.* project_id=` + bad.id + ` .*process_id=(\d+)`)
	var own int
	eventually(t, "the log says so", func() error {
		found := alone.FindStringSubmatch(s.output())
		if found == nil {
			return errors.New("it doesn't")
		}
		own = number(t, found[1])
		return nil
	})
	shared = s.cellBeside(own)
	computing(3)
	waiting := neighbour.start("flow")
	kill(own)

	t.Log("the execution is held back, and the project's row says why")
	eventually(t, "the row tells", func() error {
		row, err := bad.worker()
		if err != nil {
			return err
		}
		list := row.Metadata.Quarantined
		if row.Status != "running" || len(list) != 1 || list[0].WorkflowID != busy.GetID() || list[0].File != "computes.ts" || list[0].Deaths != 1 ||
			!strings.Contains(list[0].Cause, "signal: killed") || !strings.HasPrefix(row.Metadata.Error, "quarantined: execution "+busy.GetID()) {
			return fmt.Errorf("%s: %s: %+v", row.Status, row.Metadata.Error, list)
		}
		return nil
	})
	if got := s.metric("workflow_worker_executions_quarantined"); got != 1 {
		t.Errorf("%v executions are in quarantine", got)
	}
	quick := bad.start("quick")
	if got := result[string](bad, quick); got != "done" {
		t.Errorf("the project's other execution ended with %q", got)
	}
	eventually(t, "the attempt is put off", func() error {
		d, err := bad.temporal.DescribeWorkflowExecution(t.Context(), busy.GetID(), "")
		if err != nil {
			return err
		}
		for _, a := range d.GetPendingActivities() {
			if strings.Contains(a.GetLastFailure().GetMessage(), "quarantined: the execution ended") && a.GetState() == enumspb.PENDING_ACTIVITY_STATE_SCHEDULED {
				return nil
			}
		}
		return fmt.Errorf("pending is %v", d.GetPendingActivities())
	})
	if n := strings.Count(s.output(), "msg=computing"); n != 3 {
		t.Errorf("it computed %d times", n)
	}
	if !regexp.MustCompile(`under way when a cell died.* project_id=` + bad.id + ` .*file=computes.ts`).MatchString(s.output()) {
		t.Error("the log doesn't name the project")
	}
	neighbour.goOn(waiting.GetID())
	if got := result[string](neighbour, waiting); got != "v1" {
		t.Errorf("the neighbour's execution ended with %q", got)
	}
	if died := neighbour.events("cell_died"); len(died) != 2 {
		t.Errorf("the neighbour's cell died %d times, with the other's own: %q", len(died), died)
	}

	t.Log("other code runs")
	bad.exec(`UPDATE components SET implementation_code = 'export async function computes() {}' WHERE project_id = $1`, bad.id)
	w.exec(`UPDATE workflow_compiled_code SET version = '2', workflow_code = $2 WHERE id = $1`, w.codeID, code+"// changed")
	bad.running(liveVersion("busy", "2"))
	eventually(t, "it is back among the others", func() error {
		if pids := s.cells(); !slices.Equal(pids, []int{shared}) {
			return fmt.Errorf("the cells are %v, the others' was %d", pids, shared)
		}
		return nil
	})
	result[any](bad, busy) // once its pause is over
}

// heldBy waits until a replica's row of the project says that it is in quarantine.
func (p *project) heldBy(replica string) {
	p.t.Helper()
	eventually(p.t, "replica "+replica+" holds it back", func() error {
		var status, text string
		err := p.db.QueryRow(p.t.Context(), `SELECT status, coalesce(metadata->>'error', '') FROM workflow_workers WHERE project_id = $1 AND metadata->>'replica' = $2`, p.id, replica).Scan(&status, &text)
		if err == nil && (status != "failed" || !strings.Contains(text, "quarantined: its code ended the process that it ran in 3 times")) {
			err = fmt.Errorf("%s: %s", status, text)
		}
		return err
	})
}

func TestQuarantineIsKnownAfterARestartAndToOtherReplicas(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	first := startService(t, db, "CELLS=1", "REPLICA_NAME=first", "ACTIVITY_CPU_TIMEOUT=9s")
	p := newBuilder(t, db).project()
	p.component("computes", `export async function computes() { console.log('computing'); for (const end = Date.now() + 8000; Date.now() < end;); }`)
	p.workflow("busy", `
import { proxyActivities } from '@temporalio/workflow';
const { computes } = proxyActivities<any>({ startToCloseTimeout: '20s', retry: { initialInterval: '100ms', backoffCoefficient: 1 } });
export async function busy() { await computes(); }
`)
	p.running(nil)
	p.start("busy")
	var shared int
	for n := range 2 {
		eventually(t, fmt.Sprintf("it computes for the %d. time", n+1), func() error {
			if got := strings.Count(first.output(), "msg=computing"); got <= n {
				return fmt.Errorf("it did %d times", got)
			}
			return nil
		})
		pid := first.cellBeside(shared)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		shared = pid
	}
	// Its own cell ends while no execution is there: nobody can say which it was.
	own := first.cellBeside(first.cellOfAll())
	if err := syscall.Kill(own, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p.heldBy("first")

	t.Log("another replica doesn't try it")
	second := startService(t, db, "CELLS=1", "REPLICA_NAME=second")
	p.heldBy("second")

	t.Log("nor does this one after a restart, which its cells don't outlive")
	cells := first.cells()
	if first.signal(syscall.SIGKILL); len(cells) == 0 {
		t.Error("there were no cells")
	}
	<-first.Done()
	eventually(t, "its cells are gone", func() error {
		for _, pid := range cells {
			if syscall.Kill(pid, 0) == nil {
				return fmt.Errorf("cell %d lives", pid)
			}
		}
		return nil
	})
	p.exec(`DELETE FROM workflow_workers WHERE project_id = $1`, p.id)
	again := startService(t, db, "CELLS=1", "REPLICA_NAME=first")
	p.heldBy("first")
	for _, s := range []*service{second, again} {
		if strings.Contains(s.output(), "msg=computing") || len(s.cells()) != 1 {
			t.Errorf("it was tried there: the cells are %v", s.cells())
		}
	}

	t.Log("an operator forgives it")
	p.exec(`DELETE FROM workflow_quarantine WHERE project_id = $1`, p.id)
	p.running(nil)
}

// cellOfAll is the cell that the log doesn't say is for one project.
func (s *service) cellOfAll() (pid int) {
	s.t.Helper()
	alone := regexp.MustCompile(`in a cell of its own.* process_id=(\d+)`)
	eventually(s.t, "a project has a cell of its own", func() error {
		found := alone.FindStringSubmatch(s.output())
		if found == nil {
			return errors.New("the log doesn't say so")
		}
		pid = s.cellBeside(number(s.t, found[1]))
		return nil
	})
	return pid
}

func TestAProjectThatEndedProcessesElsewhereIsSetApartWhereItRuns(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	services := []*service{startService(t, db, "CELLS=1", "REPLICA_NAME=a", "ACTIVITY_CPU_TIMEOUT=9s"), startService(t, db, "CELLS=1", "REPLICA_NAME=b", "ACTIVITY_CPU_TIMEOUT=9s")}
	p := newBuilder(t, db).project()
	p.component("computes", `export async function computes() { console.log('computing'); for (const end = Date.now() + 8000; Date.now() < end;); }`)
	p.workflow("busy", `
import { proxyActivities } from '@temporalio/workflow';
const { computes } = proxyActivities<any>({ startToCloseTimeout: '9s', retry: { maximumAttempts: 1 } });
export async function busy() { await computes(); }
`)
	both := func() {
		t.Helper()
		eventually(t, "both replicas run it", func() error {
			if n := len(p.ids(`SELECT worker_id FROM workflow_workers WHERE project_id = $1 AND status = 'running'`, p.id)); n != 2 {
				return fmt.Errorf("%d do", n)
			}
			return nil
		})
	}
	both()
	p.start("busy")
	killed := false
	eventually(t, "one of them computes", func() error {
		for _, s := range services {
			if strings.Contains(s.output(), "msg=computing") && !killed {
				killed = true
				return syscall.Kill(s.cell(), syscall.SIGKILL)
			}
		}
		if !killed {
			return errors.New("none does")
		}
		return nil
	})
	eventually(t, "it is noted", func() error {
		if n := len(p.ids(`SELECT project_id::text FROM workflow_quarantine WHERE project_id = $1 AND deaths = 1 AND code <> ''`, p.id)); n != 1 {
			return errors.New("it isn't")
		}
		return nil
	})
	// As if another replica's had died, too.
	p.exec(`UPDATE workflow_quarantine SET deaths = 2 WHERE project_id = $1`, p.id)
	for _, s := range services {
		s.cellOfAll()
	}
	both()
}
