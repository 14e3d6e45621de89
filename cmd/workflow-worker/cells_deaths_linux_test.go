package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
)

const (
	// fatalWords are what a cell of the tests says and ends with at endSignal, as Go does when it can't
	// go on.
	fatalWords = "fatal error: as if Go's runtime had found something"
	endSignal  = syscall.SIGUSR1
)

// asFirst has the service of a test take over what its cells leave behind, as the first process of a
// container does.
const asFirst = "WORKFLOW_WORKER_TEST_AS_FIRST"

func init() {
	asCell = endWithWords
	if os.Getenv(asFirst) != "" {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			panic(err)
		}
	}
}

// endWithWords has a cell end so.
func endWithWords() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, endSignal)
	go func() {
		<-told
		fmt.Fprintf(os.Stderr, "%s\n\ngoroutine 1 [running]:\nmain.main()\n", fatalWords)
		os.Exit(2)
	}()
}

func endCell(t testing.TB, pid int, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatal(err)
	}
}

func TestTheDeathOfACellIsNothingToTheProjectsOfAnother(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "CELLS=2")
	b := newBuilder(t, db)
	var projects []*project
	for range 6 {
		p := b.project()
		p.workflow("flow", flow("flow", "v1", `return 'v1';`))
		projects = append(projects, p)
	}
	for _, p := range projects {
		p.running(nil)
	}
	var first int
	eventually(t, "there are two cells", func() error {
		pids := s.cells()
		if len(pids) != 2 {
			return fmt.Errorf("there are %v", pids)
		}
		first = pids[0]
		return nil
	})
	starts := strings.Count(s.output(), `msg="code is live"`)
	endCell(t, first, endSignal)
	var died, others []*project
	eventually(t, "three projects have lost their cell, and run again", func() error {
		died, others = nil, nil
		for _, p := range projects {
			switch said := p.events("cell_died"); {
			case len(said) == 0:
				others = append(others, p)
			case len(said) > 1 || !strings.Contains(said[0], "exit status 2: "+fatalWords):
				t.Fatalf("the events are %q", said)
			default:
				died = append(died, p)
			}
		}
		if len(died) != 3 {
			return fmt.Errorf("%d have", len(died))
		}
		if n := strings.Count(s.output(), `msg="code is live"`); n != starts+3 {
			return fmt.Errorf("%d started again", n-starts)
		}
		return nil
	})
	for _, p := range append(others, died...) {
		x := p.start("flow")
		p.goOn(x.GetID())
		if got := result[string](p, x); got != "v1" {
			t.Errorf("an execution ended with %q", got)
		}
		p.unfailed(x)
	}
}

func TestACellThatDiesWhileTheServiceStartsIsReplaced(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	p := newBuilder(t, db).project()
	p.workflow("flow", flow("flow", "v1", `return 'v1';`))
	s := launchService(t, db, "CELLS=1")
	first := s.cell()
	endCell(t, first, syscall.SIGKILL)
	eventually(t, "the service is ready", s.ready(http.StatusOK))
	p.running(nil)
	if now := s.cell(); now == first {
		t.Errorf("cell %d is still there", now)
	}
	x := p.start("flow")
	p.goOn(x.GetID())
	if got := result[string](p, x); got != "v1" {
		t.Errorf("an execution ended with %q", got)
	}
	if code := s.stop(syscall.SIGTERM); code != exitDone {
		t.Errorf("exit code %d", code)
	}
}

func TestACellThatDiesDuringReloadsLosesNoEdit(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "CELLS=1")
	p := newBuilder(t, db).project()
	w := p.workflow("flow", flow("flow", "v1", `return 'v1';`))
	p.running(liveVersion("flow", "1"))
	for n := 2; n <= 4; n++ {
		version := fmt.Sprint(n)
		before := s.cell()
		w.exec(`UPDATE workflow_compiled_code SET version = $2, workflow_code = $3 WHERE id = $1`, w.codeID, version, flow("flow", "v"+version, `return 'v`+version+`';`))
		endCell(t, before, syscall.SIGKILL)
		s.cellBeside(before)
		p.running(liveVersion("flow", version))
		x := p.start("flow")
		p.goOn(x.GetID())
		if got := result[string](p, x); got != "v"+version {
			t.Errorf("after edit %s an execution ended with %q", version, got)
		}
	}
}

func TestACellThatDiesDuringTheShutdownKeepsNobody(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "CELLS=2", "SHUTDOWN_TIMEOUT=30s")
	b := newBuilder(t, db)
	p, q := b.project(), b.project()
	for _, x := range []*project{p, q} {
		x.workflow("slow", `
import { proxyActivities } from '@temporalio/workflow';
const { waitFor } = proxyActivities<any>({ startToCloseTimeout: '10m' });
export async function slow() { return waitFor({ milliseconds: 600000 }); }`)
	}
	p.running(nil)
	q.running(nil)
	p.start("slow")
	q.start("slow")
	cells := s.cells()
	var all []int
	for _, pid := range cells {
		all = append(append(all, pid), children(t, pid)...)
	}
	s.signal(syscall.SIGTERM)
	eventually(t, "it stops", func() error {
		w, err := p.worker()
		if err == nil && w.Status == "running" {
			err = errors.New(w.Status)
		}
		return err
	})
	for _, pid := range cells {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
	}
	eventually(t, "the service ends", func() error {
		select {
		case <-s.Done():
			return nil
		default:
			return errors.New("it runs")
		}
	})
	if code := s.ExitCode(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	eventually(t, "nobody is left", func() error {
		for _, pid := range all {
			if syscall.Kill(pid, 0) == nil && !strings.Contains(procFile(t, pid, "stat"), ") Z ") {
				return fmt.Errorf("process %d lives", pid)
			}
		}
		return nil
	})
}

func TestADeathIsWrittenDownOnceTheDatabaseIsBack(t *testing.T) {
	t.Parallel()
	server := stacktest.Postgres(t, stack.PostgresOptions{})
	s := startService(t, server.URL("postgres"), "CELLS=1", "ACTIVITY_CPU_TIMEOUT=9s")
	p := newBuilder(t, server.URL("postgres")).project()
	p.component("computes", `export async function computes() { console.log('computing'); for (const end = Date.now() + 8000; Date.now() < end;); }`)
	p.workflow("busy", `
import { proxyActivities } from '@temporalio/workflow';
const { computes } = proxyActivities<any>({ startToCloseTimeout: '9s', retry: { maximumAttempts: 1 } });
export async function busy() { await computes(); }
export async function quick() { return 'done'; }
`)
	p.running(nil)
	p.start("busy")
	eventually(t, "it computes", func() error {
		if !strings.Contains(s.output(), "msg=computing") {
			return errors.New("it doesn't")
		}
		return nil
	})
	if err := server.StopServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := s.cell()
	endCell(t, first, endSignal)
	s.cellBeside(first)
	if err := server.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.db.Reset()
	eventually(t, "it is written down", func() error {
		var deaths int
		var file, words string
		err := p.db.QueryRow(t.Context(), `SELECT deaths, file, words FROM workflow_quarantine WHERE project_id = $1 AND code <> ''`, p.id).Scan(&deaths, &file, &words)
		if err == nil && (deaths != 1 || file != "computes.ts" || !slices.Contains(strings.Split(words, "\n"), fatalWords)) {
			err = fmt.Errorf("%d deaths, in %s: %s", deaths, file, words)
		}
		return err
	})
	if got := run[string](p, "quick"); got != "done" {
		t.Errorf("afterwards an execution ended with %q", got)
	}
}

// lives says whether the service's process does.
func (s *service) lives() bool {
	select {
	case <-s.Done():
		return false
	default:
		return true
	}
}

// Whatever ends the service or a cell, and even if the cell can't do anything about it: what they had
// started ends, too.
func TestNoProcessOutlivesTheOneThatStartedIt(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "CELLS=1", asFirst+"=1")
	p := newBuilder(t, db).project()
	p.workflow("flow", flow("flow", "v1", `return 'v1';`))
	p.running(nil)
	tree := func() []int {
		t.Helper()
		cell := s.cell()
		return append(children(t, cell), cell)
	}
	gone := func(what string, pids []int) {
		t.Helper()
		eventually(t, what, func() error {
			for _, pid := range pids {
				// Nobody may ask for what is nobody's; what is the service's it has to ask for.
				if state := procFile(t, pid, "stat"); state != "" && (s.lives() || !strings.Contains(state, ") Z ")) {
					return fmt.Errorf("process %d is there: %s", pid, state)
				}
			}
			return nil
		})
	}
	ofTheFirst := tree()
	if len(ofTheFirst) < 2 {
		t.Fatal("the cell has no compiler")
	}
	first := s.cell()
	endCell(t, first, syscall.SIGKILL)
	gone("what the cell had started has ended", ofTheFirst)
	s.cellBeside(first)
	eventually(t, "the project runs again", func() error {
		if n := strings.Count(s.output(), `msg="code is live"`); n < 2 {
			return fmt.Errorf("it went live %d times", n)
		}
		return nil
	})

	ofTheSecond := tree()
	endCell(t, s.cell(), syscall.SIGSTOP)
	s.signal(syscall.SIGKILL)
	<-s.Done()
	gone("what the service had started has ended", ofTheSecond)
}

// killed has cells end as often as that, each time all of them at once, and gives how long it was until
// an execution of each project had ended after each.
func killed(t *testing.T, s *service, projects []*project, times int) (away []time.Duration) {
	t.Helper()
	for range times {
		before := s.cells()
		began := time.Now()
		for _, pid := range before {
			endCell(t, pid, syscall.SIGKILL)
		}
		// For some milliseconds Temporal gives tasks to whoever asked for them last.
		eventually(t, "others are there", func() error {
			now := s.cells()
			if len(now) != len(before) || slices.ContainsFunc(now, func(pid int) bool { return slices.Contains(before, pid) }) {
				return fmt.Errorf("there are %v, after %v", now, before)
			}
			return nil
		})
		for _, p := range projects {
			if got := run[string](p, "quick"); got != "done" {
				t.Errorf("afterwards an execution ended with %q", got)
			}
		}
		away = append(away, time.Since(began))
	}
	return away
}

// However often its cells are killed, and all at once, the service has them back soon: what ends them
// from outside says nothing of the code that runs there, or of what the next will find.
func TestCellsThatAreKilledAgainAndAgainAreBackEachTime(t *testing.T) {
	t.Parallel()
	for _, count := range []int{1, 2} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			t.Parallel()
			db := stacktest.MigratedDatabase(t)
			s := startService(t, db, fmt.Sprintf("CELLS=%d", count))
			b := newBuilder(t, db)
			var projects []*project
			for range 4 {
				p := b.project()
				p.workflow("flow", `export async function quick() { return 'done'; }`)
				projects = append(projects, p)
			}
			for _, p := range projects {
				p.running(nil)
			}
			const times = 10
			away := killed(t, s, projects, times)
			t.Logf("away %v", away)
			// By pauses that double it would be a minute.
			var all time.Duration
			for _, d := range away {
				all += d
			}
			if all > 45*time.Second {
				t.Errorf("the projects were away for %v", away)
			}
			for _, p := range projects {
				if n := len(p.events("cell_died")); n == 0 || n > times {
					t.Errorf("%d deaths are told", n)
				}
			}
		})
	}
}

// Cells that all stand still at once are ended and come back, and it is told; a project that is made
// meanwhile starts.
func TestCellsThatStandStillAreReplaced(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "CELLS=2")
	b := newBuilder(t, db)
	add := func() *project {
		p := b.project()
		p.workflow("flow", `export async function quick() { return 'done'; }`)
		return p
	}
	projects := []*project{add(), add(), add(), add()}
	for _, p := range projects {
		p.running(nil)
	}
	before := s.cells()
	for _, pid := range before {
		endCell(t, pid, syscall.SIGSTOP)
	}
	began := time.Now()
	projects = append(projects, add())
	for i, p := range projects {
		eventually(t, "it runs again", func() error {
			if i < 4 && len(p.events("cell_died")) == 0 {
				return errors.New("nobody told that its cell died")
			}
			return nil
		})
		p.running(nil)
		if got := run[string](p, "quick"); got != "done" {
			t.Errorf("afterwards an execution ended with %q", got)
		}
	}
	t.Logf("back after %v", time.Since(began))
	for _, p := range projects[:4] {
		if said := p.events("cell_died"); len(said) != 1 || !strings.Contains(said[0], "it gave no answer for") {
			t.Errorf("the events are %q", said)
		}
	}
	for _, pid := range s.cells() {
		if slices.Contains(before, pid) {
			t.Errorf("cell %d is still there", pid)
		}
	}
}
