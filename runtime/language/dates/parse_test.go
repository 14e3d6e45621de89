package dates

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"math"
	"os/exec"
	"testing"
)

// Texts with what Date.parse gives for them in Node 20, in UTC; null is NaN.
//
//go:embed testdata/dates.jsonl
var table []byte

type row struct {
	text string
	want float64
}

func rows(t *testing.T) []row {
	t.Helper()
	var out []row
	for lines := bufio.NewScanner(bytes.NewReader(table)); lines.Scan(); {
		var fields []any
		if err := json.Unmarshal(lines.Bytes(), &fields); err != nil {
			t.Fatal(err)
		}
		text, _ := fields[0].(string)
		want, ok := fields[1].(float64)
		if !ok {
			want = math.NaN()
		}
		out = append(out, row{text, want})
	}
	if len(out) < 700 {
		t.Fatalf("the table has %d rows", len(out))
	}
	return out
}

func TestDatesAreReadAsV8ReadsThem(t *testing.T) {
	t.Parallel()
	for _, r := range rows(t) {
		if got := Parse(r.text); got != r.want && !(math.IsNaN(got) && math.IsNaN(r.want)) {
			t.Errorf("%q: %v, want %v", r.text, got, r.want)
		}
	}
}

func TestNodeAgreesWithTheDates(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node")
	}
	c := exec.Command(node, "-e", `for (const line of require('fs').readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const [text, want] = JSON.parse(line);
  if (JSON.stringify(Date.parse(text)) !== JSON.stringify(want)) console.log(line, Date.parse(text));
}`)
	c.Env = []string{"TZ=UTC"}
	c.Stdin = bytes.NewReader(table)
	if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// Whatever the text, reading it ends, in a time that grows with its length.
func FuzzParse(f *testing.F) {
	f.Add("Jan 1 2000 10:00 CET")
	f.Add("+010000-01-01T00:00:00.000Z")
	f.Fuzz(func(t *testing.T, text string) {
		if got := Parse(text); got != math.Trunc(got) && !math.IsNaN(got) {
			t.Errorf("%q: %v", text, got)
		}
	})
}
