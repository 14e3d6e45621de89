package sandbox

import (
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"
)

// shown tells values apart that JSON doesn't.
const shown = `(text) => {
	const show = (v) => Object.is(v, -0) ? '-0' : typeof v !== 'object' || v === null ? typeof v + ':' + String(v) :
		Array.isArray(v) ? '[' + v.length + ':' + v.map(show).join() + ']' :
		'{' + Object.getOwnPropertyNames(v).map((k) => k + '=' + show(Object.getOwnPropertyDescriptor(v, k).value)).join() + (Object.getPrototypeOf(v) === Object.prototype) + '}';
	try { return show(JSON.parse(text)); } catch (e) { return e.name; }
}`

// goja's own parser gives the same, where it gives anything.
func TestJSONIsReadAsGojaReadsIt(t *testing.T) {
	t.Parallel()
	native := goja.New()
	value, err := native.RunString(shown)
	if err != nil {
		t.Fatal(err)
	}
	theirs, _ := goja.AssertFunction(value)
	v, ours := gatherer(t, services[1], shown)
	texts := []string{
		`1`, `0`, `-0`, `-1`, `1.0`, `1.5`, `-1.5e3`, `1E2`, `1e-2`, `1e+2`, `123456789012345`, `1234567890123456`, `9007199254740993`, `-9007199254740993`, `123456789012345678901234567890`,
		`0.1`, `5e-324`, `1e-400`, `1.7976931348623157e308`, `100000000000000000000000`, `00`, `01`, `-01`, `-`, `+1`, `.5`, `1.`, `1e`, `1e+`, `1.e1`, `0x10`, `Infinity`, `NaN`, `-a`,
		`true`, `false`, `null`, `tru`, `truex`, `nul`, `undefined`, ``, ` `, " \t\n\r1 \t\n\r", "\u00a01", "\v1", "\uFEFF1", `1 2`, `1,`,
		`""`, `"a"`, `"é"`, `"日本"`, `"😀"`, `"a\"b\\c\/d\b\f\n\r\t"`, `"\u0041\u00e9\u20AC\u0000"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\x41"`, `"\u12"`, `"\u12g4"`, `"\u+123"`, `"\`, `"a`, "\"a\nb\"", "\"\x00\"", "\"\x7f\"", `'a'`,
		`"` + strings.Repeat("a", 1000) + `"`, `"` + strings.Repeat("ä", 1000) + `\n"`, `"` + strings.Repeat("ä", 1000) + `"`,
		`[]`, `[ ]`, `[1]`, `[1,2 , 3]`, `[1,]`, `[,1]`, `[1 2]`, `[`, `]`, `[1`, `[[],[[]]]`, `[null,true,"a",{}]`, `[1}`, `[0,1,-1,255,256,-256,-257,1023,1024]`,
		`{}`, `{ }`, `{"a":1}`, `{"a" : 1 , "b":[1]}`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1 "b":2}`, `{"a":1,"a":2,"b":3,"a":4}`, `{"2":1,"b":2,"1":3}`, `{"__proto__":1}`, `{"__proto__":{"a":1},"constructor":2,"toString":3}`,
		`{"":1}`, `{"é":1,"\u00e9":2,"a\nb":3}`, `{"a":{"b":{"c":[{"d":1}]}}}`, `{1:2}`, `{"a":1}}`, `{"a":1]`, `[{"id":1,"name":"a"},{"id":2,"name":"b"},{"name":"c","id":3}]`, `/**/1`, `1//`,
	}
	for _, text := range texts {
		want, err := theirs(goja.Undefined(), native.ToValue(text))
		if err != nil {
			t.Fatal(err)
		}
		err = v.Enter(t.Context(), time.Minute, func() error {
			got, err := ours(goja.Undefined(), v.Runtime.ToValue(text))
			// Node has bodies of pairs and what is beyond a double otherwise, as we do.
			if err == nil && !got.StrictEquals(v.Runtime.ToValue(want.String())) && !strings.Contains(text, `\ud`) && !strings.Contains(text, "e-400") {
				t.Errorf("%.60s: %.200s, not %.200s", text, got, want)
			}
			return err
		})
		if err != nil {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

func TestJSONIsReadNoLongerThanTheTime(t *testing.T) {
	t.Parallel()
	v, parse := gatherer(t, services[0], `(t => () => JSON.parse(t))('[' + '1,'.repeat(2 ** 21) + '1]')`)
	before := v.CPUTime()
	err := v.Enter(t.Context(), 10*time.Millisecond, func() error {
		_, err := parse(goja.Undefined())
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "ran for longer") {
		t.Errorf("%v after %v", err, v.CPUTime()-before)
	}
}

func BenchmarkJSONParse(b *testing.B) {
	for name, text := range map[string]string{
		"numbers": `(t => () => JSON.parse(t).length)('[' + '123456789,'.repeat(100000) + '1]')`,
		"rows":    `(t => () => JSON.parse(t).length)(JSON.stringify(Array.from({ length: 10000 }, (_, i) => ({ id: i, name: 'name of ' + i, price: i / 7, tags: ['a', 'b'], ok: true }))))`,
		"small":   `(t => () => JSON.parse(t).id)('{"id":1,"name":"a"}')`,
	} {
		b.Run(name, func(b *testing.B) {
			v, f := gatherer(b, services[0], text)
			b.ReportAllocs()
			before := v.CPUTime()
			for b.Loop() {
				if err := v.Enter(b.Context(), time.Minute, func() error { _, err := f(goja.Undefined()); return err }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((v.CPUTime()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}
