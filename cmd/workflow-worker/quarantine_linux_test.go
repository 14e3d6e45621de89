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
