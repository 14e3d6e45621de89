package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"workflow-worker/docker/stack/stacktest"
)

// cells gives the processes of the service's cells.
func (s *service) cells() (pids []int) {
	s.t.Helper()
	for _, pid := range children(s.t, s.PID()) {
		command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && bytes.HasSuffix(command, []byte("\x00"+cellCommand+"\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// children gives the processes that a process has started.
func children(t testing.TB, parent int) (pids []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // it ended
		}
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if ppid, err := strconv.Atoi(fields[1]); err == nil && ppid == parent {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// cell is the only one.
func (s *service) cell() int {
	s.t.Helper()
	var pid int
	eventually(s.t, "there is a cell", func() error {
		pids := s.cells()
		if len(pids) != 1 {
			return fmt.Errorf("the cells are %v", pids)
		}
		pid = pids[0]
		return nil
	})
	return pid
}

// events are the messages of one kind of a project, newest last.
func (p *project) events(kind string) []string {
	p.t.Helper()
	return p.ids(`SELECT message FROM worker_events WHERE project_id = $1 AND kind = $2 ORDER BY id`, p.id, kind)
}

func TestAProjectRunsInACellAndIsBackWhenThatDies(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "CELLS=1")
	b := newBuilder(t, db)
	p := b.project()
	w := p.workflow("flow", flow("flow", "v1", `await sleep(1); return 'v1';`))
	p.running(liveVersion("flow", "1"))
	waiting := p.start("flow")
	p.version(waiting.GetID(), "", "v1")

	p.exec(`UPDATE workflow_compiled_code SET version = '2', workflow_code = $2 WHERE id = $1`, w.codeID, flow("flow", "v2", `return 'v2';`))
	p.running(liveVersion("flow", "2"))
	fresh := p.start("flow")
	p.goOn(fresh.GetID())
	if got := result[string](p, fresh); got != "v2" {
		t.Errorf("after the edit an execution runs %q", got)
	}

	first := s.cell()
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	died := time.Now()
	s.cellBeside(first)
	eventually(t, "the project runs in another", func() error {
		if got := s.metric(`workflow_worker_projects{status="running"}`); got != 1 {
			return fmt.Errorf("%v projects run", got)
		}
		if n := strings.Count(s.output(), "msg=\"code is live\""); n < 3 {
			return fmt.Errorf("it went live %d times", n)
		}
		return nil
	})
	t.Logf("its project was back after %v", time.Since(died))
	p.goOn(waiting.GetID()) // which needs the text that was live before
	if got := result[string](p, waiting); got != "v1" {
		t.Errorf("the execution ended with %q", got)
	}
	t.Logf("an execution that was cached went on %v after its cell died", time.Since(died))
	for _, e := range p.history(waiting) {
		if x := e.GetWorkflowTaskTimedOutEventAttributes(); x != nil {
			t.Errorf("its task waited for a process that is no more: %v", x)
		}
	}
	if second := s.cell(); second == first {
		t.Errorf("cell %d is still there", second)
	}
	p.unfailed(waiting)
	p.running(liveVersion("flow", "2"))
	eventually(t, "the event is written", func() error {
		if said := p.events("cell_died"); len(said) != 1 || !strings.Contains(said[0], "signal: killed") {
			return fmt.Errorf("the events are %q", said)
		}
		return nil
	})
	for _, name := range []string{`process_resident_memory_bytes{cell="1"}`, `go_goroutines{cell="1"}`} {
		if s.metric(name) == 0 {
			t.Errorf("%s isn't measured", name)
		}
	}
	if code := s.stop(syscall.SIGTERM); code != exitDone {
		t.Errorf("exit code %d", code)
	}
}

func TestACellThatHangsIsEndedAndComesBack(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "CELLS=1")
	p := newBuilder(t, db).project()
	p.workflow("flow", flow("flow", "v1", `return 'v1';`))
	p.running(nil)
	first := s.cell()
	if err := syscall.Kill(first, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another cell runs", func() error {
		if pids := s.cells(); len(pids) != 1 || pids[0] == first {
			return fmt.Errorf("the cells are %v", pids)
		}
		return nil
	})
	eventually(t, "the event is written", func() error {
		if said := p.events("cell_died"); len(said) != 1 || !strings.Contains(said[0], "it gave no answer for") {
			return fmt.Errorf("the events are %q", said)
		}
		return nil
	})
	p.running(nil)
	x := p.start("flow")
	p.goOn(x.GetID())
	if got := result[string](p, x); got != "v1" {
		t.Errorf("afterwards an execution ended with %q", got)
	}
}

func TestACellHasNothingThatItDoesNotNeed(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	const secret, allowed = "a-secret-of-the-service", "what-activities-may-see"
	s := startService(t, db, "CELLS=1", "PGPASSWORD="+secret, "SOMETHING_ELSE="+secret, "FOR_ACTIVITIES="+allowed, "ACTIVITY_ENV_ALLOW=FOR_ACTIVITIES")
	p := newBuilder(t, db).project()
	p.component("seen", `export async function seen() { return [process.env.FOR_ACTIVITIES, process.env.PGPASSWORD, process.env.DATABASE_URL]; }`)
	p.workflow("flow", `
import { proxyActivities } from '@temporalio/workflow';
const { seen } = proxyActivities<any>({ startToCloseTimeout: '10s' });
export async function flow() { return (await seen()).map((x: any) => String(x)).join(); }`)
	p.running(nil)
	if got, want := run[string](p, "flow"), allowed+",null,null"; got != want {
		t.Errorf("an activity sees %s, want %s", got, want)
	}
	cell := s.cell()
	for _, pid := range append(children(t, cell), cell) {
		env := procFile(t, pid, "environ")
		for _, hidden := range []string{secret, "DATABASE_URL", "PGPASSWORD", db, "TEMPORAL_"} {
			if strings.Contains(env, hidden) {
				t.Errorf("the environment of %d has %s: %q", pid, hidden, env)
			}
		}
		if status := procFile(t, pid, "status"); !strings.Contains(status, "NoNewPrivs:\t1") {
			t.Errorf("process %d may gain privileges:\n%s", pid, status)
		}
		if own, parents := procFile(t, pid, "oom_score_adj"), procFile(t, s.PID(), "oom_score_adj"); number(t, own) <= number(t, parents) {
			t.Errorf("process %d is at %s for the kernel, the service at %s", pid, own, parents)
		}
	}
	// Its memory: what was handed over, or is left of the parent's, would be there.
	if at := inMemory(t, cell, []byte(secret)); at != "" {
		t.Errorf("the service's secret is in the cell's memory: %s", at)
	}
	if inMemory(t, cell, []byte(allowed)) == "" {
		t.Error("what activities may see isn't found in the cell's memory: neither would be secrets")
	}
	for _, file := range openFiles(t, cell) {
		if strings.HasPrefix(file, "/") && file != os.DevNull {
			t.Errorf("the cell has %s open", file)
		}
	}
	// Two connections to its parent, those to Temporal, and what Go and the compiler's process take.
	if n := len(openFiles(t, cell)); n > 20 {
		t.Errorf("the cell has %d files open: %v", n, openFiles(t, cell))
	}
}

func procFile(t testing.TB, pid int, name string) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

func number(t testing.TB, text string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func openFiles(t testing.TB, pid int) (names []string) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if name, err := os.Readlink(filepath.Join(dir, f.Name())); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// inMemory says in which part of a process's memory a text is; "" if it isn't there.
func inMemory(t testing.TB, pid int, text []byte) string {
	t.Helper()
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Skipf("another process's memory can't be read: %v", err)
	}
	defer memory.Close()
	for line := range strings.Lines(procFile(t, pid, "maps")) {
		var from, to int64
		var rights string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &rights); err != nil || rights[0] != 'r' || rights[1] != 'w' {
			continue
		}
		part := make([]byte, to-from)
		n, _ := memory.ReadAt(part, from) // what can't be read holds nothing
		if bytes.Contains(part[:n], text) {
			return line
		}
	}
	return ""
}
