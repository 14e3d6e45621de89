package features

import (
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed features.txt
var table string

//go:embed *.jsonl
var answers embed.FS

// Feature is an entry of the table.
type Feature struct {
	Name string
	// Tags say where it applies: workflow or activity (both if neither is there), and what Node
	// says of it.
	Tags []string
	// Code is a function that gives true, or a module that is refused.
	Code string
	// Refused is set for a module that doesn't compile: where, and with what in the message.
	Refused      bool
	Line, Column int
	Message      string
}

// For reports whether the feature is one of workflows, or of activities.
func (f Feature) For(kind string) bool {
	others := map[string]string{"workflow": "activity", "activity": "workflow"}
	return !slices.Contains(f.Tags, others[kind])
}

var (
	header  = regexp.MustCompile(`^(.*?)((?: \[\w+\])*)$`)
	refusal = regexp.MustCompile(`^!(\d+):(\d+): (.*)$`)
)

// Load reads the table.
func Load() ([]Feature, error) {
	var out []Feature
	for entry := range strings.SplitSeq(table, "\n### ") {
		name, code, found := strings.Cut(entry, "\n")
		if strings.HasPrefix(name, "#") {
			continue
		}
		if !found {
			return nil, fmt.Errorf("%s: there is no code", name)
		}
		m := header.FindStringSubmatch(name)
		f := Feature{Name: m[1], Code: strings.TrimSuffix(code, "\n")}
		for tag := range strings.FieldsSeq(m[2]) {
			f.Tags = append(f.Tags, strings.Trim(tag, "[]"))
		}
		if first, rest, _ := strings.Cut(f.Code, "\n"); strings.HasPrefix(first, "!") {
			r := refusal.FindStringSubmatch(first)
			if r == nil {
				return nil, fmt.Errorf("%s: %q is no refusal", f.Name, first)
			}
			f.Refused, f.Code, f.Message = true, rest, r[3]
			f.Line, _ = strconv.Atoi(r[1]) // digits
			f.Column, _ = strconv.Atoi(r[2])
		}
		out = append(out, f)
	}
	return out, nil
}

// Module is a TypeScript module whose exported function run gives the names of the features of a
// kind that don't work, with what went wrong, and the answers that aren't as they should be.
func Module(kind string) (string, error) {
	all, err := Load()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("// @ts-nocheck\nconst features = {\n")
	for _, f := range all {
		if !f.Refused && f.For(kind) {
			fmt.Fprintf(&b, "%q: %s,\n", f.Name, f.Code)
		}
	}
	b.WriteString("};\nconst answers = [\n")
	rows, err := Answers()
	if err != nil {
		return "", err
	}
	for _, a := range rows {
		fmt.Fprintf(&b, "[() => (%s), %s, %s],\n", a.Code, quote(a.Code), quote(a.Here))
	}
	b.WriteString(`];
export async function run() {
  const wrong = [];
  for (const name of Object.keys(features)) {
    try {
      if ((await features[name]()) !== true) wrong.push(name);
    } catch (e) {
      wrong.push(name + ': ' + e);
    }
  }
  for (const [f, code, want] of answers) {
    let got;
    try {
      got = String(f());
    } catch (e) {
      got = '!' + e.name;
    }
    if (got !== want) wrong.push(code + ' gives ' + got + ', not ' + want);
  }
  return wrong;
}
`)
	return b.String(), nil
}

func quote(s string) string {
	b, _ := json.Marshal(s) // of a string
	return string(b)
}

// Answer is an expression with what it gives as a string, or with "!" and the name of the error
// that it throws.
type Answer struct {
	Code string
	// Node is what Node 20 gives; Here is what it gives here, which is the same but for the known
	// differences.
	Node, Here string
	// Reason of a difference.
	Reason string
}

// Answers reads all lists.
func Answers() ([]Answer, error) {
	files, err := answers.ReadDir(".")
	if err != nil {
		return nil, err
	}
	var all []byte
	for _, f := range files {
		text, err := answers.ReadFile(f.Name())
		if err != nil {
			return nil, err
		}
		all = append(all, text...)
	}
	var out []Answer
	for line := range strings.Lines(string(all)) {
		var row []string
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		switch len(row) {
		case 2:
			out = append(out, Answer{Code: row[0], Node: row[1], Here: row[1]})
		case 4:
			out = append(out, Answer{row[0], row[1], row[2], row[3]})
		default:
			return nil, fmt.Errorf("%s: %d fields", line, len(row))
		}
	}
	return out, nil
}
