package web

import (
	"embed"
	"fmt"
	"sync"

	"github.com/dop251/goja"

	"workflow-worker/runtime/platform"
	"workflow-worker/runtime/sandbox"
)

//go:embed js/*.js
var texts embed.FS

// Groups are the globals by the group that makes them, which is also the name of a file in js.
func Groups() map[string][]string {
	return map[string][]string{
		"assert": {"assert"},
		"clone":  {"structuredClone"},
		"events": {"DOMException", "Event", "EventTarget", "AbortController", "AbortSignal"},
		"url":    {"URL", "URLSearchParams"},
	}
}

// programs compiles the groups, once per process.
var programs = sync.OnceValues(func() (map[string]*goja.Program, error) {
	out := map[string]*goja.Program{}
	for group := range Groups() {
		text, err := texts.ReadFile("js/" + group + ".js")
		if err != nil {
			return nil, err
		}
		// Names that begin like this are left out of stacks.
		if out[group], err = sandbox.Compile(sandbox.Internal+"web/"+group+">", platform.WithFaults(string(text))); err != nil {
			return nil, fmt.Errorf("compile %s: %w", group, err)
		}
	}
	return out, nil
})

// Load makes the globals of a group in a runtime: an object that has each by its name. now gives an
// event's time in milliseconds. It must be called inside the VM's Enter.
func Load(r *goja.Runtime, group string, now func() float64) (*goja.Object, error) {
	all, err := programs()
	if err != nil {
		return nil, err
	}
	p, ok := all[group]
	if !ok {
		return nil, fmt.Errorf("there is no group %q", group)
	}
	v, err := r.RunProgram(p)
	if err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", group, err)
	}
	make, ok := goja.AssertFunction(v)
	if !ok {
		return nil, fmt.Errorf("%s is a %T, not a function", group, v.Export())
	}
	h := host{r}
	values, err := make(goja.Undefined(), h.with(h.members(group, now)))
	if err != nil {
		return nil, fmt.Errorf("evaluate %s: %w", group, err)
	}
	return values.ToObject(r), nil
}

// Modules gives the groups as modules.
func Modules() []platform.Module {
	var list []platform.Module
	for group, names := range Groups() {
		list = append(list, platform.Module{
			Name: group, Globals: names,
			Program: func() (*goja.Program, error) {
				all, err := programs()
				return all[group], err
			},
			Host: func(h platform.Host) map[string]any {
				now := func() float64 { return float64(h.Elapsed().Nanoseconds()) / 1e6 }
				return host{h.VM().Runtime}.members(group, now)
			},
		})
	}
	return list
}

// host is what Go gives the groups of one runtime.
type host struct{ r *goja.Runtime }

func (h host) members(group string, now func() float64) map[string]any {
	switch group {
	case "events":
		return map[string]any{"now": now}
	case "url":
		return map[string]any{"parse": h.parseURL, "set": h.setURL, "formDecode": h.formDecode, "formEncode": h.formEncode}
	default:
		return nil
	}
}

// with defines properties instead of setting them: a setter that the author has put on
// Object.prototype must not see them.
func (h host) with(members map[string]any) *goja.Object {
	o := h.r.NewObject()
	for name, value := range members {
		v := h.r.ToValue(value)
		if f, ok := v.(*goja.Object); ok { // goja would show Go's name in stacks
			_ = f.DefineDataProperty("name", h.r.ToValue(name), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE)
		}
		_ = o.DefineDataProperty(name, v, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE) // new objects take it
	}
	return o
}
