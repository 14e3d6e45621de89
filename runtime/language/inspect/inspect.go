package inspect

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/linear"
)

// inspection writes values as Node's util.inspect does, in one line.
type inspection struct {
	in    *Inspector
	out   []byte
	depth int
	above []*goja.Object // around the value that is being written
	refs  []*goja.Object // of them those that came again
}

// maxItems is how many of an array, a Map or a Set are shown.
const maxItems = 100

func (i *inspection) write(s string) { i.out = append(i.out, s...) }
func (i *inspection) full() bool     { return len(i.out) > maxFormatted }

func numberText(f float64) string {
	switch {
	case f == 0 && math.Signbit(f):
		return "-0"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func (i *inspection) primitive(a goja.Value) {
	switch a := a.(type) {
	case *goja.Symbol:
		i.write("Symbol(" + a.String() + ")")
		return
	case goja.String:
		i.write(quoted(a.String()))
		return
	}
	switch e := a.Export().(type) {
	case *big.Int:
		i.write(e.String() + "n")
	case float64:
		if e == 0 && math.Signbit(e) {
			i.write("-0")
			return
		}
		i.write(a.String())
	default:
		i.write(a.String())
	}
}

// quoted takes the quotes that the text doesn't have.
func quoted(s string) string {
	quote := byte('\'')
	if strings.Contains(s, "'") {
		switch {
		case !strings.Contains(s, `"`):
			quote = '"'
		case !strings.ContainsAny(s, "`$"):
			quote = '`'
		}
	}
	out := []byte{quote}
	for _, r := range s {
		switch {
		case r == rune(quote) || r == '\\':
			out = append(out, '\\', byte(r))
		case r == '\n':
			out = append(out, `\n`...)
		case r == '\t':
			out = append(out, `\t`...)
		case r == '\r':
			out = append(out, `\r`...)
		case r == '\b':
			out = append(out, `\b`...)
		case r == '\f':
			out = append(out, `\f`...)
		case r < ' ' || r == 0x7f:
			out = fmt.Appendf(out, `\x%02X`, r)
		default:
			out = append(out, string(r)...)
		}
	}
	return string(append(out, quote))
}

func (i *inspection) value(a goja.Value, depth int) {
	if i.full() {
		return
	}
	o, ok := a.(*goja.Object)
	if !ok {
		i.primitive(a)
		return
	}
	if o.ExportType() == reflect.TypeFor[goja.Proxy]() {
		p, _ := o.Export().(goja.Proxy)
		if o = p.Target(); o == nil {
			i.write("<Revoked Proxy>")
			return
		}
	}
	for _, outer := range i.above {
		if outer.SameAs(o) {
			i.write("[Circular *" + strconv.Itoa(i.ref(o)) + "]")
			return
		}
	}
	from := len(i.out)
	i.above = append(i.above, o)
	i.object(o, depth)
	i.above = i.above[:len(i.above)-1]
	for n, r := range i.refs {
		if r.SameAs(o) {
			head := fmt.Sprintf("<ref *%d> ", n+1)
			i.out = append(i.out[:from], append([]byte(head), i.out[from:]...)...)
		}
	}
}

// ref is the number of an object that came again.
func (i *inspection) ref(o *goja.Object) int {
	for n, r := range i.refs {
		if r.SameAs(o) {
			return n + 1
		}
	}
	i.refs = append(i.refs, o)
	return len(i.refs)
}

// className is the name of the constructor, "" for an object that has none.
func className(o *goja.Object) string {
	for p := o.Prototype(); p != nil; p = p.Prototype() {
		c, ok := p.Get("constructor").(*goja.Object)
		if !ok {
			continue
		}
		if name, ok := c.Get("name").(goja.String); ok && name.Length() > 0 {
			return name.String()
		}
	}
	return ""
}

func (i *inspection) object(o *goja.Object, depth int) {
	name := className(o)
	if canBeCalled(o) {
		i.members(o, functionText(o, name), depth, nil)
		return
	}
	switch o.ClassName() {
	case "Error":
		i.write(i.in.CleanStack(o.Get("stack").String()))
		return
	case "Date":
		i.write(dateText(o))
		return
	case "RegExp":
		i.write(o.String())
		return
	case "Array":
		i.list(o, name, depth)
		return
	case "String":
		i.write("[String: " + quoted(o.String()) + "]")
		return
	case "Number", "Boolean":
		i.write("[" + o.ClassName() + ": ")
		inner := inspection{in: i.in}
		inner.primitive(i.in.Host.Runtime().ToValue(o.Export()))
		i.write(string(inner.out) + "]")
		return
	case "Arguments":
		i.members(o, "[Arguments]", depth, nil)
		return
	}
	switch e := exported(o).(type) {
	case *goja.Promise:
		i.promise(e, depth)
		return
	case goja.ArrayBuffer:
		i.write("ArrayBuffer { [Uint8Contents]: <" + hexadecimal(e.Bytes()) + ">, byteLength: " + strconv.Itoa(len(e.Bytes())) + " }")
		return
	case []byte:
		if name == "Buffer" {
			i.write("<Buffer")
			if len(e) > 0 {
				i.write(" ")
			}
			i.write(hexadecimal(e) + ">")
			return
		}
	}
	switch tag := tagOf(o); {
	case strings.HasSuffix(tag, "Array") && o.Get("byteLength") != nil:
		i.list(o, name, depth)
	case (tag == "Map" || tag == "Set") && o.Get("forEach") != nil:
		i.collection(tag, name, o, depth)
	case tag == "WeakMap" || tag == "WeakSet":
		i.write(tag + " { <items unknown> }")
	case name == "" || name == "Object" && o.Prototype() == nil:
		i.members(o, "[Object: null prototype]", depth, nil)
	case name == "Object":
		i.members(o, "", depth, nil)
	default:
		i.members(o, name, depth, nil)
	}
}

// exported gives what Go sees of the few objects that are looked into; others would be copied
// whole.
func exported(o *goja.Object) any {
	switch o.ExportType() {
	case reflect.TypeFor[*goja.Promise](), reflect.TypeFor[goja.ArrayBuffer](), reflect.TypeFor[[]byte]():
		return o.Export()
	}
	return nil
}

func tagOf(o *goja.Object) string {
	if tag, ok := o.GetSymbol(goja.SymToStringTag).(goja.String); ok {
		return tag.String()
	}
	return ""
}

func functionText(o *goja.Object, kind string) string {
	name, _ := o.Get("name").(goja.String)
	if strings.HasPrefix(o.String(), "class") {
		text := "[class (anonymous)"
		if name != nil && name.Length() > 0 {
			text = "[class " + name.String()
		}
		if parent := o.Prototype(); parent != nil {
			if base, ok := parent.Get("name").(goja.String); ok && base.Length() > 0 {
				text += " extends " + base.String()
			}
		}
		return text + "]"
	}
	if name == nil || name.Length() == 0 {
		return "[" + kind + " (anonymous)]"
	}
	return "[" + kind + ": " + name.String() + "]"
}

func dateText(o *goja.Object) string {
	t, ok := o.Export().(time.Time)
	if !ok || math.IsNaN(o.ToFloat()) {
		return "Invalid Date"
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func hexadecimal(b []byte) string {
	const most = 50
	shown := fmt.Sprintf("% x", b[:min(len(b), most)])
	if left := len(b) - most; left > 0 {
		shown += fmt.Sprintf(" ... %d more byte%s", left, plural(left))
	}
	return shown
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

func (i *inspection) promise(p *goja.Promise, depth int) {
	i.write("Promise { ")
	switch p.State() {
	case goja.PromiseStatePending:
		i.write("<pending>")
	case goja.PromiseStateRejected:
		i.write("<rejected> ")
		i.value(p.Result(), depth+1)
	default:
		i.value(p.Result(), depth+1)
	}
	i.write(" }")
}

// list shows an array or a typed array.
func (i *inspection) list(o *goja.Object, name string, depth int) {
	length := int(o.Get("length").ToInteger())
	prefix := ""
	if name != "Array" {
		prefix = fmt.Sprintf("%s(%d) ", name, length)
	}
	if depth > i.depth && length > 0 {
		i.write("[" + name + "]")
		return
	}
	i.write(prefix + "[")
	empty, shown := 0, 0
	item := func(text func()) {
		if shown++; shown > 1 {
			i.write(",")
		}
		i.write(" ")
		text()
	}
	holes := func() {
		if n := empty; n > 0 {
			item(func() { i.write(fmt.Sprintf("<%d empty item%s>", n, plural(n))) })
			empty = 0
		}
	}
	for n := 0; n < length && !i.full(); n++ {
		if shown >= maxItems {
			left := length - n + empty
			i.write(fmt.Sprintf(", ... %d more item%s", left, plural(left)))
			empty = 0
			break
		}
		v := o.Get(strconv.Itoa(n))
		if v == nil {
			empty++
			continue
		}
		holes()
		item(func() { i.value(v, depth+1) })
	}
	holes()
	i.rest(o, depth, shown, func(key string) bool {
		_, err := strconv.ParseUint(key, 10, 32)
		return err == nil
	})
	i.close("]", shown > 0)
}

// members shows an object's own properties behind its name.
func (i *inspection) members(o *goja.Object, name string, depth int, skip func(string) bool) {
	callable := canBeCalled(o)
	if depth > i.depth && !callable && len(o.Keys()) > 0 {
		if name == "" {
			name = "Object"
		}
		i.write("[" + strings.Trim(name, "[]") + "]")
		return
	}
	i.write(name)
	if callable && len(o.Keys()) == 0 {
		return
	}
	if name != "" {
		i.write(" ")
	}
	i.write("{")
	n := i.rest(o, depth, 0, skip)
	i.close("}", n > 0)
}

func (i *inspection) close(bracket string, any bool) {
	if any || i.out[len(i.out)-1] != bracketOf(bracket) {
		i.write(" ")
	}
	i.write(bracket)
}

func bracketOf(closing string) byte {
	if closing == "]" {
		return '['
	}
	return '{'
}

var identifier = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z_0-9]*$`)

// rest shows own enumerable properties, without calling getters, behind so many items.
func (i *inspection) rest(o *goja.Object, depth, before int, skip func(string) bool) (shown int) {
	shown = before
	property := func(name string, key goja.Value) {
		if shown++; shown > 1 {
			i.write(",")
		}
		i.write(" " + name + ": ")
		i.property(o, key, depth)
	}
	names, items := linear.Named(o)
	if !items {
		names = o.Keys()
	}
	for _, k := range names {
		if i.full() {
			return shown
		}
		if skip != nil && skip(k) {
			continue
		}
		name := k
		if !identifier.MatchString(k) {
			name = quoted(k)
		}
		property(name, i.in.Host.Runtime().ToValue(k))
	}
	for _, s := range o.Symbols() {
		property("[Symbol("+s.String()+")]", s)
	}
	return shown
}

func (i *inspection) property(o *goja.Object, key goja.Value, depth int) {
	describe, ok := goja.AssertFunction(language.NativeObject(i.in.Host, "Object").Get("getOwnPropertyDescriptor"))
	if !ok {
		return
	}
	found, err := describe(goja.Undefined(), o, key)
	d, ok := found.(*goja.Object)
	if err != nil || !ok {
		i.write("undefined")
		return
	}
	get, set := d.Get("get"), d.Get("set")
	switch isGetter, isSetter := canBeCalled(get), canBeCalled(set); {
	case isGetter && isSetter:
		i.write("[Getter/Setter]")
	case isGetter:
		i.write("[Getter]")
	case isSetter:
		i.write("[Setter]")
	default:
		i.value(d.Get("value"), depth+1)
	}
}

func canBeCalled(v goja.Value) bool {
	_, ok := goja.AssertFunction(v)
	return ok
}

// collection shows a Map or a Set.
func (i *inspection) collection(class, name string, o *goja.Object, depth int) {
	if depth > i.depth && o.Get("size").ToInteger() > 0 {
		i.write("[" + name + "]")
		return
	}
	if name == "" {
		name = class
	}
	i.write(fmt.Sprintf("%s(%v) {", name, o.Get("size")))
	n := 0
	i.in.Host.Runtime().ForOf(o, func(item goja.Value) bool {
		if n++; n > 1 {
			i.write(",")
		}
		if n > maxItems {
			left := int(o.Get("size").ToInteger()) - maxItems
			i.write(fmt.Sprintf(" ... %d more item%s", left, plural(left)))
			return false
		}
		i.write(" ")
		if entry, ok := item.(*goja.Object); ok && class == "Map" {
			i.value(entry.Get("0"), depth+1)
			i.write(" => ")
			item = entry.Get("1")
		}
		i.value(item, depth+1)
		return !i.full()
	})
	i.close("}", n > 0)
}
