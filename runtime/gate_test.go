package runtime

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"
)

func TestNewCodeThatWouldBreakRunningExecutionsDoesNotGoLive(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.replica()
	b.row("turns", "1", AutoUpgrade, turns("one", wait, none, none))
	b.row("bystander", "1", "", `export async function bystander() { return 'one'; }`)
	one := isLive(t, r.look(), "turns", "1")
	var runs []client.WorkflowRun
	for range 3 {
		run := b.start("turns")
		runs = append(runs, run)
		b.on(run, one.Hash)
	}
	for _, run := range runs[:2] {
		b.signal(run, "turn")
		b.until("the timer has fired", func() error {
			if n := strings.Count(b.describe(run), "WorkflowTaskCompleted"); n != 3 {
				return fmt.Errorf("%d tasks", n)
			}
			return nil
		})
	}
	b.visible("turns", 3)
	b.row("turns", "2", AutoUpgrade, turns("two", `await wf.executeChild('nobody');`, none, none))
	b.row("bystander", "2", "", `export async function bystander() { return 'two'; }`)
	report := r.look()
	s := source(t, report, "turns")
	if s.Version != "1" || s.Error == nil || len(s.Error.Broken) != 2 || s.Error.Checked != 3 || report.Again <= 0 {
		t.Fatalf("live is %s, error %+v, again in %v", s.Version, s.Error, report.Again)
	}
	for _, x := range s.Error.Broken {
		if x.EventID != 10 || x.Reason == "" || x.RunID != runs[0].GetRunID() && x.RunID != runs[1].GetRunID() {
			t.Errorf("broken %+v", x)
		}
	}
	if want := "would break 2 running executions (of 3 that were tried)"; !strings.Contains(s.Error.Message, want) || s.Error.Version != "2" {
		t.Errorf("error %+v, want %q", s.Error, want)
	}
	isLive(t, report, "bystander", "2") // another row doesn't wait
	t.Log(s.Error.Message)

	t.Log("with patched it fits")
	b.row("turns", "3", AutoUpgrade, turns("three", `if (wf.patched('p')) { await wf.executeChild('kid'); } else { await wf.sleep(1); }`, none, none)+
		"\nexport async function kid() { return 'kid'; }")
	three := isLive(t, r.look(), "turns", "3")
	for _, run := range runs {
		for range 3 {
			b.signal(run, "turn")
		}
		if got := b.result(run); got != "three" {
			t.Errorf("result %s", got)
		}
		b.on(run, three.Hash)
	}
	b.noFailedTasks(runs...)
	if kids := strings.Count(b.describe(runs[2]), "StartChildWorkflowExecutionInitiated"); kids != 1 {
		t.Errorf("the execution that hadn't taken the step yet has %d children:\n%s", kids, b.describe(runs[2]))
	}
}

// The broken executions end: the same text goes live without anybody's doing.
func TestRefusedCodeGoesLiveOnceWhatItWouldBreakHasEnded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.replica()
	b.row("turns", "1", "", turns("one", wait, none)+asks)
	one := isLive(t, r.look(), "turns", "1")
	run := b.start("turns")
	b.signal(run, "turn")
	b.on(run, one.Hash)
	b.until("the timer has fired", func() error {
		if strings.Contains(b.describe(run), "TimerFired") {
			return nil
		}
		return errors.New("not yet")
	})
	b.visible("turns", 1)
	b.row("turns", "2", "", turns("two", `await wf.executeChild('nobody');`, none)+asks)
	if s := source(t, r.look(), "turns"); s.Error == nil || len(s.Error.Broken) != 1 {
		t.Fatalf("error %+v", s.Error)
	}
	b.signal(run, "turn")
	if got := b.result(run); got != "one" {
		t.Errorf("result %s", got)
	}
	b.until("it goes live", func() error {
		if s := source(t, r.look(), "turns"); s.Version != "2" {
			return fmt.Errorf("%s: %+v", s.Version, s.Error)
		}
		return nil
	})
	b.noFailedTasks(run)
}

func TestAtItsStartAReplicaServesWhatWasLiveIfTheNewTextIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.replica()
	text := turns("one", wait, none)
	b.row("turns", "1", AutoUpgrade, text)
	one := isLive(t, r.look(), "turns", "1")
	run := b.start("turns")
	b.signal(run, "turn")
	b.until("the timer has fired", func() error {
		if strings.Contains(b.describe(run), "TimerFired") {
			return nil
		}
		return errors.New("not yet")
	})
	b.visible("turns", 1)
	r.stop()
	b.row("turns", "2", AutoUpgrade, turns("two", `await wf.executeChild('nobody');`, none))
	b.project.Workflows[0].LastGood = &StoredCode{Hash: one.Hash, Version: "1", Code: text}
	s := source(t, b.replica().look(), "turns")
	if s.Version != "1" || s.Hash != one.Hash || s.Error == nil || len(s.Error.Broken) != 1 {
		t.Fatalf("live is %s, error %+v", s.Version, s.Error)
	}
	b.signal(run, "turn")
	if got := b.result(run); got != "one" {
		t.Errorf("result %s", got)
	}
	b.noFailedTasks(run)
}

func TestPinnedRowsHaveNoGate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.replica()
	for range maxGates {
		r.runner.gates <- struct{}{} // whoever came to a gate would wait
	}
	b.row("turns", "1", "", turns("one", wait))
	isLive(t, r.look(), "turns", "1")
	b.row("turns", "2", "", turns("two", wait))
	isLive(t, r.look(), "turns", "2")
	b.row("turns", "3", Pinned, turns("three", wait)+asks)
	isLive(t, r.look(), "turns", "3")
	b.row("turns", "4", AutoUpgrade, turns("four", wait))
	report := r.look()
	if s := source(t, report, "turns"); s.Version != "3" || s.Error == nil || report.Again == 0 || !strings.Contains(s.Error.Message, "waits to be tried") {
		t.Errorf("live is %s, %+v, again in %v", s.Version, s.Error, report.Again)
	}
	<-r.runner.gates
	isLive(t, r.look(), "turns", "4")
}

func TestWithoutTemporalsAnswerTheGateKeepsTheOldCodeAndAsksAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.replica()
	b.row("turns", "1", AutoUpgrade, turns("one", wait))
	b.row("bystander", "1", "", `export async function bystander() { return 'one'; }`)
	isLive(t, r.look(), "turns", "1")
	r.down.Store(true)
	b.row("turns", "2", AutoUpgrade, turns("two", wait))
	b.row("bystander", "2", "", `export async function bystander() { return 'two'; }`)
	report := r.look()
	if s := source(t, report, "turns"); s.Version != "1" || s.Error == nil || !strings.Contains(s.Error.Message, "visibility is down") || report.Again <= 0 {
		t.Errorf("live is %s, %+v, again in %v", s.Version, s.Error, report.Again)
	}
	isLive(t, report, "bystander", "2")
	r.down.Store(false)
	isLive(t, r.look(), "turns", "2")
}
