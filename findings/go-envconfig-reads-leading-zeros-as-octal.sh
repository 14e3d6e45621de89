#!/usr/bin/env bash
# github.com/sethvargo/go-envconfig v1.4.3: what whole numbers in variables may look like.
#
# The behaviour: they are read as Go's source would have them. A leading zero means octal: PORT=0100 is 64, and 08 or 0900 is an
# error. 0x10, 0b11 and 1_000 are numbers. A field of the type time.Duration takes a duration's text, and of bare numbers 0 alone;
# one of the type bool takes 0 and 1, and no 01.
#
# Guessed: decimal, as a shell's tools, ini files and YAML 1.2 have it: 0100 is a hundred, and 1_000 is refused.
# Surprising: it isn't refused but another number: who pads a port or a limit with zeros to line a file up gets half of it,
# without a word. With 8 or 9 among the digits it is refused, which looks as if the number were too large.
#
# Seen on 2026-11-30 (the variable, and the field or the error's last words):
#   N=100: 100
#   N=0100: 64
#   N=0900: parsing "0900": invalid syntax
#   N=1_000: 1000
#   N=0x10: 16
#   N=1e3: parsing "1e3": invalid syntax
#   D=010s: 10s
#   B=01: parsing "01": invalid syntax
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module look

go 1.26

require github.com/sethvargo/go-envconfig v1.4.3
MOD
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"
)

type fields struct {
	N int           `env:"N"`
	D time.Duration `env:"D"`
	B bool          `env:"B"`
}

func main() {
	for _, variable := range os.Args[1:] {
		name, value, _ := strings.Cut(variable, "=")
		var f fields
		err := envconfig.ProcessWith(context.Background(), &envconfig.Config{Target: &f, Lookuper: envconfig.MapLookuper(map[string]string{name: value})})
		switch {
		case err != nil:
			fmt.Printf("%s: %s\n", variable, regexp.MustCompile(`parsing .*`).FindString(err.Error()))
		case name == "D":
			fmt.Printf("%s: %v\n", variable, f.D)
		case name == "B":
			fmt.Printf("%s: %v\n", variable, f.B)
		default:
			fmt.Printf("%s: %d\n", variable, f.N)
		}
	}
}
GO
GOFLAGS=-mod=mod go run . N=100 N=0100 N=0900 N=1_000 N=0x10 N=1e3 D=010s B=01 2>/dev/null | tee seen
cat >expected <<'TXT'
N=100: 100
N=0100: 64
N=0900: parsing "0900": invalid syntax
N=1_000: 1000
N=0x10: 16
N=1e3: parsing "1e3": invalid syntax
D=010s: 10s
B=01: parsing "01": invalid syntax
TXT
diff expected seen
