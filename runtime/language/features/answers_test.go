package features

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// The lists say what Node gives, and the version that they were made with is 20.
func TestNodeAgreesWithTheAnswers(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node")
	}
	if version, err := exec.Command(node, "--version").Output(); err != nil || !strings.HasPrefix(string(version), "v20.") {
		t.Skipf("this is Node %s", version)
	}
	rows, err := Answers()
	if err != nil {
		t.Fatal(err)
	}
	var list [][2]string
	for _, a := range rows {
		list = append(list, [2]string{a.Code, a.Node})
	}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(node, "--input-type=commonjs", "-e", `
for (const [code, want] of JSON.parse(require('fs').readFileSync(0, 'utf8'))) {
  let got;
  try { got = String((0, eval)('(() => { "use strict"; return (' + code + '); })')()); } catch (e) { got = '!' + e.name; }
  if (got !== want) console.log(code + ' gives ' + got + ', not ' + want);
}`)
	c.Env = []string{"TZ=UTC"}
	c.Stdin = strings.NewReader(string(text))
	if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
