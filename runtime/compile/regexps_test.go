package compile

import (
	"context"
	"errors"
	"testing"
	"time"

	"workflow-worker/runtime/sandbox"
)

func TestErrorsOfLiteralsAreThoseOfV8WithTheirPlace(t *testing.T) {
	t.Parallel()
	c := New(Config{})
	for literal, want := range map[string]string{
		`/\p{scx=Nope}/u`:        `a.ts:2:18: Invalid regular expression: /\p{scx=Nope}/u: Invalid property name`,
		`/(?<a>.)(?<a>.)/`:       `a.ts:2:18: Invalid regular expression: /(?<a>.)(?<a>.)/: Duplicate capture group name`,
		`/\-/u`:                  `a.ts:2:18: Invalid regular expression: /\-/u: Invalid escape`,
		`/a**/`:                  `a.ts:2:18: Invalid regular expression: /a**/: Nothing to repeat`,
		`/[a--b&&c]/v`:           `a.ts:2:18: Invalid regular expression: /[a--b&&c]/v: Invalid set operation in character class`,
		`/a/uv`:                  `a.ts:2:18: Invalid regular expression flags`,
		`f(1, /(?i-i:a)/)`:       `a.ts:2:23: Invalid regular expression: /(?i-i:a)/: Repeated flag in flag group`,
		"`${/(/}`":               "a.ts:2:21: Invalid regular expression: /(/: Unterminated group",
		`class { x = /(?<=a)*/}`: `a.ts:2:30: Invalid regular expression: /(?<=a)*/: Invalid quantifier`,
	} {
		_, err := c.Compile(t.Context(), Source{Name: "a.ts", Kind: Workflow, Text: "export const a: number = 1;\nexport const b = " + literal + ";\nexport function run() {}"})
		var e *Error
		if !errors.As(err, &e) || e.Error() != want {
			t.Errorf("%s: %v, want %s", literal, err, want)
		}
	}
}

// A literal means what it says, whatever is called RegExp, and each evaluation makes an object.
func TestLiteralsOfAllKindsRun(t *testing.T) {
	t.Parallel()
	p, err := New(Config{}).Compile(t.Context(), Source{Name: "a.ts", Kind: Workflow, Text: `
const RegExp = 1;
const make = (): any => /(?i:a)(?<n>b)|(?<n>c)/dg;
export function run(): string {
  const r = make(), m = r.exec('xAb');
  return [make() !== make(), r.lastIndex, m.indices[0], m.groups.n, r.exec('c')?.groups.n, r.flags, r.source,
    /[\p{L}--[a-z]]/v.test('a'), /^[\q{abc|d}]$/v.test('abc'), String(/[/\]/]\//y), make.toString().slice(6), "a/b".replace(/\//g, '/c/')].join(' ');
}`})
	if err != nil {
		t.Fatal(err)
	}
	v, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = v.Enter(context.Background(), time.Minute, func() error {
		f, err := v.Runtime.RunProgram(linked(t, p))
		if err != nil {
			return err
		}
		_ = v.Runtime.Set("f", f)
		got, err := v.Runtime.RunString(`const m = { exports: {} }; f(() => ({}), m, m.exports); m.exports.run()`)
		want := `true 3 1,3 b  dg (?i:a)(?<n>b)|(?<n>c) false true /[/\]/]\//y /(?i:a)(?<n>b)|(?<n>c)/dg a/c/b`
		if err == nil && got.String() != want {
			t.Errorf("%v, want %s", got, want)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
