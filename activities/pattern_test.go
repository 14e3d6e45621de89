package activities

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// testdata/patterns.json holds [pattern, text, answer], the answer being what Node 20's new
// RegExp(pattern).test(text) gives, or "invalid" where it throws; but for modifiers, (?i:…), which
// are younger than Node 20.
func TestPatternsMeanWhatTheyMeanInJavaScript(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/patterns.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases [][3]any
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		source, text := c[0].(string), c[1].(string)
		var got any
		p, err := compilePattern(source, time.Minute)
		if err != nil {
			got = "invalid"
		} else if got, err = p.matches(text); err != nil {
			t.Errorf("%q on %q: %v", source, text, err)
		}
		if got != c[2] {
			t.Errorf("%q on %q: got %v (%v), JavaScript says %v", source, text, got, err, c[2])
		}
	}
}
