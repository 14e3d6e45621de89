package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

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
`
	w := bad.workflow("busy", code)
	bad.running(nil)
	neighbour.running(nil)
	bad.start("busy")
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

	t.Log("it is held back, and its row says why")
	eventually(t, "the row tells", func() error {
		row, err := bad.worker()
		if err == nil && (row.Status != "failed" || !strings.Contains(row.Metadata.Error, "quarantined: computes.ts") || !strings.Contains(row.Metadata.Error, "signal: killed")) {
			err = fmt.Errorf("%s: %s", row.Status, row.Metadata.Error)
		}
		return err
	})
	if pids := s.cells(); !slices.Equal(pids, []int{shared}) {
		t.Errorf("the cells are %v, the others' was %d", pids, shared)
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
	if pids := s.cells(); !slices.Equal(pids, []int{shared}) {
		t.Errorf("the cells are %v, the others' was %d", pids, shared)
	}
}

// heldBy waits until a replica's row of the project says that it is in quarantine.
func (p *project) heldBy(replica string) {
	p.t.Helper()
	eventually(p.t, "replica "+replica+" holds it back", func() error {
		var status, text string
		err := p.db.QueryRow(p.t.Context(), `SELECT status, metadata->>'error' FROM workflow_workers WHERE project_id = $1 AND metadata->>'replica' = $2`, p.id, replica).Scan(&status, &text)
		if err == nil && (status != "failed" || !strings.Contains(text, "quarantined: computes.ts")) {
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
const { computes } = proxyActivities<any>({ startToCloseTimeout: '5s', retry: { initialInterval: '100ms', backoffCoefficient: 1 } });
export async function busy() { await computes(); }
`)
	p.running(nil)
	p.start("busy")
	var shared int
	for n := range 3 {
		eventually(t, fmt.Sprintf("it computes for the %d. time", n+1), func() error {
			if got := strings.Count(first.output(), "msg=computing"); got <= n {
				return fmt.Errorf("it did %d times", got)
			}
			return nil
		})
		if n == 2 {
			shared = first.cellOfAll()
		}
		pid := first.cellBeside(shared)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		shared = pid
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
