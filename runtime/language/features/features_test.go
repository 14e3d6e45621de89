package features

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

func TestTheTableReads(t *testing.T) {
	t.Parallel()
	all, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range all {
		if names[f.Name] {
			t.Errorf("%s is there twice", f.Name)
		}
		names[f.Name] = true
		for _, tag := range f.Tags {
			if !slices.Contains([]string{"workflow", "activity", "younger", "typescript", "absent"}, tag) {
				t.Errorf("%s has the tag %s", f.Name, tag)
			}
		}
	}
	if len(all) < 150 {
		t.Errorf("the table has %d entries", len(all))
	}
}

// The table says what JavaScript does, so that Node has to agree.
func TestNodeAgreesWithTheTable(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node")
	}
	all, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	code.WriteString("const features = {\n")
	for _, f := range all {
		if f.Refused || slices.ContainsFunc(f.Tags, func(tag string) bool { return tag != "activity" }) || strings.Contains(f.Code, "@temporalio/") {
			continue
		}
		code.WriteString(quote(f.Name) + ": " + f.Code + ",\n")
	}
	code.WriteString(`};
(async () => {
  for (const name of Object.keys(features)) {
    let got;
    try { got = await features[name](); } catch (e) { got = e; }
    if (got !== true) console.log(name + ': ' + got);
  }
})()`)
	r := api.Transform(code.String(), api.TransformOptions{Loader: api.LoaderTS})
	if len(r.Errors) > 0 {
		t.Fatal(r.Errors[0].Text)
	}
	c := exec.Command(node, "--input-type=commonjs", "-e", string(r.Code))
	c.Env = []string{"TZ=UTC"}
	if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
