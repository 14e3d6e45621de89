package sandbox

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dop251/goja"
)

const (
	maxFormatted = 8 << 10 // bytes of one console line
	maxDepth     = 4       // levels of an object that a console line shows
)

// Format makes one line of console.log's arguments: %s, %d, %i, %f, %j, %o, %O and %c in a leading string are filled in, the
// rest follows after spaces; strings as they are, other values as Node shows them, roughly. It is cut at 8 KiB. It must be
// called inside Enter.
func (v *VM) Format(args []goja.Value) string {
	var b strings.Builder
	if len(args) > 0 {
		if s, ok := args[0].Export().(string); ok && strings.Contains(s, "%") {
			args = v.formatInto(&b, s, args[1:])
			if len(args) > 0 {
				b.WriteByte(' ')
			}
		}
	}
	for i, a := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		if s, ok := a.Export().(string); ok {
			b.WriteString(s)
		} else {
			v.inspect(&b, a, 0, nil)
		}
		if b.Len() > maxFormatted {
			break
		}
	}
	s := b.String()
	if len(s) > maxFormatted {
		s = strings.ToValidUTF8(s[:maxFormatted], "") + "…"
	}
	return s
}

// formatInto fills the verbs of a format and gives the arguments left.
func (v *VM) formatInto(b *strings.Builder, format string, args []goja.Value) []goja.Value {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		verb := format[i+1]
		if verb == '%' {
			b.WriteByte('%')
			i++
			continue
		}
		if len(args) == 0 || !strings.ContainsRune("sdifjoOc", rune(verb)) {
			b.WriteByte('%')
			continue
		}
		a := args[0]
		args, i = args[1:], i+1
		switch verb {
		case 's':
			if _, isObject := a.(*goja.Object); isObject {
				v.inspect(b, a, maxDepth-1, nil)
			} else {
				b.WriteString(a.String())
			}
		case 'd', 'f':
			b.WriteString(a.ToNumber().String())
		case 'i':
			b.WriteString(strconv.FormatInt(a.ToInteger(), 10))
		case 'c':
		default:
			v.inspect(b, a, 0, nil)
		}
	}
	return args
}

func (v *VM) inspect(b *strings.Builder, value goja.Value, depth int, above []*goja.Object) {
	o, ok := value.(*goja.Object)
	if b.Len() > maxFormatted {
		return
	}
	if !ok {
		if s, isString := value.Export().(string); isString {
			b.WriteString("'" + strings.ReplaceAll(s, "'", `\'`) + "'")
			return
		}
		b.WriteString(value.String())
		return
	}
	for _, a := range above {
		if a.SameAs(o) {
			b.WriteString("[Circular]")
			return
		}
	}
	switch o.ClassName() {
	case "Error":
		b.WriteString(CleanStack(o.Get("stack").String()))
		return
	case "Function":
		fmt.Fprintf(b, "[Function: %s]", o.Get("name").String())
		return
	case "Date", "RegExp":
		b.WriteString(o.String())
		return
	}
	if depth >= maxDepth {
		b.WriteString("[" + o.ClassName() + "]")
		return
	}
	if tag := o.GetSymbol(goja.SymToStringTag); tag != nil && (tag.String() == "Map" || tag.String() == "Set") && o.Get("forEach") != nil {
		v.inspectCollection(b, tag.String(), o, depth, append(above, o))
		return
	}
	open, closing, array := "{", "}", o.ClassName() == "Array"
	if array {
		open, closing = "[", "]"
	}
	above = append(above, o)
	b.WriteString(open)
	for i, k := range o.Keys() {
		if i > 0 {
			b.WriteByte(',')
		}
		if i == 100 {
			b.WriteString(" …")
			break
		}
		b.WriteByte(' ')
		if !array {
			b.WriteString(k + ": ")
		}
		v.inspect(b, o.Get(k), depth+1, above)
	}
	if b.String()[b.Len()-1] != open[0] {
		b.WriteByte(' ')
	}
	b.WriteString(closing)
}

// inspectCollection shows a Map or a Set.
func (v *VM) inspectCollection(b *strings.Builder, class string, o *goja.Object, depth int, above []*goja.Object) {
	fmt.Fprintf(b, "%s(%v) {", class, o.Get("size"))
	n := 0
	v.Runtime.ForOf(o, func(item goja.Value) bool {
		if n++; n > 1 {
			b.WriteByte(',')
		}
		if n > 100 {
			b.WriteString(" …")
			return false
		}
		b.WriteByte(' ')
		if entry, ok := item.(*goja.Object); ok && class == "Map" {
			v.inspect(b, entry.Get("0"), depth+1, above)
			b.WriteString(" => ")
			item = entry.Get("1")
		}
		v.inspect(b, item, depth+1, above)
		return true
	})
	if n > 0 {
		b.WriteByte(' ')
	}
	b.WriteByte('}')
}
