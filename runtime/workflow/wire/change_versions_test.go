package wire

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTheListOfPatchesKeepsPlainNamesFirst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ listed, want []string }{
		{[]string{"b-1", "a-1"}, []string{"a", "b", "a-1", "b-1"}},
		{[]string{"a-1-1"}, []string{"a-1", "a-1-1"}},
		{[]string{"a-1-1", "a-1"}, []string{"a", "a-1", "a-1-1"}},
		{[]string{"by hand", "a-1"}, []string{"a", "a-1", "by hand"}},
		{nil, nil},
	} {
		if got := bothNames(c.listed); !slices.Equal(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	var many []string
	for i := range 150 {
		many = append(many, fmt.Sprintf("change-%03d-1", i))
	}
	got := bothNames(many)
	data, _ := json.Marshal(got)
	if len(data) >= MaxChangeVersions || len(got) < 100 || slices.ContainsFunc(got[:100], func(s string) bool { return strings.HasSuffix(s, "-1") }) {
		t.Errorf("%d bytes, %v", len(data), got)
	}
}
