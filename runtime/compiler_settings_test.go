package runtime

import (
	"fmt"
	"strings"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"

	"workflow-worker/runtime/bundle"
	"workflow-worker/runtime/compile"
)

// keptWith changes what the store says a text was compiled with.
func (s *store) keptWith(hash, settings string) (before StoredModule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before = s.kept[hash]
	m := before
	m.CompilerSettings = settings
	s.kept[hash] = m
	return before
}

// Another program than the one that it ran could break an execution: it waits for a service that
// has the settings.
func TestAnExecutionIsOnlyReplayedWithTheSettingsThatItsCodeWasCompiledWith(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.replica()
	b.row("turns", "1", "", turns("one", wait, none))
	one := isLive(t, first.look(), "turns", "1")
	run := b.start("turns")
	b.on(run, one.Hash)
	b.row("turns", "2", "", turns("two", none, none))
	isLive(t, first.look(), "turns", "2")
	first.stop()

	if kept := b.store.keptWith(one.Hash, "0"); kept.CompilerSettings != compile.SettingsVersion || kept.SDK != bundle.Version() {
		t.Errorf("stored with settings %q, SDK %q", kept.CompilerSettings, kept.SDK)
	}
	second := b.replica()
	isLive(t, second.look(), "turns", "2")
	b.signal(run, "turn")
	b.until("its task fails and says why", func() error {
		for _, e := range b.events(run) {
			if e.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED &&
				strings.Contains(e.GetWorkflowTaskFailedEventAttributes().GetFailure().GetMessage(), "was compiled with the compiler's settings 0") {
				return nil
			}
		}
		return fmt.Errorf("it has\n%s", b.describe(run))
	})

	// What was stored before settings were written down has the first ones.
	b.store.keptWith(one.Hash, "")
	b.signal(run, "turn")
	if got := b.result(run); got != "one" {
		t.Errorf("the execution ended with %q", got)
	}
}

// An execution whose code was stored under older settings goes on with the program that they made
// of it.
func TestStoredCodeIsCompiledWithItsOwnSettings(t *testing.T) {
	t.Parallel()
	const loud = "class Loud { tag = 'x' + this.note; constructor(readonly note: string) {} }\n"
	text := func(result string) string {
		return loud + strings.Replace(turns("", wait), `return "";`, "return "+result+";", 1)
	}
	b := newBench(t)
	first := b.replica()
	b.row("turns", "1", "", text("'one ' + new Loud('n').tag"))
	one := isLive(t, first.look(), "turns", "1")
	older, newer := b.start("turns"), b.start("turns")
	b.on(older, one.Hash)
	b.on(newer, one.Hash)
	b.signal(newer, "turn")
	if got := b.result(newer); got != "one xn" {
		t.Errorf("with the newest settings: %q", got)
	}
	b.row("turns", "2", "", text("'two'"))
	isLive(t, first.look(), "turns", "2")
	first.stop()

	b.store.keptWith(one.Hash, compile.FirstSettings)
	second := b.replica()
	isLive(t, second.look(), "turns", "2")
	b.signal(older, "turn")
	if got := b.result(older); got != "one xundefined" {
		t.Errorf("with the first settings: %q", got)
	}
}
