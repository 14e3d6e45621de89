package sandbox

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/dop251/goja"
)

// A panic below JavaScript, wherever it is, ends the entry and says where the code was; code can't
// catch it, since nothing is sure after it.
func TestAPanicOfABuiltinIsAFault(t *testing.T) {
	t.Parallel()
	fault := faultOf(t, "function f() {\n broken() }\nf()")
	if fault == nil || fault.Cause != "out of order" || !strings.Contains(fault.Stack, "row.ts:") || !CutOff(fault) {
		t.Errorf("it ends with %v", fault)
	}
	if fault := faultOf(t, "try { broken() } catch { }"); fault == nil {
		t.Error("code catches it")
	}
}

func faultOf(t *testing.T, text string) (fault *Fault) {
	t.Helper()
	v, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = v.Enter(context.Background(), time.Minute, func() error {
		if err := v.Runtime.Set("broken", func(goja.FunctionCall) goja.Value { panic(errors.New("out of order")) }); err != nil {
			return err
		}
		p, err := Compile("row.ts", text)
		if err != nil {
			return err
		}
		_, err = v.Runtime.RunProgram(p)
		return err
	})
	if err != nil && !errors.As(err, &fault) {
		t.Error(err)
	}
	return fault
}
