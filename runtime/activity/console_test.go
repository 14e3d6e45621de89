package activity

import (
	"fmt"
	"strings"
	"testing"
)

// The lines are those that Node 20 prints, objects in one line.
func TestConsoleReadsLikeNodes(t *testing.T) {
	t.Parallel()
	var r recorder
	_, err := evaluate(t, CodeOptions{Logger: r.logger()}, `
console.table([{ a: 1, b: 'x' }, { a: 2, c: true }]);
console.table(['p', 'q']);
console.table({ r1: { a: 1, z: 1 }, r2: { a: 2 } }, ['a']);
console.table(5); console.table([{ a: { b: { c: 1 } } }, 7]);
console.table(new Map([['k', 1]])); console.table(new Set(['v'])); console.table([]);
console.table([{ name: '中文', 'ключ': 2 }]);
console.count('x'); console.count('x'); console.countReset('x'); console.count('x'); console.countReset('nope');
console.timeEnd('none'); console.timeLog('none'); console.time('t'); console.time('t');
console.assert(false); console.assert(false, 'm %s', 'y', 1); console.assert(false, { a: 1 }); console.assert(true, 'no');
const deep = { a: { b: { c: { d: 1 } } } };
console.dir(deep, { depth: 0 }); console.dir(deep); console.dir(deep, { depth: null });
console.group('A', 1); console.log('in\nner'); console.groupCollapsed('B'); console.warn('deep'); console.table(['x']); console.groupEnd(); console.groupEnd(); console.groupEnd(); console.log('out');
console.group(); console.log('n'); console.groupEnd();
console.log(); console.dirxml({ a: 1 }, 'b'); console.log(Buffer.from('abc'), '%s', 1);`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range r.lines(t) {
		got = append(got, fmt.Sprint(l["level"].(string)[:1], " ", l["msg"]))
	}
	want := `I ┌─────────┬───┬─────┬──────┐
│ (index) │ a │ b   │ c    │
├─────────┼───┼─────┼──────┤
│ 0       │ 1 │ 'x' │      │
│ 1       │ 2 │     │ true │
└─────────┴───┴─────┴──────┘
I ┌─────────┬────────┐
│ (index) │ Values │
├─────────┼────────┤
│ 0       │ 'p'    │
│ 1       │ 'q'    │
└─────────┴────────┘
I ┌─────────┬───┐
│ (index) │ a │
├─────────┼───┤
│ r1      │ 1 │
│ r2      │ 2 │
└─────────┴───┘
I 5
I ┌─────────┬─────────────────┬────────┐
│ (index) │ a               │ Values │
├─────────┼─────────────────┼────────┤
│ 0       │ { b: [Object] } │        │
│ 1       │                 │ 7      │
└─────────┴─────────────────┴────────┘
I ┌───────────────────┬─────┬────────┐
│ (iteration index) │ Key │ Values │
├───────────────────┼─────┼────────┤
│ 0                 │ 'k' │ 1      │
└───────────────────┴─────┴────────┘
I ┌───────────────────┬────────┐
│ (iteration index) │ Values │
├───────────────────┼────────┤
│ 0                 │ 'v'    │
└───────────────────┴────────┘
I ┌─────────┐
│ (index) │
├─────────┤
└─────────┘
I ┌─────────┬────────┬──────┐
│ (index) │ name   │ ключ │
├─────────┼────────┼──────┤
│ 0       │ '中文' │ 2    │
└─────────┴────────┴──────┘
I x: 1
I x: 2
I x: 1
W Warning: Count for 'nope' does not exist
W Warning: No such label 'none' for console.timeEnd()
W Warning: No such label 'none' for console.timeLog()
W Warning: Label 't' already exists for console.time()
E Assertion failed
E Assertion failed: m y 1
E Assertion failed: [object Object]
I { a: [Object] }
I { a: { b: { c: [Object] } } }
I { a: { b: { c: { d: 1 } } } }
I A 1
I   in
  ner
I   B
W     deep
I     ┌─────────┬────────┐
    │ (index) │ Values │
    ├─────────┼────────┤
    │ 0       │ 'x'    │
    └─────────┴────────┘
I out
I   n
I 
I { a: 1 } b
I <Buffer 61 62 63> %s 1`
	if g := strings.Join(got, "\n"); g != want {
		gs, ws := strings.Split(g, "\n"), strings.Split(want, "\n")
		for i := range max(len(gs), len(ws)) {
			if i >= len(gs) || i >= len(ws) || gs[i] != ws[i] {
				t.Errorf("line %d: got\n%s\nwant\n%s", i, strings.Join(gs[min(i, len(gs)):], "\n"), strings.Join(ws[min(i, len(ws)):], "\n"))
				break
			}
		}
	}
}

func TestConsoleTraceHasTheAuthorsStack(t *testing.T) {
	t.Parallel()
	var r recorder
	if _, err := evaluate(t, CodeOptions{Logger: r.logger()}, "function inner() { console.trace('at %s', 'x'); }\ninner(); console.time(); console.timeEnd();"); err != nil {
		t.Fatal(err)
	}
	lines := r.lines(t)
	if msg := lines[0]["msg"].(string); !strings.HasPrefix(msg, "Trace: at x\n") || !strings.Contains(msg, "at inner (charge-card.ts:2:") || strings.Contains(msg, "console.js") || strings.Contains(msg, "trace (") {
		t.Error(msg)
	}
	if msg := lines[1]["msg"].(string); !strings.HasPrefix(msg, "default: ") || !strings.HasSuffix(msg, "ms") {
		t.Error(msg)
	}
}
