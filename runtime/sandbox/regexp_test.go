package sandbox

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestRegExpsAreThoseOfTheLanguage(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		// What matches.
		`return /(?:(a)|b)*/.exec('ab')[1] + /(z)((a+)?(b+)?(c))*/.exec('zaacbbbcac').join('|')`:                                                   "undefinedzaacbbbcac|z|ac|a||c",
		`return /(?<=(\d+)(\d+))$/.exec('1053').slice(1) + /(?<!\$)\b\d+/.exec('$42 7')[0]`:                                                        "1,0537",
		`return /ß/i.test('ẞ') + ' ' + /ß/iu.test('ẞ') + ' ' + /s/i.test('ſ') + /s/iu.test('ſ')`:                                                   "false true falsetrue",
		`return /(?i:a)b/.test('Ab') + ' ' + /(?i:a)b/.test('AB') + ' ' + /(?-i:a)b/i.test('aB')`:                                                  "true false true",
		`const r = /(?<y>\d{4})-\d\d|\d\d\/(?<y>\d{4})/; return r.exec('05/2024').groups.y + Object.keys(r.exec('2024-05').groups)`:                "2024y",
		`const m = /a(?<n>b)?(c)/d.exec('xac'); return JSON.stringify(m.indices) + m.indices.groups.n + Object.getPrototypeOf(m.groups)`:           `[[1,3],null,[2,3]]undefinednull`,
		`return [/[\p{L}--[a-z]]/v.test('a'), /^[\q{abc|d}]$/v.test('abc'), /[[a-z]&&[aeiou]]/v.test('b'), /\p{scx=Grek}/u.test('\u0342')].join()`: "false,true,false,true",
		`return /a.c/u.exec('xa😀c').index + ',' + '😀'.match(/./gv).length + ',' + '😀'.split(/(?:)/u).length + '😀'.split(/(?:)/).length`:            "1,1,12",
		// What objects are.
		`const r = new RegExp('a/b', 'dgimsvy'); return [r instanceof RegExp, r.flags, r.source, r.unicodeSets, r.hasIndices, r.lastIndex, Object.keys(r), String(r)].join()`: `true,dgimsvy,a\/b,true,true,0,,/a\/b/dgimsvy`,
		`return [new RegExp('/').source, new RegExp('[/]').source, new RegExp('\n').source, new RegExp('').source, RegExp.prototype.source, RegExp.prototype.flags].join()`:   `\/,[/],\n,(?:),(?:),`,
		`const a = /(?<a>x)|(?<a>y)/v; const b = new RegExp(a), c = RegExp(a); return (a !== b) + b.source + b.flags + (c === a) + new RegExp(a, 'i').flags`:                  `true(?<a>x)|(?<a>y)vtruei`,
		`class R extends RegExp { exec(s) { const m = super.exec(s); return m && Object.assign(m, { 0: m[0].toUpperCase() }) } }
		 const r = new R('(?<=a)b', 'g'); return [r instanceof R, 'abab'.replace(r, '[$&]'), 'ab'.match(r), r.test('ab'), 'cab'.search(r), 'xabx'.split(r)].join()`: `true,a[B]a[B],B,true,2,xa,x`,
		`const r = /(a+)+b/y; r.lastIndex = 1; return r.test('xaab') + ' ' + r.lastIndex + r.test('xaab') + r.lastIndex`:                      "true 4false0",
		`const r = Object.freeze(/a/g); try { r.test('b'); return 1 } catch (e) { return e.name }`:                                            "TypeError",
		`return 'x-y'.replace(/(?<a>\w)-(?<b>\w)/, '$<b>$1$$$&$\'$3$<c>') + 'aa'.replaceAll(/(?=a)/g, '.')`:                                   "yx$x-y$3.a.a",
		`return 'abc'.replace(/(?<x>b)(?<z>q)?/, (...args) => JSON.stringify(args))`:                                                          `a["b","b",null,1,"abc",{"x":"b"}]c`,
		`return [...'a1b22'.matchAll(/(?<d>\d)+/g)].map((m) => m.index + m[0] + m.groups.d).join() + [...'😀'.matchAll(/(?:)/gv)].length`:      "111,32222",
		`return ['a,b;c'.split(/[,;]/), 'abc'.split(/(b)/), 'abc'.split(/(?:)/, 2), ''.split(/a/).length, ''.split(/(?:)/).length].join('|')`: "a,b,c|a,b,c|a,b|1|0",
		`return 'a.b'.match('(?i:A)')[0] + 'ab'.search('(?<=a)b') + [...'aab'.matchAll('a')].length + 'x'.match()[0].length`:                  "a120",
		`const r = /a/; r.exec = () => null; return r.test('a') + ' ' + 'a'.replace(r, 'b') + 'a'.match(r)`:                                   "false anull",
		`const o = { get flags() { return 'g' }, exec() { return this.n-- > 0 ? { 0: 'b', index: 1, length: 1 } : null }, n: 1, set lastIndex(v) {} };
		 return RegExp.prototype[Symbol.replace].call(o, 'abc', 'X')`: "aXc",
		`const r = /a/g; r.compile('(?<=b)c', 'i'); return r.source + r.flags + r.test('bC')`:                                                                   "(?<=b)citrue",
		`return [RegExp.name, RegExp.length, RegExp.prototype.exec.name, RegExp.prototype[Symbol.split].length, /\[native code\]/.test(String(RegExp))].join()`: "RegExp,2,exec,2,true",
		`return Object.getOwnPropertyNames(RegExp.prototype).sort().join()`:                                                                                     "compile,constructor,dotAll,exec,flags,global,hasIndices,ignoreCase,multiline,source,sticky,test,toString,unicode,unicodeSets",
		// What is none.
		`try { new RegExp('(?<a>.)(?<a>.)') } catch (e) { return e.name + e.message }`:                 "SyntaxErrorInvalid regular expression: /(?<a>.)(?<a>.)/: Duplicate capture group name",
		`try { RegExp('a', 'gg') } catch (e) { return e.message }`:                                     "Invalid flags supplied to RegExp constructor 'gg'",
		`try { 'a'.match('(') } catch (e) { return e.message }`:                                        "Invalid regular expression: /(/: Unterminated group",
		`try { new RegExp('\\p{RGI_Emoji}', 'v') } catch (e) { return e.name + e.message.slice(-60) }`: `SyntaxErrornot supported: name the property of characters, as \p{Emoji}`,
		`try { RegExp.prototype.exec.call({}, '') } catch (e) { return e.name }`:                       "TypeError",
		`try { RegExp.prototype.exec.call(new Proxy(/a/, {}), '') } catch (e) { return e.name }`:       "TypeError",
		`return '\x01g\x01a'.replace(new RegExp('\x01g\x01a'), 'y') + /a/.test('\x01')`:                "yfalse",
		// Programs made while code runs.
		`return eval('/(?i:a)[\\p{L}--z]/v.test("Ab")') + new Function('a', 'b = /(?<x>y)|(?<x>z)/d', 'return b.exec(a).groups.x')('z') + eval('1/2/1')`: "truez0.5",
		`try { eval('/(?<a>.)(?<a>.)/') } catch (e) { return e.name + e.message }`:                                                                       "SyntaxErrorInvalid regular expression: /(?<a>.)(?<a>.)/: Duplicate capture group name",
		`try { new Function('return /a/gg') } catch (e) { return e.name + e.message }`:                                                                   "SyntaxErrorInvalid regular expression flags",
		`try { eval("'a\\u{20BB7}b\\u{10FFFF}c'") } catch (e) { return e.name }`:                                                                         "SyntaxError",
		`return eval('/\ud83d/').test('\ud83d')`:                                                                                                         "true",
	} {
		for _, shared := range []bool{false, true} {
			v, err := New(Options{Shared: shared})
			if err != nil {
				t.Fatal(err)
			}
			var got string
			err = v.Enter(context.Background(), time.Minute, func() error {
				// As the compiler does it.
				value, err := v.Runtime.RunString("(() => {" + v.globals.RegExps.Disguised([]string{"(() => {", "})()"}, code)[0] + "})()")
				if err == nil {
					got = value.String()
				}
				return err
			})
			if err != nil || got != want {
				t.Errorf("%s = %s, %v; want %s (shared: %v)", code, got, err, want, shared)
			}
		}
	}
}

func TestTheLastMatchIsToldWhereNoOtherExecutionSeesIt(t *testing.T) {
	t.Parallel()
	const code = `/(b)(c)?/.exec('abd'); [RegExp.$1, RegExp.$2, RegExp.lastMatch, RegExp['$+'], RegExp.leftContext, RegExp["$'"], RegExp.input].join('|')`
	for shared, want := range map[bool]string{false: "b||b||a|d|abd", true: "||||||"} {
		v, err := New(Options{Shared: shared})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := run(t, v, code); err != nil || got.String() != want {
			t.Errorf("%v, %v; want %s", got, err, want)
		}
	}
}

// Each of these takes some seconds in any engine that goes back.
func TestNoRegExpHoldsACore(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]string{
		"captures in loops":     `/((a+)+)+$/.test('a'.repeat(28) + 'b')`,
		"back-reference":        `/(a+)+\1$/.test('a'.repeat(28) + 'b')`,
		"lookahead":             `/(?=((a+)+)+$)[ab]/.test('a'.repeat(28) + 'b')`,
		"alternatives":          `/^((a|a)*)$/.test('a'.repeat(28) + 'b')`,
		"counted":               `/(x{0,9}y?){0,30}z/.test('x'.repeat(30))`,
		"caught":                `while (true) try { /((a+)+)+$/.test('a'.repeat(28) + 'b') } catch {}`,
		"from a builtin":        `Array(1e5).fill('a'.repeat(28) + 'b').map((s) => /((a+)+)+$/.test(s))`,
		"replace":               `('a'.repeat(28) + 'b').replace(/((a+)+)+$/g, 'x')`,
		"split":                 `('a'.repeat(28) + 'b').split(/((a+)+)+$/)`,
		"empty rounds":          `/(?:(?:)){200000000}(?:(?:)){200000000}b/.test('b')`,
		"empty matches forever": `class R extends RegExp { exec() { return [''] } } 'a'.replace(new R('a', 'g'), '')`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := New(Options{})
			if err != nil {
				t.Fatal(err)
			}
			const budget = 200 * time.Millisecond
			begin := threadCPU()
			err = v.Enter(context.Background(), budget, func() error {
				begin = threadCPU()
				_, err := v.Runtime.RunString(code)
				return err
			})
			var interrupted *Interrupted
			full := err != nil && strings.Contains(err.Error(), "goes back too far") // on a machine that is fast enough
			if !errors.As(err, &interrupted) && !full {
				t.Errorf("%v", err)
			}
			if took := begin.used(); took > budget+3*time.Second {
				t.Errorf("took %v of the processor", took)
			}
		})
	}
}

// What Go's engine can match, too, takes time that grows with the text and no faster.
func TestWhatNeedsNoGoingBackIsLinear(t *testing.T) {
	t.Parallel()
	v, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	code := `[/^(?:a+)+$/.test('a'.repeat(5000) + 'b'), /(?:a|a|aa)+$/.test('é' + 'a'.repeat(2000) + 'b'), /(?:x+x+)+y/.exec('x'.repeat(3000) + 'y')[0].length].join()`
	if got, err := run(t, v, code); err != nil || got.String() != "false,false,3001" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestGoingBackTooFarIsARangeError(t *testing.T) {
	t.Parallel()
	v, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	code := `try { /^(?:(a)|(b))*c/.test('ab'.repeat(6e5)) } catch (e) { e.name + e.message }`
	err = v.Enter(context.Background(), time.Minute, func() error {
		got, err := v.Runtime.RunString(code)
		if err == nil && !strings.HasPrefix(got.String(), "RangeErrorthe regular expression goes back too far") {
			t.Error(got)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
