package sandbox

import (
	"context"
	"testing"
	"time"
)

// What the first use of a part of the library costs a runtime: compare with "nothing", which is a
// new runtime.
func BenchmarkFirstUse(b *testing.B) {
	for _, c := range []struct{ name, code string }{
		{"nothing", `1`},
		{"Intl", `Intl`},
		{"Intl.NumberFormat", `new Intl.NumberFormat("en", { style: "currency", currency: "USD" }).format(1234.5)`},
		{"Date.toLocaleString", `new Date(0).toLocaleString("en-US", { dateStyle: "long", timeStyle: "short" })`},
		{"localeCompare with options", `"a10".localeCompare("a9", "en", { numeric: true })`},
		{"Atomics", `Atomics`},
		{"f16round", `Math.f16round(1.1)`},
		{"iterator helpers", `[1].values().map(x => x).toArray()`},
		{"DisposableStack", `new DisposableStack()`},
		{"TextEncoder", `new TextEncoder()`},
		{"RegExp with properties", `new RegExp("\\p{L}", "u")`},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v, err := New(Options{})
				if err != nil {
					b.Fatal(err)
				}
				err = v.Enter(context.Background(), time.Minute, func() error {
					_, err := v.Runtime.RunString(c.code)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What a formatted value costs once its format is made.
func BenchmarkFormat(b *testing.B) {
	for name, code := range map[string]string{
		"number":                  `const f = new Intl.NumberFormat("en", { style: "currency", currency: "USD" }); (n) => f.format(n + 0.5)`,
		"date":                    `const f = new Intl.DateTimeFormat("en", { dateStyle: "long", timeStyle: "short" }); (n) => f.format(n)`,
		"number without a format": `(n) => (n + 0.5).toLocaleString("en-US", { style: "currency", currency: "USD" })`,
	} {
		b.Run(name, func(b *testing.B) {
			v, err := New(Options{})
			if err != nil {
				b.Fatal(err)
			}
			err = v.Enter(context.Background(), time.Minute, func() error {
				f, err := v.Runtime.RunString(code)
				if err != nil {
					return err
				}
				var format func(int) string
				if err := v.Runtime.ExportTo(f, &format); err != nil {
					return err
				}
				b.ReportAllocs()
				n := 0
				for b.Loop() {
					n++
					format(n)
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}
