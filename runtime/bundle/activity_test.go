package bundle

import (
	"testing"

	"github.com/dop251/goja"
)

func TestActivityBundlesAreFunctionsOfThree(t *testing.T) {
	for name, load := range map[string]func() (*goja.Program, error){
		"Activity": Activity, "ActivityCommon": ActivityCommon, "Buffer": Buffer, "Streams": Streams} {
		p, err := load()
		if err != nil {
			t.Fatal(err)
		}
		v, err := goja.New().RunProgram(p)
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := v.(*goja.Object); !ok || f.Get("length").ToInteger() != 3 {
			t.Errorf("the program of %s is %v", name, v)
		}
	}
}
