package compile

import (
	"slices"
	"strings"
)

// pureNodeModules are the modules of Node's that workflow code may import, as Temporal's own bundler has it. What they hold is
// in runtime/bundle/ts/workflow/web.ts.
var pureNodeModules = []string{"assert", "url", "util"}

// isNodeModule reports whether a name, or the package that it begins with, is one of Node's own modules.
func isNodeModule(module string) bool {
	if strings.HasPrefix(module, "node:") {
		return true
	}
	name, _, _ := strings.Cut(module, "/")
	return slices.Contains(nodeModules, name)
}

var nodeModules = strings.Fields(`assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns
	domain events fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl stream
	string_decoder sys timers tls trace_events tty url util v8 vm wasi worker_threads zlib`)
