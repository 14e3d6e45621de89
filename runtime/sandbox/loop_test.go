package sandbox

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language/linear"
)

// writer writes functions of loops that compute with numbers, and with what turns out to be none.
type writer struct {
	r      *rand.Rand
	names  []string // in scope
	fresh  int
	inLoop int
}

func (w *writer) pick(list ...string) string { return list[w.r.IntN(len(list))] }

func (w *writer) expression(depth int) string {
	if depth == 0 || w.r.IntN(4) == 0 {
		switch w.r.IntN(8) {
		case 0, 1:
			return w.pick("0", "1", "2", "3", "7", "31", "255", "1000003", "-1", "2147483647", "4294967296", "9007199254740991", "1.5", "-7")
		case 2:
			return w.pick("text.length", "list.length", "wide.length")
		case 3:
			return w.pick("text", "wide", "list") + ".length"
		default:
			return w.pick(w.names...)
		}
	}
	x := func() string { return w.expression(depth - 1) }
	switch w.r.IntN(12) {
	case 0:
		return w.pick("text", "wide") + ".charCodeAt(" + x() + ")"
	case 1:
		return w.pick("list", "mixed") + "[" + x() + "]"
	case 2:
		if w.r.IntN(4) == 0 {
			return "(" + w.pick(w.names...) + w.pick(" < ", " === ", " >= ") + x() + " ? " + x() + " : " + x() + ")"
		}
		fallthrough
	default:
		return "(" + x() + w.pick(" + ", " - ", " * ", " % ", " & ", " | ", " ^ ", " << ", " >> ", " >>> ") + x() + ")"
	}
}

// condition begins with a variable: goja leaves out what a comparison of constants rules out, and not
// rightly where there is a variable or a jump in it.
func (w *writer) condition() string {
	return w.pick(w.names...) + w.pick(" < ", " <= ", " > ", " >= ", " === ", " !== ") + w.expression(1)
}

func (w *writer) statement(depth int) string {
	set := func() string { return w.pick("a", "b", "c") }
	switch n := w.r.IntN(30); {
	case n < 15 || depth == 0:
		return set() + w.pick(" = ", " += ", " -= ", " *= ", " ^= ", " |= ", " %= ", " <<= ") + w.expression(2) + ";"
	case n < 18:
		return set() + w.pick("++", "--") + ";"
	case n < 21:
		return "if (" + w.condition() + ") " + w.block(depth-1) + w.pick("", " else "+w.block(depth-1))
	case n < 23 && w.inLoop > 0:
		return "if (" + w.condition() + ") " + w.pick("break;", "continue;")
	case n < 26:
		w.fresh++
		name := fmt.Sprintf("v%d", w.fresh)
		w.names = append(w.names, name)
		return w.pick("const ", "let ", "let ") + name + " = " + w.expression(1) + ";"
	case n == 26:
		return w.pick("a = text;", "c = 1.5;", "b = undefined;", "list = [...list.slice(0, 8), 3];", "a = list;", "seen.push(a);", "b = -0;", "text = 'äb' + text.slice(0, 20);", "c = { valueOf() { seen.push('v'); return 3 } };")
	default:
		return w.loop(depth - 1)
	}
}

func (w *writer) block(depth int) string {
	before := len(w.names)
	var b strings.Builder
	b.WriteString("{ ")
	for range 1 + w.r.IntN(3) {
		b.WriteString(w.statement(depth) + " ")
	}
	w.names = w.names[:before]
	return b.String() + "}"
}

func (w *writer) loop(depth int) string {
	w.fresh++
	name := fmt.Sprintf("i%d", w.fresh)
	before := len(w.names)
	w.inLoop++
	defer func() { w.names = w.names[:before]; w.inLoop-- }()
	most := w.pick("3", "7", "20", "text.length", "list.length")
	w.names = append(w.names, name)
	switch w.r.IntN(3) {
	case 0:
		return "{ let " + name + " = " + most + "; while (" + name + " > 0) { " + name + "--; left--; if (left < 0) break; " + w.block(max(depth, 0)) + " } }"
	case 1:
		return "for (let " + name + " = 0; " + name + " < " + most + " && left-- > 0; " + name + "++) " + w.block(max(depth, 0))
	}
	return "for (let " + name + " = 0; " + name + " < " + most + "; " + name + "++) { left = left - 1; if (left < 0) break; " + w.block(max(depth, 0)) + " }"
}

func (w *writer) function() string {
	w.names = []string{"a", "b", "c"}
	return `(() => { let a = 1, b = 2, c = 3, left = 300, text = 'some text', wide = '\u00e4\u4e00' + text, list = [5, 6, 7, 8, 9], mixed = [1, 'x', 1.5, , 4]; const seen = [];
		const show = (v) => Object.is(v, -0) ? '-0' : String(v);
		try { ` + w.loop(2) + " " + w.loop(2) + ` } catch (e) { seen.push(e.name) }
		return [a, b, c, left, text, list, seen].map(show).join(';') })()`
}

func differs(t *testing.T, v *VM, text string) {
	t.Helper()
	show := func(value goja.Value, err error) string {
		if err != nil {
			name, _, _ := strings.Cut(err.Error(), ":") // wording names the variable
			return name
		}
		return value.String()
	}
	native := goja.New()
	stuck := time.AfterFunc(2*time.Second, func() { native.Interrupt("too long") })
	want := show(native.RunString(text))
	if stuck.Stop(); strings.Contains(want, "too long") {
		return // it comes to no end
	}
	program, err := goja.Compile("", text, false)
	if err != nil {
		return // goja can't compile it
	}
	linear.Tune(program)
	for range 2 {
		err = v.Enter(t.Context(), time.Minute, func() error {
			v.Former.Zeros = true // as goja
			if got := show(v.Runtime.RunProgram(program)); got != want {
				t.Errorf("%s:\n%s, want\n%s", text, got, want)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestLoopsComeToWhatTheyComeToInGoja(t *testing.T) {
	t.Parallel()
	v := newVM(t)
	for _, text := range []string{
		`(() => { let sum = 0; for (let i = 0; i < 20000; i++) sum = (sum * 31 + i) % 1000003; return sum })()`,
		`(() => { let h = 0; const s = 'abcä'; for (let i = 0; i < s.length; i++) { h = (h << 5) - h + s.charCodeAt(i); h |= 0 } return h })()`,
		`(() => { let n = 9007199254740980; for (let i = 0; i < 100; i++) n = n + 1; return n })()`,
		`(() => { let n = 1; for (let i = 0; i < 100; i++) n = n * 3; return n })()`,
		`(() => { let n = 0; for (let i = 0; i < 5000; i++) { for (let j = 0; j < 5; j++) { const x = i ^ j; if (x === 7) continue; if (x > 4000) break; n += x } } return n })()`,
		`(() => { let n = 0, list = [3, 4, 'x', 5]; for (let i = 0; i < 4; i++) n = n + list[i]; return n })()`,
		`(() => { let n = 0; for (let i = 0; i < 3; i++) { const f = () => i; n = n * 10 + f() } return n })()`,
		`(() => { let n = 0; try { for (let i = 0; i < 5; i++) { n = n + later; let later = 1 } } catch (e) { return e.name + n } })()`,
		`(() => { let n = 0; try { for (let i = 0; i < 3; i++) { if (i === 1) n = n + x; let x = 5; n = n + x } } catch (e) { return e.name + n } })()`,
		`(() => { let n = -5; for (let i = 0; i < 10; i++) n = n * i; return Object.is(n, -0) + ':' + n })()`,
		`(() => { let n = 7; for (let i = 0; i < 10; i++) n = (n - 5) % 3; return 1 / n })()`,
		`(function (m) { let n = 0; for (let i = 0; i < m; i++) n += i; return n + arguments.length })(50, 2)`,
		`(() => { let out = ''; for (let i = 0; i < 3; i++) { let n = 0; while (n < 5) { n++; if (n === 3) { const k = n * 2; out += k; break } } } return out })()`,
	} {
		differs(t, v, text)
	}
	seeds := 3000
	if testing.Short() {
		seeds = 300
	}
	for seed := range seeds {
		w := writer{r: rand.New(rand.NewPCG(uint64(seed), 7))} //nolint:gosec // it is not about chance
		differs(t, v, w.function())
		if t.Failed() {
			t.Fatal(seed)
		}
	}
}

// Whoever changes charCodeAt is heard, and so is the end of the time.
func TestLoopsAreInterruptedAndSeeChangedBuiltins(t *testing.T) {
	t.Parallel()
	v := newVM(t)
	err := v.Enter(t.Context(), time.Minute, func() error {
		got, err := runRewritten(v, `(() => { let n = 0; const s = 'abc'; String.prototype.charCodeAt = () => 1; for (let i = 0; i < 3; i++) n = n + s.charCodeAt(i); return n })()`)
		if err == nil && got.ToInteger() != 3 {
			t.Errorf("the changed builtin gives %v", got)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		`(() => { let n = 1; for (;;) n = (n * 31 + 7) % 1000003 })()`,
		`(() => { let n = 1, i = 0; while (i < 10) { n = (n + 1) % 5; i = n * 0 } })()`,
	} {
		err := v.Enter(t.Context(), 50*time.Millisecond, func() error {
			_, err := runRewritten(v, text)
			return err
		})
		if _, ok := err.(*Interrupted); !ok { //nolint:errorlint // as it is
			t.Errorf("%s: %v", text, err)
		}
	}
}
