package compile

import (
	"strings"
	"testing"
)

func TestProbeTellsWhatWouldHarmTheProcess(t *testing.T) {
	t.Parallel()
	c := compiler(t, true)
	for _, text := range []string{"1 + 1", "}", strings.Repeat("a = 1;\n", 10000)} {
		if err := c.Probe(text); err != nil {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	for text, want := range map[string]string{
		strings.Repeat("[", 900_000):         "", // too deep, or too slow
		strings.Repeat("a||", 200_000) + "1": "",
		strings.Repeat(" ", maxProbed) + "1": "the limit is 1048576",
	} {
		if err := c.Probe(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}
