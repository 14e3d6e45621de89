package keywords

import (
	"fmt"
	"strings"
)

// goja panics on the last character there is, where a text escapes it: '\u{10FFFF}', to which people
// let ranges of keys go. Another one stands for it.

// last is the escape; esbuild writes no other.
const (
	last          = `\u{10FFFF}`
	lastCharacter = "\U0010FFFF"
	lowOfLast     = 0xDFFF // and all that stand for it begin as it does
)

func hasLast(text string) bool { return strings.Contains(text, last) }

// disguiseLast gives the text with another such character.
func (d *Disguised) disguiseLast(text string) string {
	if !hasLast(text) {
		return text
	}
	for r := rune(0x10FFFE); r >= 0x10FC00; r-- {
		other := fmt.Sprintf(`\u{%X}`, r)
		if !strings.Contains(text, other) && !strings.ContainsRune(text, r) {
			d.instead = append(d.instead, pair{last, other}, pair{lastCharacter, string(r)})
			return strings.ReplaceAll(text, last, other)
		}
	}
	return text
}
