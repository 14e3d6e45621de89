package rows

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestTheMetadataIsAsItsExampleSays(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("metadata.go")
	if err != nil {
		t.Fatal(err)
	}
	var example strings.Builder
	for line := range strings.Lines(string(source)) {
		if strings.HasPrefix(line, "type Metadata") {
			break
		}
		if text, ok := strings.CutPrefix(line, "//\t"); ok {
			example.WriteString(text)
		}
	}
	var m Metadata
	d := json.NewDecoder(strings.NewReader(example.String()))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		t.Fatalf("the documented example doesn't fit the type: %v\n%s", err, example.String())
	}
	written, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	_ = json.Unmarshal([]byte(example.String()), &a)
	_ = json.Unmarshal([]byte(written), &b)
	if !reflect.DeepEqual(a, b) {
		t.Errorf("the example reads as\n%s", written)
	}
}
