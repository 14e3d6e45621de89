package sandbox

import (
	"context"
	"testing"
	"time"

	"github.com/dop251/goja"
)

// gathering is code that gathers, as a function that is made before the time runs.
var gathering = []struct{ name, text string }{
	{"text +=", `() => { let s = ''; for (let i = 0; i < 100000; i++) s += 'row ' + i + ', and its text\n'; return s.length }`},
	{"text = text +", `() => { let s = ''; for (let i = 0; i < 100000; i++) s = s + 'row ' + i + ', and its text\n'; return s.length }`},
	{"template", "() => { let s = ''; for (let i = 0; i < 100000; i++) s = `${s}row ${i}, and its text\n`; return s.length }"},
	{"property", `() => { const o = { s: '' }; for (let i = 0; i < 100000; i++) o.s += 'row ' + i + ', and its text\n'; return o.s.length }`},
	{"element", `() => { const o = ['']; for (let i = 0; i < 100000; i++) o[0] += 'row ' + i + ', and its text\n'; return o[0].length }`},
	{"mixed alphabets", `() => { let s = ''; for (let i = 0; i < 100000; i++) s += (i % 7 ? 'row ' : 'größer ') + i + ', and its text\n'; return s.length }`},
	{"shift", `() => { const q = []; for (let i = 0; i < 60000; i++) q.push(i); while (q.length) q.shift() }`},
	{"unshift", `() => { const q = []; for (let i = 0; i < 60000; i++) q.unshift(i) }`},
	{"splice", `() => { const q = []; for (let i = 0; i < 60000; i++) q.push(i); while (q.length) q.splice(0, 1) }`},
	{"spread", `() => { let all = []; for (let i = 0; i < 4000; i++) all = [...all, i]; return all.length }`},
	{"for of", `(a => () => { let n = 0; for (const x of a) n += x; return n })(Array.from({ length: 1e6 }, (_, i) => i))`},
	{"pattern's rest", `(a => () => { const [x, ...rest] = a; return rest.length })(Array.from({ length: 1e6 }, (_, i) => i))`},
	{"for of with a pattern", `(a => () => { let n = 0; for (const [k, v] of a) n += v; return n })(Array.from({ length: 1e5 }, (_, i) => [i, i]))`},
	{"copy", `(a => () => [...a].length)(Array.from({ length: 1e6 }, (_, i) => i))`},
	{"whole numbers", `() => { let n = 0; for (let i = 0; i < 1000000; i++) n = n + i; return n }`},
	{"whole numbers of a list", `(a => () => { let n = 0; for (let i = 0; i < a.length; i++) n += a[i]; return n })(Array.from({ length: 1e6 }, (_, i) => i % 1000))`},
	{"fractions", `() => { let n = 0.5; for (let i = 0; i < 1000000; i++) n = n + 0.25; return n }`},
	{"short texts", `() => { let n = 0; for (let i = 0; i < 300000; i++) n = ('a' + i + 'b').length; return n }`},
}

func BenchmarkGathering(b *testing.B) {
	for _, where := range services {
		for _, c := range gathering {
			b.Run(where.Name+"/"+c.name, func(b *testing.B) { benchmarkCalls(b, where, c.text) })
		}
	}
}

// benchmarkCalls calls a function. The time of the processor is its own; that on the clock is others'
// too.
func benchmarkCalls(b *testing.B, where service, text string) {
	b.Helper()
	v, f := gatherer(b, where, text)
	b.ReportAllocs()
	before := v.CPUTime()
	for b.Loop() {
		if err := v.Enter(context.Background(), time.Minute, func() error {
			_, err := f(goja.Undefined())
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((v.CPUTime()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
}

// gatherer is a function of a text, in a VM of its own.
func gatherer(t testing.TB, where service, text string) (*VM, goja.Callable) {
	t.Helper()
	v, err := New(Options{Shared: where.Shared, Memory: NewMemory(MemoryOptions{PerVM: 256 << 20})})
	if err != nil {
		t.Fatal(err)
	}
	var f goja.Callable
	err = v.Enter(t.Context(), time.Minute, func() error {
		value, err := runRewritten(v, text)
		f, _ = goja.AssertFunction(value)
		return err
	})
	if err != nil || f == nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v, f
}
