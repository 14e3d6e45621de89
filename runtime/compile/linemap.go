package compile

import (
	"encoding/json"
	"strings"

	"github.com/go-sourcemap/sourcemap"
)

// lineMap thins a source map out to one place per line. Nobody debugs a package column by column
// here, and the whole map of a large one takes megabytes for as long as its program lives.
func lineMap(code string, full []byte) ([]byte, error) {
	m, err := sourcemap.Parse("", full)
	if err != nil {
		return nil, err
	}
	out := struct {
		Version  int      `json:"version"`
		Sources  []string `json:"sources"`
		Names    []string `json:"names"`
		Mappings string   `json:"mappings"`
	}{Version: 3, Sources: []string{}, Names: []string{}}
	known := map[string]int{}
	var mappings strings.Builder
	lastSource, lastLine := 0, 0
	number := 0
	for text := range strings.SplitSeq(code, "\n") {
		number++
		if number > 1 {
			mappings.WriteByte(';')
		}
		indent := len(text) - len(strings.TrimLeft(text, " "))
		source, _, line, _, ok := m.Source(number, indent)
		if indent == len(text) {
			continue
		}
		if !ok || source == "" || strings.HasPrefix(source, entryNamespace+":") {
			source, line = helpers, number
		} else {
			source = sourceName(source)
		}
		index, seen := known[source]
		if !seen {
			index = len(out.Sources)
			known[source] = index
			out.Sources = append(out.Sources, source)
		}
		// Column of the line, source, line and column there, each as the difference to the one
		// before.
		writeVLQ(&mappings, 0)
		writeVLQ(&mappings, index-lastSource)
		writeVLQ(&mappings, line-1-lastLine)
		writeVLQ(&mappings, 0)
		lastSource, lastLine = index, line-1
	}
	out.Mappings = mappings.String()
	return json.Marshal(out)
}

// helpers is the name of what esbuild adds; runtime/sandbox leaves it out of stacks.
const helpers = "packages/bundle"

// sourceName is a file's name as its package's reader knows it: "lodash/lodash.js".
func sourceName(path string) string {
	if i := strings.LastIndex(path, "node_modules/"); i >= 0 {
		return path[i+len("node_modules/"):]
	}
	for strings.HasPrefix(path, "../") {
		path = path[len("../"):]
	}
	if !strings.Contains(path, "/") {
		return "packages/" + path // with a folder, which is how a package's file is told from an author's
	}
	return path
}

// writeVLQ writes a number as source maps do.
func writeVLQ(b *strings.Builder, n int) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	u := uint(n) << 1
	if n < 0 {
		u = uint(-n)<<1 | 1
	}
	for {
		digit := u & 31
		if u >>= 5; u > 0 {
			digit |= 32
		}
		b.WriteByte(digits[digit])
		if u == 0 {
			return
		}
	}
}
