package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"workflow-worker/runtime/bundle/npm"
)

const root = "../.."

// Whatever is added to the service has its notice in the image, or this fails and says which.
func TestEverythingInTheServiceHasItsNotice(t *testing.T) {
	t.Parallel()
	modules, err := goModules(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	packages, err := npmPackages(root)
	if err != nil {
		t.Fatal(err)
	}
	text := notices("our own terms", modules, packages)
	for _, want := range []string{
		"our own terms", "Go and its standard library", "Copyright 2009 The Go Authors", "github.com/dop251/goja ", "Dmitry Panov",
		"npm: @temporalio/workflow ", "npm: web-streams-polyfill ", "npm: cldr-core ", "UNICODE LICENSE", "google.golang.org/grpc ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	// What the tools know to be in the service is what is told of.
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", service)
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range strings.Fields(string(out)) {
		if !strings.Contains(text, "\n"+path+" v") {
			t.Errorf("%s has no notice", path)
		}
	}
	if strings.Contains(text, "github.com/fergusstrange/embedded-postgres ") {
		t.Error("there is a notice of what only tests use")
	}
	if again, err := goModules(t.Context(), root); err != nil || notices("our own terms", again, packages) != text {
		t.Errorf("the text is another one the second time: %v", err)
	}
	for path := range silent {
		if !strings.Contains(text, path) {
			t.Errorf("%s is no part of the service any more", path)
		}
	}
}

func TestABillIsCompletedByNpmPackages(t *testing.T) {
	t.Parallel()
	given := `{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"name":"a go module","bom-ref":"x"}],"metadata":{"tools":[1.50]}}`
	text, err := completed([]byte(given), []npm.Package{{Name: "@temporalio/workflow", Version: "1.24.0", Licence: "MIT"}, {Name: "ms", Version: "3.0.0"}})
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Components []struct {
			Name, PURL string
			Ref        string `json:"bom-ref"`
			Licenses   []struct{ Expression string }
		}
	}
	if err := json.Unmarshal(text, &read); err != nil || len(read.Components) != 3 {
		t.Fatalf("%v: %s", err, text)
	}
	if c := read.Components[1]; c.PURL != "pkg:npm/%40temporalio/workflow@1.24.0" || c.Ref != c.PURL || c.Licenses[0].Expression != "MIT" {
		t.Errorf("%+v", c)
	}
	if !strings.Contains(string(text), "1.50") || read.Components[0].Ref != "x" {
		t.Errorf("the rest was changed: %s", text)
	}
	for _, bad := range []string{`{}`, `[]`, `{"bomFormat":"CycloneDX"}`, `{"bomFormat":"SPDX","components":[]}`} {
		if _, err := completed([]byte(bad), nil); err == nil {
			t.Errorf("%s was taken for a bill", bad)
		}
	}
}
