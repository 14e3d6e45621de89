package compile

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/dop251/goja"
)

// FuzzCompile holds what Compile promises of any text: it comes back, with a program whose
// evaluation gives the module's function, or with an error that has a place in the text; and always
// with the same.
//
//	go test ./runtime/compile -fuzz FuzzCompile -fuzztime 60s
func FuzzCompile(f *testing.F) {
	for _, text := range []string{
		"export default async function run(x: number): Promise<number> { return x }",
		"import { proxyActivities as p } from '@temporalio/workflow';\nconst { a } = p<any>({ startToCloseTimeout: '1m' });\nexport const f = () => a();",
		"export class A { #x = 1; static { } @dec m() { using y = z; for await (const q of w) ; } }",
		"const r = /\\p{Lu}(?<n>a)[^\\]]/u; export { r as default, r as 'odd name' };",
		"export * from './other';\nexport enum E { A = 1 << 2 }\ndeclare global { var x: any }",
		"// @ts-ignore\nimport x = require('node:fs');\nexport = x;",
		"startChild(sibling, {}); export function* g() { yield `${`a`}`; } label: for (;;) break label;",
		"\ufeff#!/usr/bin/env node\n<!-- \u2028 --> \n\u0000", "let \\u{61} = 1; export { \\u{61} }", "export const x = ;", "import('x'); await 1;",
	} {
		f.Add(text, true)
		f.Add(text, false)
	}
	c := New(Config{MaxSourceBytes: 16 << 10})
	f.Cleanup(c.Close)
	f.Fuzz(func(t *testing.T, text string, isWorkflow bool) {
		s := Source{Name: "row.ts", Kind: Activity, Text: text}
		if isWorkflow {
			s.Kind = Workflow
		}
		p, err := c.Compile(t.Context(), s)
		if err != nil {
			checkError(t, text, err)
			return
		}
		again, err := New(Config{}).Compile(t.Context(), s)
		if err != nil || again.Hash != p.Hash || !slices.Equal(again.Exports, p.Exports) || !slices.Equal(again.Siblings, p.Siblings) {
			t.Fatalf("%q compiles to %+v, then to %+v, %v", text, p, again, err)
		}
		module, err := goja.New().RunProgram(linked(t, p))
		if err != nil {
			t.Fatalf("%q: the program doesn't give the module: %v", text, err)
		}
		if _, ok := goja.AssertFunction(module); !ok {
			t.Fatalf("%q: the program gives %v", text, module)
		}
	})
}

func checkError(t *testing.T, text string, err error) {
	t.Helper()
	var bad *Error
	if !errors.As(err, &bad) {
		t.Fatalf("%q: %v is nothing its author could mend", text, err)
	}
	lines := strings.Count(text, "\n") + strings.Count(text, "\r") + strings.Count(text, "\u2028") + strings.Count(text, "\u2029") + 1
	if bad.Message == "" || bad.File != "row.ts" || bad.Line < 0 || bad.Line > lines || bad.Column < 0 || (bad.Line == 0) != (bad.Column == 0) {
		t.Fatalf("%q: error %#v", text, bad)
	}
}
