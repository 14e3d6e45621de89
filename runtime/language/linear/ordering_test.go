package linear

import (
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"
)

// What is read once for each item is what decides, in the directions of the function; all other
// functions are asked about each two items.
func TestOrderingIsFoundInWhatOnlyCompares(t *testing.T) {
	t.Parallel()
	if err := Check(); err != nil {
		t.Fatal(err)
	}
	r := goja.New()
	for text, want := range map[string][]string{
		`(a, b) => a - b`:                                                         {""},
		`(a, b) => b.x - a.x`:                                                     {"-x"},
		`(a, b) => a.x - b.x || b.y - a.y`:                                        {"x", "-y"},
		`(a, b) => a.x.y - b.x.y || a.z - b.z || a.w - b.w`:                       {"x.y", "z", "w"},
		`(a, b) => a.x < b.x ? -1 : a.x > b.x ? 1 : 0`:                            {"x"},
		`(a, b) => a.x < b.x ? -1 : 1`:                                            {"x"},
		`(a, b) => a.x > b.x ? -1 : 0`:                                            {"-x"},
		`(a, b) => a.x === b.x ? a.y - b.y : a.x < b.x ? 1 : -1`:                  {"-x", "y"},
		`function (a, b) { if (a.x !== b.x) return a.x - b.x; return b.y - a.y }`: {"x", "-y"},
		`(a, b) => a.x > b.x ? 1 : -1`:                                            nil, // of two alike, each is less
		`(a, b) => a.x - b.y`:                                                     nil,
		`(a, b) => (a.x - b.x) * 2`:                                               nil,
		`(a, b) => a.x - b.x > 5 ? -1 : 1`:                                        nil,
		`(a, b) => a.x - b.x && a.y - b.y`:                                        nil,
		`(a, b) => (a.x ? a : b).x - b.x`:                                         nil,
		`(a, b) => a.x < b.x`:                                                     nil, // is no number
		`(a, b) => 0`:                                                             nil,
		`(a, b) => a.x - a.x`:                                                     nil,
		`(a, b) => a.w - b.w || a.x - b.x || a.y - b.y || a.z - b.z`:              nil,
	} {
		p, err := goja.Compile("", "("+text+")", true)
		if err != nil {
			t.Fatal(err)
		}
		f, err := r.RunProgram(Tune(p))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		code := (*(**program)(unsafe.Add(asObject(f.ToObject(r)).self.data, kinds.code))).code
		if pure, ok := code[0].(*entering); ok {
			for _, c := range pure.ordering {
				name := strings.Join(spelt(c.path), ".")
				if c.descending {
					name = "-" + name
				}
				got = append(got, name)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s compares by %q, not %q", text, got, want)
		}
	}
}

func spelt(path []unistring.String) (out []string) {
	for _, name := range path {
		out = append(out, name.String())
	}
	return out
}
