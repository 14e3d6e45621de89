package bundle

import (
	"sync"

	"github.com/dop251/goja"
)

// Activity gives the bundle of @temporalio/activity, with the part of @temporalio/common that most
// activities need. The program evaluates to a function (host, module, exports) that fills
// module.exports with what runtime/activity calls. It is compiled once per process and may run in
// any number of runtimes.
func Activity() (*goja.Program, error) { return activity() }

// ActivityCommon gives all of @temporalio/common, likewise. It takes longer to evaluate, and
// belongs where it is needed.
func ActivityCommon() (*goja.Program, error) { return activityCommon() }

// Buffer gives Node's Buffer, likewise: module.exports.Buffer.
func Buffer() (*goja.Program, error) { return buffer() }

// Streams gives the web platform's streams, likewise: its classes, and isDisturbed.
func Streams() (*goja.Program, error) { return streams() }

// Harden gives what freezes a runtime's builtins, likewise: module.exports.harden(shared).
func Harden() (*goja.Program, error) { return harden() }

// Node gives modules of Node, likewise: module.exports.resolve makes each when it is asked for.
func Node() (*goja.Program, error) { return node() }

var (
	activity       = sync.OnceValues(func() (*goja.Program, error) { return load("activity") })
	activityCommon = sync.OnceValues(func() (*goja.Program, error) { return load("common") })
	buffer         = sync.OnceValues(func() (*goja.Program, error) { return load("buffer") })
	harden         = sync.OnceValues(func() (*goja.Program, error) { return load("harden") })
	node           = sync.OnceValues(func() (*goja.Program, error) { return load("node") })
	streams        = sync.OnceValues(func() (*goja.Program, error) { return load("streams") })
)
