package sandbox

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/dop251/goja"
)

// frame matches a line of goja's stacks: "\tat name (file.ts:3:4(17))", "\tat file.ts:3:4(17)",
// "\tat name (native)".
var frame = regexp.MustCompile(`^\s*at (?:(.*?) \()?(.*?)(?::(\d+):(\d+)\(\d+\))?\)?$`)

// bundled is the file of frames between npm packages: see runtime/compile.
const bundled = "packages/bundle"

// CleanStack rewrites goja's stack in the form of V8's, with the frames of the author's code alone:
// no native functions, none of ours. Lines that are not frames stay.
func CleanStack(stack string) string {
	lines := strings.Split(strings.TrimRight(stack, "\n"), "\n")
	out := lines[:0]
	for _, l := range lines {
		if !strings.HasPrefix(l, "\tat ") {
			out = append(out, l)
			continue
		}
		m := frame.FindStringSubmatch(l)
		if m == nil {
			out = append(out, l)
			continue
		}
		name, file, line, column := m[1], m[2], m[3], m[4]
		if line == "" || strings.HasPrefix(file, Internal) || file == bundled {
			continue
		}
		place := fmt.Sprintf("%s:%s:%d", file, line, atoi(column)+1) // goja's mapped columns count from 0
		if name == "" {
			out = append(out, "    at "+place)
		} else {
			out = append(out, "    at "+name+" ("+place+")")
		}
	}
	return strings.Join(out, "\n")
}

func atoi(s string) int {
	n := 0
	for _, c := range s {
		n = n*10 + int(c-'0')
	}
	return n
}

// Thrown describes what JavaScript threw, for its author.
type Thrown struct {
	// Message is "TypeError: x is undefined", or a thrown non-error as text.
	Message string
	// Stack is cleaned and begins with the message; "" for non-errors.
	Stack string
	// File, Line and Column are the innermost place in the author's code; 0 where there is none.
	File         string
	Line, Column int
}

func (t *Thrown) Error() string {
	if t.Line == 0 {
		return t.Message
	}
	return fmt.Sprintf("%s (%s:%d:%d)", t.Message, t.File, t.Line, t.Column)
}

// Describe reads an exception. It must be called inside Enter: an error's properties may be
// getters.
func (v *VM) Describe(ex *goja.Exception) *Thrown {
	t := &Thrown{Message: v.text(ex.Value().String)}
	for _, f := range ex.Stack() {
		p := f.Position()
		// Files of npm packages are named with their folder, the author's own without.
		if p.Line > 0 && !strings.HasPrefix(p.Filename, Internal) && p.Filename != "" && !strings.Contains(p.Filename, "/") {
			t.File, t.Line, t.Column = p.Filename, p.Line, p.Column+1
			break
		}
	}
	if o, ok := ex.Value().(*goja.Object); ok && o.ClassName() == "Error" {
		t.Stack = CleanStack(v.text(func() string {
			if stack := o.Get("stack"); stack != nil {
				return stack.String()
			}
			return ""
		}))
	}
	return t
}

// unshown stands for what throws when it is asked for its text.
const unshown = "something was thrown that has no text"

// text is what get gives, which may run the author's code. Inside Enter.
func (v *VM) text(get func() string) (out string) {
	if ex := v.Runtime.Try(func() { out = get() }); ex != nil {
		return unshown
	}
	return out
}

// Escaped is an error with a *goja.Exception in it that left Enter: that one's own text would be asked
// of what was thrown, by code of the author's, where nothing catches what that throws.
type Escaped struct {
	text string
	err  error
}

func (e *Escaped) Error() string { return e.text }

func (e *Escaped) Unwrap() error { return e.err }

// escaping is an error that leaves Enter. Inside Enter.
func (v *VM) escaping(err error) error {
	var ex *goja.Exception
	if err == nil || !errors.As(err, &ex) {
		return err
	}
	return &Escaped{text: v.text(err.Error), err: err}
}
