package sandbox

import (
	"context"
	"testing"
	"time"
)

// What expressions cost over texts of two lengths: those that Go's own engine could match, too, and
// those that only a backtracking one can.
func BenchmarkRegExp(b *testing.B) {
	for _, c := range []struct{ name, code string }{
		{"literal test, none", `const re = /zebra/; () => re.test(text)`},
		{"literal test, end", `const t = text + "zebra"; const re = /zebra/; () => re.test(t)`},
		{"class test, none", `const re = /\d+-\d+/; () => re.test(text)`},
		{"alternatives test, none", `const re = /cat|bird|horse/; () => re.test(text)`},
		{"literal replace", `const re = /lazy/; () => text.replace(re, "x")`},
		{"literal replace all", `const re = /fox/g; () => text.replace(re, "cat")`},
		{"words replace all", `const re = /(\w+) (\w+)/g; () => text.replace(re, "$2 $1")`},
		{"words match all", `const re = /\w+/g; () => text.match(re).length`},
		{"split", `const re = /;\s*/; () => text.split(re).length`},
		{"anchored test", `const re = /^the quick/; () => re.test(text)`},
		{"ignoring case", `const re = /ZEBRA/i; () => re.test(text)`},
		{"email-like", `const re = /[\w.]+@[\w.]+\.\w+/; () => re.test(text)`},
		{"new expression", `() => new RegExp("zebra").test("a")`},
		{"evaluated literal", `() => /zebra/.test("a")`},
		{"back-reference", `const re = /(\w)(\w)\2\1/; () => re.test(text)`},
		{"lookahead replace all", `const re = /\w+(?=;)/g; () => text.replace(re, "x")`},
		{"lookbehind replace all", `const re = /(?<=lazy )\w+/g; () => text.replace(re, "x")`},
		{"non-ASCII words", `const t = text + "é"; const re = /\w+/g; () => t.match(re).length`},
		{"properties", `const t = text + "é"; const re = /\p{L}+/gu; () => t.match(re).length`},
	} {
		for _, size := range []struct {
			name  string
			times string
		}{{"1KB", "22"}, {"100KB", "2200"}} {
			b.Run(c.name+"/"+size.name, func(b *testing.B) {
				v, err := New(Options{})
				if err != nil {
					b.Fatal(err)
				}
				err = v.Enter(context.Background(), time.Hour, func() error {
					code := "const text = \"the quick brown fox jumps over the lazy dog; \".repeat(" + size.times + ");" + c.code
					f, err := v.Runtime.RunString(code)
					if err != nil {
						return err
					}
					var call func() any
					if err := v.Runtime.ExportTo(f, &call); err != nil {
						return err
					}
					b.ReportAllocs()
					for b.Loop() {
						call()
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}
