package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"

	"workflow-worker/runtime/replay"
)

// turns is a workflow that waits for signals, takes a step after each and says at its end which
// version ran.
func turns(version string, steps ...string) string {
	var b strings.Builder
	b.WriteString(`import * as wf from '@temporalio/workflow';
export async function turns(): Promise<string> {
  let n = 0;
  wf.setHandler(wf.defineSignal('turn'), () => { n++; });
`)
	for i, step := range steps {
		fmt.Fprintf(&b, "  await wf.condition(() => n > %d);\n  %s\n", i, step)
	}
	fmt.Fprintf(&b, "  return %q;\n}\n", version)
	return b.String()
}

const asks = "wf.setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, turns);\n"

const wait, none = "await wf.sleep(1);", ""

func TestTheRowOrElseTheCodeSaysWhatBecomesOfRunningExecutions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		row, code string
		moves     bool
		reported  string
	}{
		"nobody says":               {"", "", false, Pinned},
		"the code asks":             {"", asks, true, AutoUpgrade},
		"the row upgrades":          {AutoUpgrade, "", true, AutoUpgrade},
		"the row pins what asks":    {Pinned, asks, false, Pinned},
		"the row upgrades and code": {AutoUpgrade, asks, true, AutoUpgrade},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			r := b.replica()
			b.row("turns", "1", c.row, turns("one", wait, wait)+c.code)
			one := isLive(t, r.look(), "turns", "1")
			if one.VersioningBehavior != c.reported {
				t.Errorf("reported as %q", one.VersioningBehavior)
			}
			run := b.start("turns")
			b.on(run, one.Hash)
			b.row("turns", "2", c.row, turns("two", wait, wait)+c.code)
			two := isLive(t, r.look(), "turns", "2")
			b.signal(run, "turn")
			b.signal(run, "turn")
			want, on := "one", one.Hash
			if c.moves {
				want, on = "two", two.Hash
			}
			if got := b.result(run); got != want {
				t.Errorf("result %s, want %s", got, want)
			}
			b.on(run, on)
			b.noFailedTasks(run)
		})
	}
}

// The row may be changed without the text: it counts from the next task on.
func TestARowThatStartsToUpgradeMovesWhatIsBehind(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.replica()
	b.row("turns", "1", "", turns("one", wait, wait))
	one := isLive(t, r.look(), "turns", "1")
	run := b.start("turns")
	b.on(run, one.Hash)
	b.row("turns", "2", "", turns("two", wait, wait))
	two := isLive(t, r.look(), "turns", "2")
	b.signal(run, "turn")
	b.until("the turn is taken", func() error {
		if strings.Contains(b.describe(run), "TimerFired") {
			return nil
		}
		return errors.New("not yet")
	})
	b.on(run, one.Hash)
	b.row("turns", "2", AutoUpgrade, turns("two", wait, wait))
	isLive(t, r.look(), "turns", "2")
	b.signal(run, "turn")
	if got := b.result(run); got != "two" {
		t.Errorf("result %s", got)
	}
	b.on(run, two.Hash)
	b.noFailedTasks(run)
}

// Two replicas: each knows of a change in its own time, and executions go from one to the other.
func TestReplicasThatNoticeAReloadInTheirOwnTimeBreakNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first, second := b.replica(), b.replica()
	b.row("turns", "1", AutoUpgrade, turns("one", wait, wait, wait, wait))
	one := isLive(t, first.look(), "turns", "1")
	isLive(t, second.look(), "turns", "1")
	var runs []client.WorkflowRun
	for range 6 {
		runs = append(runs, b.start("turns"))
	}
	for _, run := range runs {
		b.on(run, one.Hash)
	}
	// The second code takes other steps from the third turn on.
	const other = `if (wf.patched('other')) { await wf.executeChild('kid'); } else { await wf.sleep(1); }`
	kid := "\nexport async function kid() { return 'kid'; }"
	b.row("turns", "2", AutoUpgrade, turns("two", wait, wait, other, other)+kid)
	isLive(t, first.look(), "turns", "2")
	for i, run := range runs {
		b.signal(run, "turn")
		b.signal(run, "turn")
		if i%2 == 0 {
			b.signal(run, "turn")
		}
	}
	first.stop() // all goes on in the second, which knows nothing yet
	for _, run := range runs {
		b.signal(run, "turn")
		b.signal(run, "turn")
	}
	isLive(t, second.look(), "turns", "2")
	for _, run := range runs {
		if got := b.result(run); got != "two" && got != "one" {
			t.Errorf("result %s", got)
		}
	}
	b.noFailedTasks(runs...)
}

func TestCheckSaysWhichExecutionsWouldFit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.replica()
	b.row("turns", "1", "", turns("one", wait, none))
	one := isLive(t, r.look(), "turns", "1")
	fresh, begun := b.start("turns"), b.start("turns")
	b.signal(begun, "turn")
	b.until("the timer has fired", func() error {
		if strings.Contains(b.describe(begun), "TimerFired") {
			return nil
		}
		return errors.New("not yet")
	})
	b.on(fresh, one.Hash)
	b.visible("turns", 2)
	code := turns("two", `await wf.executeChild('nobody');`, none)
	ask := Check{WorkflowID: "turns", Name: "turns", Target: StoredCode{Version: "2", Code: code}}
	found, err := r.runner.Check(t.Context(), b.project.ID, ask)
	if err != nil || found.Checked != 2 || found.Truncated || len(found.Fit) != 1 || len(found.Broken) != 1 {
		t.Fatalf("found %+v, %v", found, err)
	}
	if found.Target.Hash == "" || found.Target.Hash == one.Hash || found.Target.Code != code {
		t.Errorf("the target is %+v", found.Target)
	}
	if x := found.Fit[0]; x.RunID != fresh.GetRunID() || x.WorkflowID != fresh.GetID() || x.Hash != one.Hash {
		t.Errorf("fits %+v", x)
	}
	if x := found.Broken[0]; x.RunID != begun.GetRunID() || x.EventID == 0 || x.Reason == "" {
		t.Errorf("broken %+v", x)
	}
	ask.Execution = replay.Execution{WorkflowID: begun.GetID()}
	if found, err = r.runner.Check(t.Context(), b.project.ID, ask); err != nil || found.Checked != 1 || len(found.Broken) != 1 {
		t.Errorf("one alone: %+v, %v", found, err)
	}
	for _, x := range []replay.Execution{{WorkflowID: "nobody"}, {WorkflowID: begun.GetID(), RunID: "nonsense"}} {
		ask.Execution = x
		var refused *replay.RefusedError
		if _, err := r.runner.Check(t.Context(), b.project.ID, ask); !errors.As(err, &refused) {
			t.Errorf("%+v: %v", x, err)
		}
	}
	ask.Execution, ask.Target.Code, ask.Target.Hash = replay.Execution{}, "export async function turns( {", "x"
	var refused *replay.RefusedError
	if _, err := r.runner.Check(t.Context(), b.project.ID, ask); !errors.As(err, &refused) {
		t.Errorf("code that doesn't compile: %v", err)
	}
	if _, err := r.runner.Check(t.Context(), "nobody", ask); !errors.Is(err, ErrNotRunning) {
		t.Errorf("a project that doesn't run: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.runner.Check(ctx, b.project.ID, ask); err == nil {
		t.Error("no error without time")
	}
}

// As a request to migrate does: the execution is moved, here and in every replica, back again, and
// stays where it was put.
func TestAMoveIsAsGoodInEveryReplicaAndTheWayBackTheSame(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.replica()
	b.row("turns", "1", "", turns("one", wait, wait, wait, wait))
	one := isLive(t, r.look(), "turns", "1")
	run, stays := b.start("turns"), b.start("turns")
	b.on(run, one.Hash)
	b.on(stays, one.Hash)
	b.row("turns", "2", "", turns("two", wait, wait, wait, wait))
	two := isLive(t, r.look(), "turns", "2")
	b.row("turns", "3", "", turns("three", wait, wait, wait, wait)) // an older one than what is live may be the target
	isLive(t, r.look(), "turns", "3")
	move := func(hash string) {
		b.project.Moves = []Move{{replay.Execution{WorkflowID: run.GetID(), RunID: run.GetRunID()}, hash}}
	}
	move(two.Hash)
	r.look()
	b.signal(run, "turn")
	b.on(run, two.Hash)
	r.stop()
	r = b.replica()
	r.look()
	b.signal(run, "turn")
	b.on(run, two.Hash)
	move(one.Hash)
	r.look()
	b.signal(run, "turn")
	b.on(run, one.Hash)
	b.project.Moves = nil
	r.look()
	b.signal(run, "turn")
	for range 4 {
		b.signal(stays, "turn")
	}
	if got := b.result(run) + b.result(stays); got != "oneone" {
		t.Errorf("results %s", got)
	}
	b.noFailedTasks(run, stays)
}

// An execution that was moved by request is where somebody put it: new code of a row that upgrades
// passes it by.
func TestAMoveGoesBeforeUpgrading(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.replica()
	b.row("turns", "1", AutoUpgrade, turns("one", wait, wait))
	one := isLive(t, r.look(), "turns", "1")
	run := b.start("turns")
	b.on(run, one.Hash)
	b.project.Moves = []Move{{replay.Execution{WorkflowID: run.GetID(), RunID: run.GetRunID()}, one.Hash}}
	b.row("turns", "2", AutoUpgrade, turns("two", wait, wait))
	isLive(t, r.look(), "turns", "2")
	b.signal(run, "turn")
	b.signal(run, "turn")
	if got := b.result(run); got != "one" {
		t.Errorf("result %s", got)
	}
	b.noFailedTasks(run)
}
