package runtime

import "testing"

// A store that was emptied gets again what is live, though nothing has changed.
func TestWhatTheStoreHasLostIsKeptAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r := b.replica()
	b.row("turns", "1", "", turns("one", wait, none))
	isLive(t, r.look(), "turns", "1")
	b.row("turns", "2", "", turns("two", none, none))
	two := isLive(t, r.look(), "turns", "2")

	b.store.mu.Lock()
	clear(b.store.kept)
	b.store.mu.Unlock()
	isLive(t, r.look(), "turns", "2")
	if m := b.store.keptWith(two.Hash, ""); m.Hash != "" {
		t.Error("kept again without being told")
	}
	b.store.mu.Lock()
	clear(b.store.kept)
	b.store.mu.Unlock()
	b.project.Restore = true
	isLive(t, r.look(), "turns", "2")
	if m := b.store.keptWith(two.Hash, two.Hash); m.Hash != two.Hash || m.Code == "" || m.CompilerSettings == "" {
		t.Errorf("what is live is kept as %+v", m)
	}
}
