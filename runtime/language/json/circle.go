package json

import (
	"strings"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// step is an object on the way from the outermost, and where it was found in the one before.
type step struct {
	object  *goja.Object
	key     goja.Value
	inArray bool
}

// Of a long circle V8 shows the beginning and the end.
const (
	shownFirst = 2
	shownLast  = 1
)

// circle says which way leads from an object to itself, in V8's words.
func circle(h Host, steps []step, last step) string {
	var b strings.Builder
	b.WriteString("Converting circular structure to JSON\n    --> starting at object with constructor ")
	b.WriteString(class(h, steps[0].object))
	line := func(s step) {
		b.WriteString("\n    |     " + s.name() + " -> object with constructor " + class(h, s.object))
	}
	first := min(len(steps), 1+shownFirst)
	for _, s := range steps[1:first] {
		line(s)
	}
	rest := steps[first:]
	if len(rest) > shownLast {
		b.WriteString("\n    |     ...")
		rest = rest[len(rest)-shownLast:]
	}
	for _, s := range rest {
		line(s)
	}
	b.WriteString("\n    --- " + last.name() + " closes the circle")
	return b.String()
}

func (s step) name() string {
	if s.inArray {
		return "index " + s.key.String()
	}
	return "property '" + s.key.String() + "'"
}

// class is the name of the constructor that an object has, between quotation marks.
func class(h Host, o *goja.Object) string {
	name := "Object"
	if c, ok := h.Plain(o, "constructor").(*goja.Object); ok && o.ExportType() != language.ProxyType {
		if text, ok := h.Plain(c, "name").(goja.String); ok && text.Length() > 0 {
			name = text.String()
		}
	}
	return "'" + name + "'"
}
