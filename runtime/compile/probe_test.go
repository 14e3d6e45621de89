package compile

import (
	"os"
	"strings"
	"testing"
)

func TestProbeTellsWhatWouldHarmTheProcess(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := New(Config{Command: []string{exe, smallStack}})
	t.Cleanup(c.Close)
	for _, text := range []string{"1 + 1", "}", strings.Repeat("a = 1;\n", 10000)} {
		if err := c.Probe(text); err != nil {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	for text, want := range map[string]string{
		strings.Repeat("[", deepChain):       "it nests too deep",
		strings.Repeat(" ", maxProbed) + "1": "the limit is 1048576",
	} {
		if err := c.Probe(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}
