package builtins

import (
	"errors"
	"fmt"
	"slices"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
)

// maxChain is how many objects a proxy may lead to: by its target, its handler and their
// prototypes.
const maxChain = 1000

// chain looks for what goja would follow on Go's stack: from proxy to target and handler, and from
// object to prototype. goja forbids no circle with a proxy in it, as the language doesn't, and runs
// around it until the process ends.
type chain struct {
	seen map[*goja.Object]struct{}
	to   []*goja.Object
}

// checkChain throws if an object would lead back to itself by its new prototype.
func checkChain(r *goja.Runtime, object, prototype goja.Value) {
	o, ok := object.(*goja.Object)
	p, isObject := prototype.(*goja.Object)
	if !ok || !isObject || !leadsToProxy(o, p) {
		return
	}
	c := chain{seen: map[*goja.Object]struct{}{}, to: []*goja.Object{o}}
	for proxy, ok := language.Exported[goja.Proxy](o); ok && proxy.Target() != nil; proxy, ok = language.Exported[goja.Proxy](o) {
		o = proxy.Target() // gets the prototype
		c.to = append(c.to, o)
	}
	if c.follow(p) {
		panic(r.NewTypeError("Cyclic __proto__ value: the object would be its own prototype by way of a Proxy"))
	}
	c.check(r)
}

// checkProxy throws if a proxy would lead to too many objects.
func checkProxy(r *goja.Runtime, target, handler goja.Value) {
	c := chain{seen: map[*goja.Object]struct{}{}}
	for _, value := range []goja.Value{target, handler} {
		if o, ok := value.(*goja.Object); ok && leadsToProxy(nil, o) {
			c.follow(o)
		}
	}
	c.check(r)
}

func (c *chain) check(r *goja.Runtime) {
	if len(c.seen) > maxChain {
		panic(language.RangeError(r, fmt.Sprintf("a Proxy leads to more than %d objects: the limit is %d", maxChain, maxChain)))
	}
}

// leadsToProxy tells whether there is one in a chain of prototypes: hardly ever. The object itself
// is where goja looks.
func leadsToProxy(end, o *goja.Object) bool {
	for ; o != nil && o != end; o = o.Prototype() {
		if o.ExportType() == language.ProxyType {
			return true
		}
	}
	return false
}

// follow reports whether an object leads to one of c.to.
func (c *chain) follow(o *goja.Object) bool {
	todo := []*goja.Object{o}
	for len(todo) > 0 && len(c.seen) <= maxChain {
		o := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if o == nil {
			continue
		}
		if slices.Contains(c.to, o) {
			return true
		}
		if _, ok := c.seen[o]; ok {
			continue
		}
		c.seen[o] = struct{}{}
		if p, ok := language.Exported[goja.Proxy](o); ok {
			todo = append(todo, p.Target(), language.Handler(p))
		} else {
			todo = append(todo, o.Prototype())
		}
	}
	return false
}

// GuardProxy looks at what proxies are made of.
func GuardProxy(h Host, class *goja.Object) error {
	construct := h.Construct(class)
	if construct == nil {
		return errors.New("Proxy is no constructor")
	}
	original := *construct
	*construct = func(args []goja.Value, newTarget *goja.Object) *goja.Object {
		if len(args) > 1 {
			checkProxy(h.Runtime(), args[0], args[1])
		}
		return original(trapped(h.Runtime(), args), newTarget)
	}
	return language.Wrap(h, class, "revocable", func(call goja.FunctionCall, original language.Function) goja.Value {
		checkProxy(h.Runtime(), call.Argument(0), call.Argument(1))
		call.Arguments = trapped(h.Runtime(), call.Arguments)
		return original(call)
	})
}

// trapped is what a proxy is made of, with what stands for its handler.
func trapped(r *goja.Runtime, args []goja.Value) []goja.Value {
	if len(args) < 2 {
		return args
	}
	handler, ok := args[1].(*goja.Object)
	if !ok {
		return args
	}
	return []goja.Value{args[0], language.NewTraps(r, handler)}
}
