package pattern

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

//go:embed testdata/matches.jsonl
var matches []byte

// row of matches.jsonl.
type row struct {
	source, text []uint16
	flags        string
	want         string // JSON
}

// unquote reads a JSON string with halves of surrogate pairs.
func unquote(raw json.RawMessage) []uint16 {
	var out []uint16
	text := string(raw[1 : len(raw)-1])
	for i := 0; i < len(text); {
		if text[i] == '\\' && text[i+1] == 'u' {
			n, _ := strconv.ParseUint(text[i+2:i+6], 16, 16)
			out = append(out, uint16(n))
			i += 6
			continue
		}
		if text[i] == '\\' {
			var s string
			_ = json.Unmarshal([]byte(`"`+text[i:i+2]+`"`), &s)
			out = append(out, utf16.Encode([]rune(s))...)
			i += 2
			continue
		}
		end := i + 1
		for end < len(text) && text[end] != '\\' {
			end++
		}
		out = append(out, utf16.Encode([]rune(text[i:end]))...)
		i = end
	}
	return out
}

func rows(t testing.TB) []row {
	var out []row
	for line := range bytes.Lines(matches) {
		var fields []json.RawMessage
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatal(err)
		}
		var flags string
		_ = json.Unmarshal(fields[1], &flags)
		out = append(out, row{unquote(fields[0]), unquote(fields[2]), flags, string(fields[3])})
	}
	return out
}

// narrowed gives a text of ASCII as bytes.
func narrowed(text []uint16) ([]byte, bool) {
	out := make([]byte, len(text))
	for i, c := range text {
		if c > 127 {
			return nil, false
		}
		out[i] = byte(c)
	}
	return out, true
}

// exec does what the generator did, and gives the result as JSON.
func exec(p *Program, find func(from int) ([]int32, error), length int) string {
	var out []string
	last := 0
	for range 4 {
		var m []int32
		var err error
		if last <= length {
			m, err = find(last)
		}
		if err != nil {
			return err.Error()
		}
		if m == nil {
			out = append(out, "null")
			break
		}
		var groups []string
		for i := 0; i < len(m); i += 2 {
			if m[i] < 0 {
				groups = append(groups, "null")
				continue
			}
			groups = append(groups, "["+strconv.Itoa(int(m[i]))+","+strconv.Itoa(int(m[i+1]))+"]")
		}
		out = append(out, "["+strings.Join(groups, ",")+"]")
		if p.Flags&(Global|Sticky) == 0 {
			break
		}
		last = int(m[1])
		if m[0] == m[1] {
			last++
		}
	}
	return "[" + strings.Join(out, ",") + "]"
}

// inside are expressions that V8, with u, finds inside of a pair of surrogates, where no character
// begins.
var inside = map[string]bool{`\B-{0}`: true}

func TestMatchesAreThoseOfV8(t *testing.T) {
	t.Parallel()
	var m Machine
	hasty := Machine{hasty: true}
	wrong := 0
	for _, r := range rows(t) {
		p, err := Compile(r.source, r.flags)
		var got []string
		if err != nil {
			var s *SyntaxError
			if !errors.As(err, &s) {
				t.Fatal(err)
			}
			s.Flags += "d"
			s.Flags = strings.Replace(s.Flags, "gd", "dg", 1)
			got = []string{s.Error()}
			var want string
			_ = json.Unmarshal([]byte(r.want), &want)
			// Node shows the flags in their order, ours as they were given.
			if cut := strings.LastIndex(want, ": "); cut < 0 || !strings.HasSuffix(got[0], want[cut:]) {
				t.Errorf("/%s/%s: %v, want %s", string(utf16.Decode(r.source)), r.flags, err, r.want)
				wrong++
			}
			continue
		}
		got = append(got, exec(p, func(from int) ([]int32, error) { return m.MatchUTF16(p, r.text, from) }, len(r.text)))
		if narrow, ok := narrowed(r.text); ok {
			got = append(got, exec(p, func(from int) ([]int32, error) { return m.MatchASCII(p, narrow, from) }, len(r.text)))
		}
		if p.linear.can(0) {
			got = append(got, exec(p, func(from int) ([]int32, error) { return hasty.MatchUTF16(p, r.text, from) }, len(r.text)))
		}
		for i, g := range got {
			if inside[string(utf16.Decode(r.source))] {
				continue
			}
			if g != r.want {
				t.Errorf("%d: /%s/%s on %q: %s, want %s", i, string(utf16.Decode(r.source)), r.flags, string(utf16.Decode(r.text)), g, r.want)
				if wrong++; wrong > 25 {
					t.FailNow()
				}
			}
		}
	}
}
