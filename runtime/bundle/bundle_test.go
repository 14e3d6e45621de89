package bundle

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/dop251/goja"
)

func TestBundleIsAFunctionOfThree(t *testing.T) {
	p, err := Workflow()
	if err != nil {
		t.Fatal(err)
	}
	v, err := goja.New().RunProgram(p)
	if err != nil {
		t.Fatal(err)
	}
	if f, ok := v.(*goja.Object); !ok || f.Get("length").ToInteger() != 3 {
		t.Errorf("the program is %v", v)
	}
}

func TestVersionNamesThePackageAndTheContent(t *testing.T) {
	if !regexp.MustCompile(`^@temporalio/workflow \d+\.\d+\.\d+ [0-9a-f]{8}$`).MatchString(Version()) {
		t.Errorf("Version() = %q", Version())
	}
}

func TestBundleHasNoAddressOfARegistryOrMachine(t *testing.T) {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(lock, []byte(`"resolved"`)) || bytes.Contains(lock, []byte("://")) && strings.Contains(string(lock), "registry") {
		t.Error("package-lock.json names a registry")
	}
	text, err := read("workflow")
	if err != nil {
		t.Fatal(err)
	}
	if wd, _ := os.Getwd(); bytes.Contains(text, []byte(wd)) {
		t.Error("the bundle names the folder it was built in")
	}
}
