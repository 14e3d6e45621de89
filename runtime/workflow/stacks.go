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

// waitsAs is under what name the package keeps who waits for what a command begins.
var waitsAs = map[string]string{
	"startTimer": "timer", "scheduleActivity": "activity", "scheduleLocalActivity": "activity", "startChildWorkflowExecution": "childWorkflowStart",
	"signalExternalWorkflowExecution": "signalWorkflow", "requestCancelExternalWorkflowExecution": "cancelWorkflow", "scheduleNexusOperation": "nexusOperationStart",
}

// placeOf gives the author's frames of where a command came about that can't be read; "" if nobody waits
// for what it begins.
func (v *machine) placeOf(e *protocol.UnreadableError) (frames string) {
	r := v.vm.Runtime
	_ = r.Try(func() { // else it has no place
		activator := protocol.FieldsOf(r.GlobalObject().Get("__TEMPORAL_ACTIVATOR__"))
		waiting := activator.Object("completions").Value(waitsAs[e.Command])
		get, ok := goja.AssertFunction(protocol.FieldsOf(waiting).Value("get"))
		if !ok {
			return
		}
		one, err := get(waiting, r.ToValue(e.Seq))
		if err != nil {
			return
		}
		if at := protocol.FieldsOf(one).Value("at"); at != nil {
			if p, ok := at.Export().(*place); ok {
				frames = p.text()
			}
		}
	})
	return frames
}

// text is how a stack shows it.
func (p *place) text() string {
	var text []string
	for _, f := range p.frames {
		at, name := f.Position(), f.FuncName()
		where := fmt.Sprintf("%s:%d:%d", at.Filename, at.Line, at.Column+1) // goja counts mapped columns from 0
		if name == "<anonymous>" {
			text = append(text, "    at "+where)
		} else {
			text = append(text, "    at "+name+" ("+where+")")
		}
	}
	return strings.Join(text, "\n")
}

// formatStack makes the text of a place and what the enhanced query tells of it.
func (v *machine) formatStack(c goja.FunctionCall) goja.Value {
	r := v.vm.Runtime
	var text string
	var list []any
	if p, ok := c.Argument(0).Export().(*place); ok {
		text = p.text()
		for _, f := range p.frames {
			at, name := f.Position(), f.FuncName()
			b := v.sdk.values.Build()
			b.Set("file_path", at.Filename)
			b.Set("line", at.Line)
			b.Set("column", at.Column+1) // goja counts mapped columns from 0
			b.Set("internal_code", false)
			if name != "<anonymous>" {
				b.Set("function_name", name)
			}
			frame, _ := b.Made() // plain properties of an ordinary object, as below
			list = append(list, frame)
		}
	}
	b := v.sdk.values.Build()
	b.Set("formatted", text)
	b.Value("structured", r.NewArray(list...))
	o, _ := b.Made()
	return o
}
