#!/usr/bin/env bash
# Go 1.26: a program built with -race and, for one of its packages, -gcflags='PACKAGE=-race=false'.
#
# The behaviour: go build hands its own -race to the compiler first and what -gcflags says of a package after it, so the last
# one counts; the linker takes both kinds of packages. The program has the detector, and sees nothing of what that package
# reads and writes: two goroutines that change its variable are no race, the same two on another package's variable are one.
# A value that it is given is watched where others touch it, but a race needs two watched sides, so its own writes make
# none; unless a function of its is inlined into a package that is watched: there it is that package's. What it locks still
# counts, for the standard library tells the detector of its mutexes itself.
#
# Guessed: -race is of the whole program; the flag is refused, or the linker finds two kinds of packages in one program.
# Surprising: it is quiet about it, and the way to have a package that takes ten times as long under the detector, and is
# used by one goroutine at a time, at its own speed in the tests of all others.
#
# Seen on 2026-11-30:
#   all watched: inside a 1, inside b 1, by b's call 1, by b inlined 1, ordered by b 0
#   b left out: inside a 1, inside b 0, by b's call 0, by b inlined 1, ordered by b 0
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir a b
printf 'module run\n\ngo 1.26\n' >go.mod
cat >a/a.go <<'GO'
package a

var n int

func Add() { n++ }

func Set(p *int) { *p = 1 }
GO
cat >b/b.go <<'GO'
package b

import "sync"

var n int

func Add() { n++ }

func Set(p *int) { *p = 1 }

//go:noinline
func SetByCall(p *int) { *p = 1 }

var mu sync.Mutex

func Locked(f func()) {
	mu.Lock()
	defer mu.Unlock()
	f()
}
GO
cat >main.go <<'GO'
package main

import (
	"os"
	"sync"

	"run/a"
	"run/b"
)

func main() {
	var shared int
	pairs := map[string][2]func(){
		"inside a":     {a.Add, a.Add},
		"inside b":     {b.Add, b.Add},
		"by b's call":  {func() { a.Set(&shared) }, func() { b.SetByCall(&shared) }},
		"by b inlined": {func() { a.Set(&shared) }, func() { b.Set(&shared) }},
		"ordered by b": {func() { b.Locked(a.Add) }, func() { b.Locked(a.Add) }},
	}
	var wg sync.WaitGroup
	for _, f := range pairs[os.Args[1]] {
		wg.Go(f)
	}
	wg.Wait()
}
GO
try() { # name, flags
  local name=$1 line=
  shift
  CGO_ENABLED=1 go build -race "$@" -o run .
  for pair in 'inside a' 'inside b' "by b's call" 'by b inlined' 'ordered by b'; do
    n=0
    for _ in $(seq 20); do # until the detector has seen it, as two goroutines may follow each other in time
      out=$(./run "$pair" 2>&1) || true
      if grep -q 'DATA RACE' <<<"$out"; then n=1; break; fi
    done
    line="$line, $pair $n"
  done
  echo "$name:${line#,}"
}
{
  try 'all watched'
  try 'b left out' -gcflags='run/b=-race=false'
} | tee seen
cat >expected <<'TXT'
all watched: inside a 1, inside b 1, by b's call 1, by b inlined 1, ordered by b 0
b left out: inside a 1, inside b 0, by b's call 0, by b inlined 1, ordered by b 0
TXT
diff expected seen
