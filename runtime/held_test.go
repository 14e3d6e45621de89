package runtime

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestAnExecutionThatIsHeldWaitsAndNobodyElse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.row("waits", "1", "", `import { condition, defineSignal, setHandler } from '@temporalio/workflow';
export async function waits(): Promise<string> {
  let gone = false;
  setHandler(defineSignal('go'), () => { gone = true; });
  await condition(() => gone);
  return 'done';
}`)
	r := b.replica()
	hash := source(t, r.look(), "waits").Hash
	held, other := b.start("waits"), b.start("waits")
	b.on(held, hash)
	b.on(other, hash)
	r.runner.Hold(b.project.ID, []Held{
		{RunID: held.GetRunID(), Hash: hash, Until: time.Now().Add(time.Hour), Why: "quarantined: as if it had ended a process"},
		{RunID: other.GetRunID(), Hash: "of other code", Until: time.Now().Add(time.Hour), Why: "not this"},
	})
	b.signal(held, "go")
	b.signal(other, "go")
	if got := b.result(other); got != "done" {
		t.Errorf("the other ended with %q", got)
	}
	b.until("its task fails", func() error {
		for _, e := range b.events(held) {
			if f := e.GetWorkflowTaskFailedEventAttributes().GetFailure(); strings.HasPrefix(f.GetMessage(), "quarantined: as if it had ended a process") {
				return nil
			}
		}
		return errors.New("not yet")
	})
	r.runner.Hold(b.project.ID, nil)
	if got := b.result(held); got != "done" {
		t.Errorf("it ended with %q", got)
	}
}
