package pattern

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// found gives a match's groups as text, separated by bars; "-" if there is none.
func found(t testing.TB, source, flags, text string) string {
	units := utf16.Encode([]rune(text))
	p, err := Compile(utf16.Encode([]rune(source)), flags)
	if err != nil {
		t.Fatalf("/%s/%s: %v", source, flags, err)
	}
	var m Machine
	at, err := m.MatchUTF16(p, units, 0)
	if err != nil {
		t.Fatal(err)
	}
	if at == nil {
		return "-"
	}
	var out []string
	for i := 0; i < len(at); i += 2 {
		if at[i] < 0 {
			out = append(out, "~")
			continue
		}
		out = append(out, string(utf16.Decode(units[at[i]:at[i+1]])))
	}
	return strings.Join(out, "|")
}

// What Node 20 can't be asked.
func TestWhatIsYoungerThanNode20(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ source, flags, text, want string }{
		{`(?i:a)b`, "", "Ab", "Ab"},
		{`(?i:a)b`, "", "AB", "-"},
		{`(?-i:a)b`, "i", "aB", "aB"},
		{`(?-i:a)b`, "i", "AB", "-"},
		{`(?i-s:a.)`, "s", "A\n", "-"},
		{`(?s:.)(?-s:.)`, "", "\n\n", "-"},
		{`(?s:.)(?-s:.)`, "", "\nx", "\nx"},
		{`(?m:^)b(?-m:$)`, "", "a\nb", "b"},
		{`(?m:^a$)`, "", "b\na\nc", "a"},
		{`(?m-i:^a$)`, "i", "b\nA\nc", "-"},
		{`(?i:[a-c])x`, "", "Bx", "Bx"},
		{`(?i:(a)(?-i:\1))`, "", "AA", "AA|A"},
		{`(?i:(a)(?-i:\1))`, "", "Aa", "-"},
		{`(a)(?i:\1)`, "", "aA", "aA|a"},
		{`(?i:\w)`, "u", "ſ", "ſ"},
		{`\w(?i:.)`, "u", "ſx", "-"},
		{`(?i:\b)`, "u", "ſ", ""},
		{`(?<=(?i:A))b`, "", "ab", "b"},
		{`(?i:a|(?-i:b))`, "", "B", "-"},
		{`(?<y>a)|(?<y>b)`, "", "b", "b|~|b"},
		{`(?:(?<y>a)|(?<y>b))\k<y>`, "", "bb", "bb|~|b"},
		{`(?:(?<y>a)|(?<y>b))\k<y>`, "", "ba", "-"},
		{`(?:(?:(?<x>a)|(?<x>b)|c)\k<x>){2}`, "", "aac", "aac|~|~"},
		{`\k<y>(?:(?<y>a)|(?<y>b))`, "", "b", "b|~|b"},
		{`(?<=(?:(?<y>a)|(?<y>b))\k<y>)c`, "", "bc", "c|~|b"},
		// V8 10 to 12 leave what a set takes away in other letters' case.
		{`[ς--σ]`, "iv", "ς", "-"},
		{`[^\P{Lu}]`, "iv", "a", "a"},
		{`\p{Emoji_Keycap_Sequence}`, "v", "a1\ufe0f\u20e3", "1\ufe0f\u20e3"},
	} {
		if got := found(t, c.source, c.flags, c.text); got != c.want {
			t.Errorf("/%s/%s on %q: %q, want %q", c.source, c.flags, c.text, got, c.want)
		}
	}
}

func TestErrorsHaveV8sWordsAndAPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		source, flags, reason string
		offset                int
	}{
		{`a(`, "", "Unterminated group", 2},
		{`a)`, "", "Unmatched ')'", 1},
		{`a**`, "", "Nothing to repeat", 2},
		{`😀\-`, "u", "Invalid escape", 3},
		{`(?<a>.)(?<a>.)`, "", "Duplicate capture group name", 12},
		{`(?:(?<a>.)|b)(?<a>.)`, "", "Duplicate capture group name", 18},
		{`(?<a>(?<a>.))`, "", "Duplicate capture group name", 10},
		{`(?<a>.)|(?:b|(?<a>.)(?<a>.))`, "", "Duplicate capture group name", 25},
		{`(?i-i:a)`, "", "Repeated flag in flag group", 4},
		{`(?ii:a)`, "", "Repeated flag in flag group", 3},
		{`(?i--s:a)`, "", "Multiple dashes in flag group", 4},
		{`(?-:a)`, "", "Invalid flag group", 3},
		{`(?u:a)`, "", "Invalid group", 2},
		{`(?ig:a)`, "", "Invalid flag group", 3},
		{`[a--b&&c]`, "v", "Invalid set operation in character class", 5},
		{`[^\p{Emoji_Keycap_Sequence}]`, "v", "Negated character class may contain strings", 28},
		{`\p{Nonsense}`, "u", "Invalid property name", 12},
		{`\p{scx=Nope}`, "u", "Invalid property name", 12},
		{`\p{Other_Alphabetic}`, "u", "Invalid property name", 20},
		{`\k<a>`, "u", "Invalid named capture referenced", 3},
		{strings.Repeat("(", 5000) + strings.Repeat(")", 5000), "", tooLarge, 0},
		{strings.Repeat(`[\p{L}]`, 30000), "u", tooLarge, 0},
	} {
		err := Check(c.source, c.flags)
		var s *SyntaxError
		if !errors.As(err, &s) || s.Reason != c.reason || s.Offset != c.offset && c.reason != tooLarge {
			t.Errorf("%.40s: %+v, want %s at %d", c.source, s, c.reason, c.offset)
		}
	}
	for _, flags := range []string{"gg", "x", "uv", "G"} {
		var f *FlagsError
		if err := Check("a", flags); !errors.As(err, &f) {
			t.Errorf("%s: %v", flags, err)
		}
	}
}

func TestPropertiesAreThoseOfUnicode(t *testing.T) {
	t.Parallel()
	for source, chars := range map[string][2]string{ // what matches, what doesn't
		`\p{Cn}`:                {"\u0378\U000e0080", "a\u00ad\u0001"},
		`\P{Cn}`:                {"a\u00ad\u0001", "\u0378"},
		`\p{C}`:                 {"\u0378\u00ad\u0001\ue000", "a1 -"},
		`\p{LC}`:                {"aAǅ", "ªー1"},
		`\p{Lu}`:                {"AÉ", "aé"},
		`\p{sc=Cyrl}`:           {"Ж", "α"},
		`\p{Script=Greek}`:      {"α", "a\u0342"},
		`\p{scx=Greek}`:         {"α\u0342", "a"},
		`\p{scx=Zyyy}`:          {"!", "\u3001a"},
		`\p{Bidi_M}`:            {"(<", "a"},
		`\p{CI}`:                {".'\u0301", "a"},
		`\p{CWU}`:               {"aß", "A"},
		`\p{DI}`:                {"\u00ad\u200b", "a"},
		`\p{XIDS}`:              {"aé", "1"},
		`\p{Assigned}`:          {"a", "\u0378"},
		`\p{Any}`:               {"a\n😀", ""},
		`\p{Emoji}`:             {"😀1", "a"},
		`\p{Sentence_Terminal}`: {".", ","},
	} {
		for i, text := range chars {
			for _, c := range text {
				if got := found(t, "^"+source+"$", "u", string(c)) != "-"; got != (i == 0) {
					t.Errorf("%s and %U: %v", source, c, got)
				}
			}
		}
	}
}

func TestDisguisesAreRevealed(t *testing.T) {
	t.Parallel()
	for _, source := range []string{"", "a", `\d+_/[^x]`, "é😀\n\x01_", "\ud7ff"} {
		units := append(utf16.Encode([]rune(source)), 0xd83d)
		text, flags := Disguise(units, HasIndices|Global|UnicodeSets)
		got, all, ok := Reveal(text)
		if !ok || fmt.Sprint(got) != fmt.Sprint(units) || all != "dgv" || flags != "g" {
			t.Errorf("%q: %q, %v, %s, %s, %v", source, text, got, all, flags, ok)
		}
	}
	for _, text := range []string{"a", "\x01", "\x01g", "\x01g\x01_", "\x01g\x01_zz", "\x01\x01__12"} {
		if _, _, ok := Reveal(text); ok {
			t.Errorf("%q is none", text)
		}
	}
}

func TestPollEndsAMatch(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	for _, source := range []string{`((a+)+)+$`, `(?:a|a|aa)+$`} {
		polls := 0
		m := Machine{Poll: func() error {
			if polls++; polls > 100 {
				return stop
			}
			return nil
		}}
		p, err := Compile(utf16.Encode([]rune(source)), "")
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Repeat("a", 200_000) + "b"
		if _, err := m.MatchASCII(p, []byte(text), 0); !errors.Is(err, stop) {
			t.Errorf("%s: %v", source, err)
		}
	}
}

// Whatever the expression and the text, there is an end and no panic.
func FuzzMatch(f *testing.F) {
	for i, r := range rows(f) {
		if i%40 == 0 {
			f.Add(string(utf16.Decode(r.source)), r.flags, string(utf16.Decode(r.text)))
		}
	}
	f.Fuzz(func(t *testing.T, source, flags, text string) {
		p, err := Compile(utf16.Encode([]rune(source)), flags)
		if err != nil {
			return
		}
		polls := 0
		stop := errors.New("stop")
		m := Machine{Poll: func() error {
			if polls++; polls > 50 {
				return stop
			}
			return nil
		}}
		units := utf16.Encode([]rune(text))
		wide, wideErr := m.MatchUTF16(p, units, 0)
		want := fmt.Sprint(wide)
		narrow, ok := narrowed(units)
		if !ok || wideErr != nil {
			return
		}
		polls = 0
		if got, err := m.MatchASCII(p, narrow, 0); err != nil || fmt.Sprint(got) != want {
			t.Errorf("/%s/%s on %q: %v, %v, want %s", source, flags, text, got, err, want)
		}
		if p.linear.can(0) {
			polls = 0
			hasty := Machine{hasty: true, Poll: m.Poll}
			if got, err := hasty.MatchUTF16(p, units, 0); err != nil || fmt.Sprint(got) != want {
				t.Errorf("/%s/%s on %q: Go's engine gives %v, %v, want %s", source, flags, text, got, err, want)
			}
		}
	})
}

// Compiling can't be interrupted: whatever the expression, it must not take long.
func TestCompilingTakesTimeThatGrowsWithTheExpression(t *testing.T) {
	t.Parallel()
	const size = maxSource / 4
	deep := maxNesting - 2
	for name, source := range map[string]string{
		"runs":               strings.Repeat("a*", size/2),
		"nested loops":       strings.Repeat("(?:", deep) + strings.Repeat("a|", (size-6*deep)/2) + strings.Repeat(")*", deep),
		"loops beside loops": strings.Repeat("(?:a?|b", deep) + strings.Repeat(")*", deep),
		"groups":             strings.Repeat("()", maxGroups),
		"names":              strings.Repeat("(?<a>)|", maxSameName),
		"classes":            strings.Repeat(`[\s\S]`, size/6),
		"classes with case":  strings.Repeat(`(?i:[à-ž])`, size/10),
		"references":         "(?<a>)" + strings.Repeat(`\k<a>`, size/5-2),
		"letters":            strings.Repeat("é", size),
		"counted":            strings.Repeat("(?:ab){2,9}", size/11),
		"lookbehind":         strings.Repeat("(?<=a", deep) + strings.Repeat(")", deep),
	} {
		begin := time.Now()
		if err := Check(source, "u"); err != nil {
			t.Errorf("%s: %.200s", name, err)
		}
		if took := time.Since(begin); took > time.Minute { // a busy machine's: some 0.1 s by itself
			t.Errorf("%s: %v", name, took)
		}
	}
}
