package metrics

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

var fullName = regexp.MustCompile(`fqName: "` + namespace + `_([a-z_]+)"`)

func TestThePageHasAllMetrics(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		New(Options{}).registry.Describe(descriptions)
	}()
	found := 0
	for d := range descriptions {
		name := fullName.FindStringSubmatch(d.String())
		if name == nil {
			continue
		}
		found++
		if !strings.Contains(string(text), "`…"+name[1]+"`") {
			t.Errorf("README.md doesn't know %s_%s", namespace, name[1])
		}
	}
	if found < 20 {
		t.Errorf("%d metrics were found", found)
	}
}
