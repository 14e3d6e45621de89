package web

import (
	"testing"

	"github.com/dop251/goja"
)

// What the first use of a group costs a runtime: compare with "nothing", which is a bare runtime of
// goja's.
func BenchmarkLoad(b *testing.B) {
	names := []string{"nothing"}
	for group := range Groups() {
		names = append(names, group)
	}
	for _, group := range names {
		b.Run(group, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := goja.New()
				if group == "nothing" {
					continue
				}
				if _, err := Load(r, group, func() float64 { return 0 }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
