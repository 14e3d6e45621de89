package compile

import (
	"errors"
	"testing"

	"github.com/dop251/goja"
)

func TestUnicodePropertiesOfLiteralsMatch(t *testing.T) {
	t.Parallel()
	p, err := New(Config{}).Compile(t.Context(), Source{Name: "a.ts", Kind: Workflow, Text: `
import { sleep } from '@temporalio/workflow';
export const words = (s: string) => s.match(/[\p{L}\p{M}]+/gu);
export function run() { return sleep(1) }`})
	if err != nil {
		t.Fatal(err)
	}
	r := goja.New()
	f, err := r.RunProgram(p.JS)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Set("f", f)
	got, err := r.RunString(`const m = { exports: {} }; f(() => ({}), m, m.exports); m.exports.words("1éà2 Жук").join()`)
	if err != nil || got.String() != "éà,Жук" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestUnknownUnicodePropertyIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	_, err := New(Config{}).Compile(t.Context(), Source{Name: "a.ts", Kind: Workflow, Text: "export const a: number = 1;\n" + `export const b = /\p{scx=Greek}/u;` + "\nexport function run() {}"})
	var e *Error
	if !errors.As(err, &e) || e.Line != 2 || e.Column != 18 {
		t.Errorf("%+v", err)
	}
}
