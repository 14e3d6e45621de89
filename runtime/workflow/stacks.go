package workflow

import (
	"fmt"
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/sandbox"

	"workflow-worker/runtime/workflow/protocol"
)

// place is where something came about that an execution waits for: the author's frames, innermost
// first. It has nothing that JavaScript could reach.
type place struct{ frames []goja.StackFrame }

// captureStack keeps the author's frames of the call under way.
func (v *machine) captureStack(goja.FunctionCall) goja.Value {
	p := &place{}
	for _, f := range v.vm.Runtime.CaptureCallStack(0, nil) {
		if name := f.SrcName(); !strings.HasPrefix(name, sandbox.Internal) && len(p.frames) < protocol.MaxFrames {
			p.frames = append(p.frames, f)
		}
	}
	return v.vm.Runtime.ToValue(p)
}

// formatStack makes the text of a place and what the enhanced query tells of it.
func (v *machine) formatStack(c goja.FunctionCall) goja.Value {
	r := v.vm.Runtime
	var text []string
	var list []any
	if p, ok := c.Argument(0).Export().(*place); ok {
		for _, f := range p.frames {
			at, name := f.Position(), f.FuncName()
			b := v.sdk.values.Build()
			b.Set("file_path", at.Filename)
			b.Set("line", at.Line)
			b.Set("column", at.Column+1) // goja counts mapped columns from 0
			b.Set("internal_code", false)
			where := fmt.Sprintf("%s:%d:%d", at.Filename, at.Line, at.Column+1)
			if name == "<anonymous>" {
				text = append(text, "    at "+where)
			} else {
				b.Set("function_name", name)
				text = append(text, "    at "+name+" ("+where+")")
			}
			frame, _ := b.Made() // plain properties of an ordinary object, as below
			list = append(list, frame)
		}
	}
	b := v.sdk.values.Build()
	b.Set("formatted", strings.Join(text, "\n"))
	b.Value("structured", r.NewArray(list...))
	o, _ := b.Made()
	return o
}
