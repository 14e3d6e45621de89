package pattern

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dop251/goja"
)

func TestPropertiesMatchAsInV8(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		source, flags, text string
		want                bool
	}{
		{`^\p{L}+$`, "u", "éàßЖ中ª", true},
		{`^\p{L}+$`, "u", "a1", false},
		{`^\P{L}+$`, "u", "1 -", true},
		{`^\P{L}+$`, "u", "1a", false},
		{`^[\p{L}\d_-]+$`, "u", "Grü_-9", true},
		{`^[^\p{L}]+$`, "u", "ü", false},
		{`^[\P{L}a]+$`, "u", "a1😀", true},
		{`^[\P{L}a]+$`, "u", "b", false},
		{`\p{Script=Greek}`, "u", "α", true},
		{`\p{sc=Cyrl}`, "u", "α", false},
		{`^\p{Uppercase_Letter}\p{Ll}$`, "u", "Éé", true},
		{`^\p{Lu}$`, "iu", "é", true},
		{`^\p{Emoji_Presentation}$`, "u", "😀", true},
		{`^\p{Extended_Pictographic}$`, "u", "a", false},
		{`^\p{White_Space}\p{Sc}\p{Nd}$`, "u", "\u00a0€٣", true},
		{`^\p{Alphabetic}\p{P}\p{ASCII}$`, "u", "x…~", true},
		{`(?<=\p{Lu})\p{Ll}`, "u", "Éé", true},
		{`\\p{L}`, "u", "é", false},
		{`\p{L}`, "", "p{L}", true}, // without the flag it is no property
	} {
		expanded, err := Expand(c.source, c.flags)
		if err != nil {
			t.Errorf("%s: %v", c.source, err)
			continue
		}
		r := goja.New()
		_ = r.Set("source", expanded)
		_ = r.Set("flags", c.flags)
		_ = r.Set("text", c.text)
		got, err := r.RunString(`new RegExp(source, flags).test(text)`)
		if err != nil || got.ToBoolean() != c.want {
			t.Errorf("/%s/%s on %q: %v, %v", c.source, c.flags, c.text, got, err)
		}
	}
}

func TestWhatIsNoPropertyIsAnError(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`\p{Nonsense}`:  "Invalid property name",
		`\p{Script=No}`: "Invalid property name",
		`\pL`:           "Invalid property name",
		`\p{scx=Greek}`: "not supported",
	} {
		if _, err := Expand(source, "u"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestCategoriesThatGoHasNoSteadyTablesOf(t *testing.T) {
	t.Parallel()
	for source, chars := range map[string][2]string{ // what matches, what doesn't
		`\p{Cn}`: {"\u0378\U000e0080", "a\u00ad\u0001"},
		`\P{Cn}`: {"a\u00ad\u0001", "\u0378"},
		`\p{C}`:  {"\u0378\u00ad\u0001\ue000", "a1 -"},
		`\p{LC}`: {"aAǅ", "ªー1"},
	} {
		expanded, err := Expand(source, "u")
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		for i, text := range chars {
			for _, c := range text {
				v, err := goja.New().RunString(fmt.Sprintf("new RegExp(%q, 'u').test(String.fromCodePoint(%d))", expanded, c))
				if err != nil || v.ToBoolean() != (i == 0) {
					t.Errorf("%s and %U: %v, %v", source, c, v, err)
				}
			}
		}
	}
}
