package activity

import "testing"

// A payload comes from any SDK, and JSON has no greatest number.
func TestNumbersBeyondADoublesRangeAreInfinite(t *testing.T) {
	t.Parallel()
	c := code(t, "export const main = (...args: any[]) => JSON.stringify(args, (_, v) => typeof v === 'number' ? String(v) : v);", CodeOptions{})
	const want = `"[\"Infinity\",{\"a\":[\"-Infinity\",\"1\"],\"1e400\":\"1e400\"}]"`
	if got, err := execute(t, c, "1e400", `{"a": [-1e309, 1], "1e400": "1e400"}`); err != nil || got != want {
		t.Errorf("%v, %s", err, got)
	}
}
