package activities

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestValidationRules(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	for _, c := range []struct {
		data, rules string
		want        []string
	}{
		{`"x"`, `{}`, nil},
		{``, `{}`, nil},
		{``, `{"required":true}`, []string{"data is required"}},
		{`null`, `{"required":true}`, []string{"data is required"}},
		{`""`, `{"required":true}`, []string{"data is required"}},
		{`0`, `{"required":true}`, nil},
		{`false`, `{"required":true}`, nil},
		{`[]`, `{"required":true}`, nil},
		{``, `{"required":false,"type":"string","minLength":3,"pattern":"a"}`, nil},
		{`null`, `{"required":null,"type":null,"minLength":null,"maxLength":null,"pattern":null}`, nil},

		{`"x"`, `{"type":"string"}`, nil},
		{`1`, `{"type":"number"}`, nil},
		{`true`, `{"type":"boolean"}`, nil},
		{`{}`, `{"type":"object"}`, nil},
		{`null`, `{"type":"object"}`, nil},
		{`[]`, `{"type":"array"}`, nil},
		{`[]`, `{"type":"object"}`, []string{"data must be of type object, got array"}},
		{`{}`, `{"type":"array"}`, []string{"data must be of type array, got object"}},
		{`"1"`, `{"type":"number"}`, []string{"data must be of type number, got string"}},
		{`null`, `{"type":"string"}`, []string{"data must be of type string, got null"}},

		{`"abc"`, `{"minLength":3,"maxLength":3}`, nil},
		{`"ab"`, `{"minLength":3}`, []string{"data must have at least 3 characters, got 2"}},
		{`"😀"`, `{"minLength":2,"maxLength":2}`, nil},
		{`"😀😀"`, `{"maxLength":3}`, []string{"data must have at most 3 characters, got 4"}},
		{`[1,2]`, `{"minLength":3}`, []string{"data must have at least 3 items, got 2"}},
		{`5`, `{"minLength":3}`, nil},
		{`{"a":1}`, `{"maxLength":0}`, nil},
		{`""`, `{"minLength":1}`, []string{"data must have at least 1 characters, got 0"}},

		{`"abc"`, `{"pattern":"b"}`, nil},
		{`"abc"`, `{"pattern":"^b"}`, []string{"data must match the pattern ^b"}},
		{`12.5`, `{"pattern":"^\\d+$"}`, []string{`data must match the pattern ^\d+$`}},
		{`12`, `{"pattern":"^\\d+$"}`, nil},
		{`true`, `{"pattern":"^true$"}`, nil},
		{`["x"]`, `{"pattern":"y"}`, nil},
		{`"x"`, `{"type":"number","minLength":2,"maxLength":0,"pattern":"y"}`, []string{
			"data must be of type number, got string", "data must have at least 2 characters, got 1",
			"data must have at most 0 characters, got 1", "data must match the pattern y"}},
	} {
		t.Run(c.data+" "+c.rules, func(t *testing.T) {
			t.Parallel()
			in := `{"rules":` + c.rules + `}`
			if c.data != "" {
				in = `{"data":` + c.data + `,"rules":` + c.rules + `}`
			}
			text, err := call(t, s, "validateData", in)
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				Valid  bool
				Errors []string
			}
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatal(err)
			}
			if got.Errors == nil {
				t.Errorf("errors is not an array: %s", text)
			}
			if got.Valid != (len(c.want) == 0) || !slices.Equal(got.Errors, c.want) {
				t.Errorf("got %s, want %q", text, c.want)
			}
		})
	}
}

func TestCatastrophicPatternIsStoppedAndSaysSo(t *testing.T) {
	t.Parallel()
	s := New(Options{PatternTimeout: 50 * time.Millisecond})
	for _, pattern := range []string{`^(a+)+$`, `^(a|aa)+$`, `(.*a){25}$`, `^(a+)+\\1$`} {
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			_, err := call(t, s, "validateData", `{"data":"`+strings.Repeat("a", 60)+`b","rules":{"pattern":"`+pattern+`"}}`)
			wantInvalid(t, err, "rules.pattern")
			if !strings.Contains(err.Error(), "takes longer than 50ms") || strings.Contains(err.Error(), "aaaa") {
				t.Errorf("the message should name the limit and not quote the data: %v", err)
			}
		})
	}
}

func TestPatternsThatWouldExhaustTheCompilerAreRefused(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	for name, pattern := range map[string]string{
		"deep": strings.Repeat("(", 3_000) + strings.Repeat(")", 3_000),
		"long": strings.Repeat("a", 20_000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := call(t, s, "validateData", `{"data":"a","rules":{"pattern":"`+pattern+`"}}`)
			wantInvalid(t, err, "rules.pattern")
		})
	}
}

func TestOrdinaryPatternMatchesALongText(t *testing.T) {
	t.Parallel()
	p, err := compilePattern(`^(?:a|b)*$`, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := p.matches(strings.Repeat("ab", 100_000)); !ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
}
