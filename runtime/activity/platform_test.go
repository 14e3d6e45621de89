package activity

import (
	"encoding/json"
	"os"
	"testing"
)

// The files in testdata hold [name, body of an async function, its result as JSON], the result
// being Node 20's.
func TestPlatformAnswersAsNodeDoes(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"testdata/platform.json", "testdata/url.json", "testdata/buffer.json", "testdata/form.json", "testdata/streams.json", "testdata/encoding.json", "testdata/subtle.json"} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases [][3]string
		if err := json.Unmarshal(raw, &cases); err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			t.Run(c[0], func(t *testing.T) {
				t.Parallel()
				got, err := evaluate(t, CodeOptions{}, c[1])
				if err != nil {
					t.Fatal(err)
				}
				if got != c[2] {
					t.Errorf("%s\ngot  %s\nNode %s", c[1], got, c[2])
				}
			})
		}
	}
}
