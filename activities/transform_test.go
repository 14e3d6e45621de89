package activities

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestTransformations(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	for _, c := range []struct{ how, data, want string }{
		{"uppercase", `"abc"`, `"ABC"`},
		{"uppercase", `"straße"`, `"STRASSE"`},
		{"uppercase", `"ǆ ﬁ 😀"`, `"Ǆ FI 😀"`},
		{"lowercase", `"ABC"`, `"abc"`},
		{"lowercase", `"ΟΔΟΣ"`, `"οδος"`},
		{"reverse", `"abc"`, `"cba"`},
		{"reverse", `"a😀b"`, `"b😀a"`},
		{"reverse", `"e\u0301"`, `"` + "\u0301e" + `"`},
		{"reverse", `""`, `""`},

		{"uppercase", `{"b":1,"a":[1e21,1.0]}`, `{"b":1,"a":[1e21,1.0]}`}, // handed on as it came
		{"uppercase", `12`, `12`},
		{"lowercase", `null`, `null`},
		{"lowercase", `["A"]`, `["A"]`},
		{"reverse", `[1,2]`, `[1,2]`},
		{"reverse", `true`, `true`},

		{"json-parse", `"{\"b\":1,\"a\":[true,null,\"x\"]}"`, `{"b":1,"a":[true,null,"x"]}`},
		{"json-parse", `" 1.50 "`, `1.5`},
		{"json-parse", `"1e21"`, `1e+21`},
		{"json-parse", `"123456789012345680000"`, `123456789012345680000`},
		{"json-parse", `"12345678901234567890"`, `12345678901234567000`},
		{"json-parse", `"1e-7"`, `1e-7`},
		{"json-parse", `"0.000001"`, `0.000001`},
		{"json-parse", `"-0"`, `0`},
		{"json-parse", `"1e400"`, `null`},
		{"json-parse", `"{\"a\":1,\"b\":2,\"a\":3}"`, `{"a":3,"b":2}`},
		{"json-parse", `"{\"b\":1,\"10\":2,\"9\":3,\"01\":4}"`, `{"9":3,"10":2,"b":1,"01":4}`},
		{"json-parse", `"\"x\""`, `"x"`},
		{"json-parse", `5`, `5`},
		{"json-parse", `null`, `null`},
		{"json-parse", `false`, `false`},

		{"json-stringify", `{"b":1,"a":[1,{"c":null}],"e":{},"f":[]}`,
			"{\n  \"b\": 1,\n  \"a\": [\n    1,\n    {\n      \"c\": null\n    }\n  ],\n  \"e\": {},\n  \"f\": []\n}"},
		{"json-stringify", `[1.0,1e21,1e20,0.1,-0,100]`, "[\n  1,\n  1e+21,\n  100000000000000000000,\n  0.1,\n  0,\n  100\n]"},
		{"json-stringify", `"a\u2028<\u0001\u007f\"\\\/\b\f\n"`, `"a` + "\u2028" + `<\u0001` + "\u007f" + `\"\\/\b\f\n"`},
		{"json-stringify", `5`, `5`},
		{"json-stringify", `null`, `null`},
		{"json-stringify", `"x"`, `"x"`},
	} {
		t.Run(c.how+" "+c.data, func(t *testing.T) {
			t.Parallel()
			got, err := call(t, s, "transformData", `{"data":`+c.data+`,"transformation":"`+c.how+`"}`)
			if err != nil {
				t.Fatal(err)
			}
			if c.how == "json-stringify" {
				var text string
				if err := json.Unmarshal([]byte(got), &text); err != nil {
					t.Fatal(err)
				}
				got = text
			}
			if c.how == "reverse" || strings.HasSuffix(c.how, "case") {
				got = strings.ReplaceAll(got, `\u0301`, "\u0301")
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestIndentingDeepDataStaysWithinTheResultLimit(t *testing.T) {
	t.Parallel()
	s := New(Options{MaxResultBytes: 1 << 20})
	deep := strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)
	_, err := call(t, s, "transformData", `{"data":`+deep+`,"transformation":"json-stringify"}`)
	wantFailure(t, err, ResultTooLargeType, true)
}

func TestNestingBeyondTheParsersLimitIsInvalid(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 1_000_000)
	_, err := call(t, New(Options{}), "transformData", `{"data":"`+deep+`","transformation":"json-parse"}`)
	wantInvalid(t, err, "data")
}

func TestResultsBeyondTheLimitAreAPermanentFailure(t *testing.T) {
	t.Parallel()
	s := New(Options{MaxResultBytes: 100})
	_, err := call(t, s, "sampleActivity", `{"message":"`+strings.Repeat("x", 200)+`"}`)
	app := wantFailure(t, err, ResultTooLargeType, true)
	if !strings.Contains(app.Message(), "100 bytes") {
		t.Errorf("the message doesn't name the limit: %s", app.Message())
	}
}
