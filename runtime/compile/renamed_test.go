package compile

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

func TestNumberedNamesAreFoundAsByARegularExpression(t *testing.T) {
	t.Parallel()
	expression := regexp.MustCompile(`[\pL_$][\pL\pN_$]*\d`)
	pieces := []string{"a", "e", "é", "_", "$", "1", "23", "٣", "²", " ", ".", "-", "\xff", "a2", "x"}
	random := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		var b strings.Builder
		for range 1 + random.IntN(8) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		text := b.String()
		want := expression.FindAllStringIndex(text, -1)
		n := 0
		for from, to := range numbered(text) {
			if n >= len(want) || want[n][0] != from || want[n][1] != to {
				t.Fatalf("%q: %d to %d, want %v", text, from, to, want)
			}
			n++
		}
		if n != len(want) {
			t.Fatalf("%q: %d names, want %v", text, n, want)
		}
	}
}
