package sandbox

import (
	"runtime"
	"testing"
)

// What was noted of the first half of a text must not be noted again with each value behind it: by
// that, a megabyte of JSON was gigabytes, with a collection for each 64 MB.
func TestWhatIsMadeLittleByLittleIsNotedOnce(t *testing.T) {
	v, err := New(Options{Memory: NewMemory(MemoryOptions{PerVM: 64 << 20})})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := run(t, v, `
		const rows = Array.from({ length: 4000 }, (_, i) => ({ id: i, tags: ['a', 'b'], name: 'row ' + i }));
		[JSON.stringify(rows).length, rows.map((r) => 'a line of the row of the name ' + r.name).join('\n').length].join()`)
	runtime.ReadMemStats(&after)
	if err != nil || got.String() != "185781,154889" {
		t.Errorf("got %v, %v", got, err)
	}
	if n := after.NumForcedGC - before.NumForcedGC; n > 0 {
		t.Errorf("%d collections were forced", n)
	}
}
