package compile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// meaning is what a name that code imports stands for.
type meaning int

const (
	// refused names stand for nothing here.
	refused meaning = iota
	// provided modules come with the runtime: Temporal's packages and what there is of Node's
	// modules.
	provided
	// packaged modules are npm packages in Config.Modules.
	packaged
)

// Modules are what a text of the kind may import without any package, in order, without the modules
// of Node.
func (k Kind) Modules() []string {
	if k == Activity {
		return []string{"@temporalio/activity", "@temporalio/client", "@temporalio/common"}
	}
	return []string{"@temporalio/common", "@temporalio/workflow", "nexus-rpc"}
}

// NodeModules are the modules of Node, without the prefix "node:", that code of the kind may
// import.
func (k Kind) NodeModules() []string {
	if k == Workflow {
		return []string{"assert", "url", "util"} // as Temporal's own bundler has it
	}
	return []string{
		"assert", "assert/strict", "async_hooks", "buffer", "console", "crypto", "diagnostics_channel", "events", "path", "path/posix",
		"perf_hooks", "process", "punycode", "querystring", "stream", "stream/consumers", "stream/promises", "stream/web", "string_decoder", "timers",
		"timers/promises", "url", "util", "util/types", "zlib",
	}
}

// isHTTP tells the modules of Node that packages of activities have and authors don't, who are told
// of fetch.
func isHTTP(module string) bool { return module == "http" || module == "https" }

// ForPackages tells whether the packages of the kind find a module of Node, by its name without
// "node:".
func (k Kind) ForPackages(module string) bool {
	return slices.Contains(k.NodeModules(), module) || k == Activity && isHTTP(module)
}

// meaningOf tells what a name means in code of the kind.
func (k Kind) meaningOf(name string) meaning {
	if k.isTemporal(name) {
		return provided
	}
	if module, ok := nodeModule(name); ok {
		if slices.Contains(k.NodeModules(), module) {
			return provided
		}
		return refused
	}
	if isPackage(name) && !strings.HasPrefix(name, "@temporalio/") {
		return packaged
	}
	return refused
}

// Provides tells whether the runtime has a module that code of the kind, or a package for it (see
// RequiredBy), asks for.
func (k Kind) Provides(name string) bool {
	asked, _ := RequiredBy(name)
	return k.meaningOf(asked) == provided
}

func (k Kind) isTemporal(name string) bool {
	for _, m := range k.Modules() {
		if name == m || strings.HasPrefix(name, m+"/lib/") {
			return true
		}
	}
	return false
}

// packageName matches what npm allows, with the path of a file in the package behind.
var packageName = regexp.MustCompile(`^(@[a-zA-Z0-9~][\w.~-]*/)?[a-zA-Z0-9~][\w.~-]*(/[\w.~@+-]+)*$`)

func isPackage(name string) bool {
	return len(name) <= 256 && packageName.MatchString(name) && !slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool {
		return part == "." || part == ".." || part == "node_modules"
	})
}

// packageOf gives the package's part of a name or of a path within node_modules.
func packageOf(name string) string {
	if i := strings.LastIndex(name, "node_modules/"); i >= 0 {
		name = name[i+len("node_modules/"):]
	}
	parts := strings.SplitN(name, "/", 3)
	if strings.HasPrefix(name, "@") && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

// nodeModule gives the name of a module of Node without its prefix.
func nodeModule(name string) (string, bool) {
	if module, ok := strings.CutPrefix(name, "node:"); ok {
		return module, true
	}
	first, _, _ := strings.Cut(name, "/")
	return name, slices.Contains(nodeModuleNames, first)
}

// nodeModuleNames are the modules that Node finds without the prefix; what is below them
// (fs/promises) is Node's too.
var nodeModuleNames = []string{
	"assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto", "dgram", "diagnostics_channel",
	"dns", "domain", "events", "fs", "http", "http2", "https", "inspector", "module", "net", "os", "path", "perf_hooks", "process",
	"punycode", "querystring", "readline", "repl", "stream", "string_decoder", "sys", "timers", "tls", "trace_events", "tty", "url",
	"util", "v8", "vm", "wasi", "worker_threads", "zlib",
}

// instead says what to use for a module of Node that isn't here.
func instead(k Kind, module string) string {
	if k == Workflow {
		return "a workflow can't reach the machine, let an activity do it"
	}
	first, _, _ := strings.Cut(module, "/")
	switch first {
	case "http", "https", "http2":
		return "use fetch"
	case "net", "tls", "dgram", "dns":
		return "the network is reached through fetch"
	case "fs":
		return "there are no files: pass data as arguments and results, or keep it behind HTTP"
	case "child_process", "cluster", "worker_threads":
		return "no processes or threads can be started here"
	case "vm", "module", "v8", "inspector", "repl", "wasi":
		return "Node's own machinery doesn't exist here"
	case "stream":
		return "use node:stream, or the web's streams"
	case "os", "tty", "readline":
		return "code sees nothing of the machine"
	}
	return "it doesn't exist here"
}

// Refusal says why code of the kind can't import a name.
func (k Kind) Refusal(name string) string {
	if module, ok := nodeModule(name); ok {
		what := fmt.Sprintf("can't import %q: %[1]q is Node's: %s", name, instead(k, module))
		if have := k.NodeModules(); len(have) > 0 {
			what += fmt.Sprintf("; of Node's modules %s code may import %s", k, strings.Join(have, ", "))
		}
		return what
	}
	what := fmt.Sprintf("can't import %q: %s code may import %s", name, k, strings.Join(k.Modules(), ", "))
	switch {
	case strings.HasPrefix(name, "@/"):
		what += "; paths of the Workflow Builder's own source don't exist here"
	case strings.HasPrefix(name, "."):
		what += fmt.Sprintf("; %q can only be imported for its types (import type …)", name)
	case strings.HasPrefix(name, "/"), strings.Contains(name, ":"):
		what += ", and npm packages by their names; files and addresses can't be imported"
	}
	return what
}
