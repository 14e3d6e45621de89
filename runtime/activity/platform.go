package activity

import (
	"embed"
	"fmt"
	"sync"

	"github.com/dop251/goja"

	"workflow-worker/runtime/sandbox"
)

//go:embed js/*.js
var platformText embed.FS

// platform is our JavaScript, compiled once per process: by name, "base" and the groups that it loads when needed.
var platform = sync.OnceValues(func() (map[string]*goja.Program, error) {
	programs := map[string]*goja.Program{}
	for _, name := range []string{"base", "events", "url", "fetch", "clone"} {
		text, err := platformText.ReadFile("js/" + name + ".js")
		if err != nil {
			return nil, err
		}
		// Names that begin like this are left out of stacks.
		p, err := goja.Compile(sandbox.Internal+"platform/"+name+">", string(text), false)
		if err != nil {
			return nil, fmt.Errorf("compile the platform's %s: %w", name, err)
		}
		programs[name] = p
	}
	return programs, nil
})

// run evaluates a program that is a function, and calls it.
func run(r *goja.Runtime, p *goja.Program, args ...goja.Value) (goja.Value, error) {
	v, err := r.RunProgram(p)
	if err != nil {
		return nil, err
	}
	f, ok := goja.AssertFunction(v)
	if !ok {
		return nil, fmt.Errorf("the program is a %T, not a function", v.Export())
	}
	return f(goja.Undefined(), args...)
}

// installPlatform defines the globals. Inside Enter.
func (in *instance) installPlatform() error {
	programs, err := platform()
	if err != nil {
		return err
	}
	o := in.code.opts
	base := in.object(map[string]any{
		"maxTimers":  o.MaxTimers,
		"env":        o.Env,
		"timeOrigin": float64(in.made.UnixMicro()) / 1e3,
		"startTimer": in.startTimer,
		"stopTimer":  in.stopTimer,
		"now":        in.now,
		"print":      in.print,
		"digest":     in.digest,
		"random":     in.random,
		"randomUUID": in.randomUUID,
		"load": func(call goja.FunctionCall) goja.Value {
			return in.loadGroup(programs, call.Argument(0).String())
		},
	})
	_, err = run(in.vm.Runtime, programs["base"], base)
	return err
}

// loadGroup defines a group of globals when the first of them is named.
func (in *instance) loadGroup(programs map[string]*goja.Program, group string) goja.Value {
	var host *goja.Object
	switch group {
	case "url":
		host = in.object(map[string]any{
			"parse": in.parseURL, "set": in.setURL, "formDecode": in.formDecode, "formEncode": in.formEncode})
	case "fetch":
		host = in.object(map[string]any{
			"maxRequests": in.code.opts.MaxRequests, "send": in.send, "read": in.readBody, "stop": in.stopRequest, "refused": in.noteRefusal})
	default:
		host = in.vm.Runtime.NewObject()
	}
	v, err := run(in.vm.Runtime, programs[group], host)
	if err != nil {
		in.broken = fmt.Errorf("load the platform's %s: %w", group, err)
		return in.vm.Runtime.NewObject()
	}
	return v
}

// object makes an object of host functions and constants.
func (in *instance) object(members map[string]any) *goja.Object {
	o := in.vm.Runtime.NewObject()
	for name, value := range members {
		if err := o.Set(name, value); err != nil && in.broken == nil {
			in.broken = fmt.Errorf("set %s: %w", name, err)
		}
	}
	return o
}
