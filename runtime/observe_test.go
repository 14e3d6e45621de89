package runtime

import "testing"

func TestTheAuthorsLineIsTheInnermostOfTheirOwnText(t *testing.T) {
	t.Parallel()
	for stack, want := range map[string]string{
		"    at flow (flow.ts:3:4)\n    at g (flow.ts:9:1)":                                "flow.ts",
		"    at lodash/index.js:1:2\n    at h (lib/x.js:1:1)\n    at order-intake.ts:12:7": "order-intake.ts",
		"    at new Loud (a b.ts:1:2)":                                                     "a b.ts",
		"    caused by at (x.ts:1:2)":                                                      "",
		"":                                                                                 "",
		"    at async Promise.all (index 0)":                                               "",
		"    at f (flow.ts:99999999999999999999999999:1)":                                  "flow.ts",
		"    at Object.at (b.ts:7:8)\n    caused by nobody":                                "b.ts",
	} {
		if file, _, _ := AuthorsLine(stack); file != want {
			t.Errorf("%q: %q, want %q", stack, file, want)
		}
	}
	if file, line, column := AuthorsLine("    at f (flow.ts:3:4)"); file != "flow.ts" || line != 3 || column != 4 {
		t.Error(file, line, column)
	}
}
