package build

import (
	"strings"
	"testing"

	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/runtime/activity"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/workflow"
)

func TestNamesThatPackagesDoNotHave(t *testing.T) {
	t.Parallel()
	c := compile.New(compile.Config{Modules: stacktest.Packages(t)})
	t.Cleanup(c.Close)
	b := New(Options{
		Compiler: c, Workflows: func(string) workflow.CodeOptions { return workflow.CodeOptions{} },
		Activities: func(string) activity.CodeOptions { return activity.CodeOptions{} },
	})
	for _, tc := range []struct {
		text    string
		refused string // its place and what it says
		warned  string
	}{
		{"import { z } from 'zod';\nexport const a = async () => z.string().parse('x')", "", ""},
		{"import { zz } from 'zod';\nexport const a = async () => zz.string()", `1:10 "zod" has no "zz"`, ""},
		{"import * as zod from 'zod';\nexport const a = async () => zod.strng()", `2:30 "zod" has no "strng": did you mean "string"?`, ""},
		{"import * as zod from 'zod';\nexport const a = async () => zod.strng?.()", "", ""},
		{"import * as zod from 'zod';\nexport const a = async () => { const s = zod.strng; return s }", "", `2:42 "zod" has no "strng"`},
		{"import zod, { type ZodType, ZodTypeAny } from 'zod';\nexport type { Nonsense } from 'zod';\nexport { Any } from 'zod';\nexport const a = async (t: ZodType | ZodTypeAny) => zod.string()", "", ""},
		{"import _, { chunk, chunkk } from 'lodash';\nexport const a = async () => [_.chunk, chunk, chunkk]", `1:20 "lodash" has no "chunkk": did you mean "chunk"?`, ""},
		{"import chunk from 'lodash/chunk';\nexport const a = async () => chunk([])", "", ""},
	} {
		for _, build := range []func() (*Module, error){
			func() (*Module, error) {
				return b.Workflow(t.Context(), "p", Text{Kind: KindWorkflow, Name: "a", Code: tc.text}, "")
			},
			func() (*Module, error) {
				return b.Component(t.Context(), "p", "", Text{Kind: KindComponent, Name: "a", Code: tc.text}, "")
			},
		} {
			m, err := build()
			refused, warned := "", ""
			if err != nil {
				refused = strings.TrimPrefix(err.Error(), "a.ts:")
			} else if len(m.Warnings) > 0 {
				warned = (&compile.Error{File: "a.ts", Line: m.Warnings[0].Line, Column: m.Warnings[0].Column, Message: m.Warnings[0].Message}).Error()
				warned = strings.TrimPrefix(warned, "a.ts:")
			}
			refused = strings.Replace(refused, ": ", " ", 1)
			warned = strings.Replace(warned, ": ", " ", 1)
			if !strings.HasPrefix(refused, tc.refused) || !strings.HasPrefix(warned, tc.warned) || tc.refused == "" && refused != "" || tc.warned == "" && warned != "" {
				t.Errorf("%s\nrefused %q, want %q; warned %q, want %q", tc.text, refused, tc.refused, warned, tc.warned)
			}
		}
	}
}
