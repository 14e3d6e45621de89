#!/usr/bin/env bash
# goja v0.0.0-20260917113740-793a2a65c13b (dop251/goja) with Go 1.25 or later: what a runtime still does after Interrupt has ended a loop and
# ClearInterrupt was called, by where the loop was.
#
# The behaviour: in a script, a function or a promise's reaction the interrupt leaves the runtime as it was before. In the body of an
# async function or of a generator it doesn't: the interpreter goes on taking itself for entered, so that the end of an
# entry isn't seen as such any more, and the queue of promises' jobs, which is run there, is never run again.
# Scripts and calls still work, and return no error.
#
# Guessed: an interrupt is one thing wherever it strikes: the API's own words are that the runtime can be used on once it was cleared; a
# generator that was cut off can't go on, but that is its own affair.
# Surprising: it is everybody's who shares the runtime, and it is silent: what was awaited just never comes. So a watchdog
# has to give up the runtime with the code that it stopped, or look whether a reaction of its own still runs.
#
# Seen on 2026-12-01 (whether a reaction that is queued afterwards runs):
#   script: yes
#   function: yes
#   reaction: yes
#   array callback: yes
#   generator: no
#   async function: no
#   async function after await: no
#   caught in an async function: no
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module run

go 1.25.0

require github.com/dop251/goja v0.0.0-20260917113740-793a2a65c13b
MOD
cat >main.go <<'GO'
package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/dop251/goja"
)

func main() {
	for _, c := range []struct{ where, script string }{
		{"script", `for (;;);`},
		{"function", `(() => { for (;;); })()`},
		{"reaction", `Promise.resolve().then(() => { for (;;); })`},
		{"array callback", `[1].forEach(() => { for (;;); })`},
		{"generator", `[...(function* () { for (;;); })()]`},
		{"async function", `(async () => { for (;;); })()`},
		{"async function after await", `(async () => { await 1; for (;;); })()`},
		{"caught in an async function", `(async () => { try { for (;;); } catch {} finally {} })()`},
	} {
		vm := goja.New()
		stop := time.AfterFunc(200*time.Millisecond, func() { vm.Interrupt("too long") })
		_, err := vm.RunString(c.script)
		stop.Stop()
		var interrupted *goja.InterruptedError
		if !errors.As(err, &interrupted) {
			panic(fmt.Sprint(c.where, " wasn't interrupted: ", err))
		}
		vm.ClearInterrupt()
		run := func(script string) goja.Value {
			v, err := vm.RunString(script)
			if err != nil {
				panic(err)
			}
			return v
		}
		run(`var ran = "no"; Promise.resolve().then(() => { ran = "yes"; })`)
		run(`1 + 1`) // one more entry that could run what is queued
		fmt.Printf("%s: %v\n", c.where, run(`ran`))
	}
}
GO
GOFLAGS=-mod=mod go mod tidy >/dev/null 2>&1
go run . >seen
cat seen
diff seen - <<'WANT'
script: yes
function: yes
reaction: yes
array callback: yes
generator: no
async function: no
async function after await: no
caught in an async function: no
WANT
