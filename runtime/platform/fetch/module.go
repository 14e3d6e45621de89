// Package fetch is fetch, for activities: requests on Go's HTTP client, whole or as streams both
// ways, and what they are made of: Headers, Request, Response, Blob, File, FormData.
//
// It promises: the network is reached through the given client alone; what one execution may have
// open, read ahead and be given is bounded; all of it ends with the execution.
package fetch

import (
	_ "embed"
	"net/http"
	"sync/atomic"

	"github.com/dop251/goja"

	"workflow-worker/activities"
	"workflow-worker/runtime/platform"
)

// Options of all executions of one code.
type Options struct {
	// HTTP carries out requests.
	HTTP *http.Client
	// MaxResponseBytes bounds the body of each response, after decompression.
	MaxResponseBytes int64
	// Refused is told of errors that say that the guard refused an address.
	Refused func(h platform.Host, e *goja.Object)
}

//go:embed js/fetch.js
var fetchText string

//go:embed js/headers.js
var headersText string

//go:embed js/blob.js
var blobText string

var (
	fetchProgram   = platform.Script("fetch", platform.WithFaults(fetchText))
	headersProgram = platform.Script("headers", platform.WithFaults(headersText))
	blobProgram    = platform.Script("blob", platform.WithFaults(blobText))
)

// Modules gives fetch and its kin.
func Modules(o Options) []platform.Module {
	clients := newClients(o.HTTP)
	return []platform.Module{
		{Name: "fetch", Globals: []string{"fetch", "Request", "Response"}, Program: fetchProgram, Host: func(h platform.Host) map[string]any {
			return newFetch(h, clients, o).members()
		}},
		{Name: "headers", Globals: []string{"Headers"}, Program: headersProgram},
		{Name: "blob", Globals: []string{"Blob", "File", "FormData"}, Program: blobProgram, Host: func(h platform.Host) map[string]any {
			return map[string]any{"streams": sharer(h, "streams")}
		}},
	}
}

// fetch is one execution's. The goroutine that runs its JavaScript owns all but spoolLeft.
type fetch struct {
	platform.Host
	clients   clients
	mostBytes int64
	refused   func(e *goja.Object)

	requests  map[int]*request
	last      int
	spoolLeft atomic.Int64
}

func newFetch(h platform.Host, c clients, o Options) *fetch {
	f := &fetch{
		Host: h, clients: c, mostBytes: o.MaxResponseBytes, requests: map[int]*request{},
		refused: func(e *goja.Object) { o.Refused(h, e) },
	}
	f.spoolLeft.Store(spoolBytesTotal)
	h.OnEnd(func() {
		for id := range f.requests {
			f.drop(id)
		}
	})
	return f
}

// members are what fetch.js is given.
func (f *fetch) members() map[string]any {
	return map[string]any{
		"maxRequests": f.Requests().Most, "requestsSetting": activities.MaxRequestsSetting,
		"send": f.send, "read": f.readBody, "chunk": f.readChunk, "write": f.write, "endWrite": f.endWrite,
		"stop": f.stopRequest, "refused": f.noteRefusal,
		"headers": sharer(f, "headers"), "blob": sharer(f, "blob"), "streams": sharer(f, "streams"),
		"streamsSoFar": func(goja.FunctionCall) goja.Value { return f.SharedSoFar("streams") },
	}
}

func sharer(h platform.Host, module string) func(goja.FunctionCall) goja.Value {
	return func(goja.FunctionCall) goja.Value { return h.Shared(module) }
}
