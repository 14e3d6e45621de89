package sandbox

import "testing"

// A long text is taken apart in Go; it comes out as the language has it.
func TestTheItemsOfALongText(t *testing.T) {
	t.Parallel()
	v := newVM(t)
	for code, want := range map[string]string{
		`[...'ab'.repeat(20000)].length`: "40000",
		`const s = 'a😀é'.repeat(10000); const a = [0, ...s, 1]; a.length + ' ' + a.slice(1, 4).join('|') + ' ' + (a.slice(1, -1).join('') === s)`: "30002 a|😀|é true",
		`JSON.stringify([...('x'.repeat(20000) + '\ud83d')].at(-1))`:                                                                              `"\ud83d"`,
		`[...{ [Symbol.iterator]: () => [1, 2].values() }].join()`:                                                                                "1,2",
		`try { [...{}] } catch (e) { e.name }`:                                                                                                    "TypeError",
	} {
		got, err := runRewritten(v, code)
		if err != nil {
			t.Errorf("%s: %v", code, err)
		} else if got.String() != want {
			t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
}
