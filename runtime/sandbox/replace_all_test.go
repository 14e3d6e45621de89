package sandbox

import "testing"

// Texts in which nothing stands for anything else are replaced in Go; these are where that could
// show.
func TestReplaceAllIsTheLanguages(t *testing.T) {
	t.Parallel()
	v := newVM(t)
	for _, c := range [][2]string{
		{`'aXbXc'.replaceAll('X', '-')`, "a-b-c"},
		{`'aaaa'.replaceAll('aa', 'b')`, "bb"},
		{`'abc'.replaceAll('x', 'y')`, "abc"},
		{`'ab'.replaceAll('', '-')`, "-a-b-"},
		{`'a.b'.replaceAll('.', '$&$&')`, "a..b"},
		{`'grün é😀é'.replaceAll('é', 'e')`, "grün e😀e"},
		{`'a😀b'.replaceAll('😀', '')`, "ab"},
		{`'\ufffdx'.replaceAll('x', '\ufffd')`, "\ufffd\ufffd"},
		{`JSON.stringify('a\ud83dxb'.replaceAll('x', 'y'))`, `"a\ud83dyb"`},
		{`JSON.stringify('😀'.replaceAll('\ude00', 'y'))`, `"\ud83dy"`},
		{`JSON.stringify('axb'.replaceAll('x', '\ud83d'))`, `"a\ud83db"`},
		{`String.prototype.replaceAll.call(121, '1', 'x')`, "x2x"},
	} {
		got, err := run(t, v, c[0])
		if err != nil {
			t.Errorf("%s: %v", c[0], err)
		} else if got.String() != c[1] {
			t.Errorf("%s: %q, want %q", c[0], got.String(), c[1])
		}
	}
}
