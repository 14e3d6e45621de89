package activity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/dop251/goja"

	"workflow-worker/activities"
)

const (
	spoolBytes      = 64 << 10 // of a body, read before anybody asks
	spoolBytesTotal = 8 << 20  // the same for all requests of an execution
)

// request is one request of fetch, from send until its body was read or it was stopped. The goroutine that runs JavaScript
// owns it, except for what is said of spool.
type request struct {
	cancel context.CancelFunc
	body   io.ReadCloser // nil until the response's head is here
	open   bool          // holds a connection

	// The beginning of the body, read by the goroutine that sent the request. Most code never looks at the body of a POST, and
	// the connection is free again only when it was read. What follows is written before spooled is closed, and read after.
	spooled chan struct{}
	spool   []byte
	whole   bool // the body ended within the spool
	err     error
}

// clients are the given client with each of fetch's ways to treat redirects.
type clients map[string]*http.Client

var errRedirect = errors.New("unexpected redirect")

func newClients(c *http.Client) clients {
	manual, fail := *c, *c
	manual.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	fail.CheckRedirect = func(*http.Request, []*http.Request) error { return errRedirect }
	return clients{"follow": c, "manual": &manual, "error": &fail}
}

// send starts a request: method, URL, header pairs, body or undefined, redirect mode, resolve, reject. It returns the
// request's number, or -1 when there are too many.
func (in *instance) send(call goja.FunctionCall) goja.Value {
	r := in.vm.Runtime
	if in.openRequests >= in.code.opts.MaxRequests {
		return r.ToValue(-1)
	}
	in.lastRequest++
	id := in.lastRequest
	ctx, cancel := context.WithCancel(in.ctx)
	q := &request{cancel: cancel, open: true, spooled: make(chan struct{})}
	in.requests[id] = q
	in.openRequests++
	resolve, reject := in.callback(call.Argument(5)), in.callback(call.Argument(6))
	req, err := in.newRequest(ctx, call)
	client := in.code.clients[call.Argument(4).String()]
	in.loop.requests++
	in.background(func() {
		defer close(q.spooled)
		var res *http.Response
		if err == nil {
			res, err = client.Do(req) //nolint:bodyclose // the job below keeps it or closes it
		}
		in.finish(res, func() error {
			if in.requests[id] != q { // stopped meanwhile
				return closeBody(res)
			}
			if err != nil {
				in.drop(id)
				return reject(in.trouble(err))
			}
			q.body = res.Body
			return resolve(in.head(id, req, res))
		})
		if err == nil && in.readSpool(q, res) {
			in.loop.post(func() error {
				in.settle(q)
				return nil
			})
		}
	})
	return r.ToValue(id)
}

// readSpool reads the beginning of a body, and reports that it was the whole.
func (in *instance) readSpool(q *request, res *http.Response) bool {
	if in.spoolLeft.Add(-spoolBytes) >= 0 {
		q.spool, q.err = io.ReadAll(io.LimitReader(res.Body, spoolBytes))
		in.spoolLeft.Add(spoolBytes - int64(len(q.spool)))
		if q.whole = q.err == nil && len(q.spool) < spoolBytes; q.whole {
			_ = res.Body.Close()
		}
		return q.whole
	}
	in.spoolLeft.Add(spoolBytes)
	return false
}

// settle notes that a request holds no connection any more.
func (in *instance) settle(q *request) {
	if q.open {
		q.open = false
		in.openRequests--
	}
}

// finish posts what a request's goroutine ends with; if the loop is closed by then, nobody else closes the body.
func (in *instance) finish(res *http.Response, j job) {
	posted := in.loop.post(func() error {
		in.loop.requests--
		return j()
	})
	if !posted {
		_ = closeBody(res)
	}
}

func closeBody(res *http.Response) error {
	if res != nil {
		_ = res.Body.Close()
	}
	return nil
}

func (in *instance) newRequest(ctx context.Context, call goja.FunctionCall) (*http.Request, error) {
	var body io.Reader
	if b, ok := call.Argument(3).Export().(goja.ArrayBuffer); ok {
		body = bytes.NewReader(b.Bytes()) // nobody else has the buffer
	}
	req, err := http.NewRequestWithContext(ctx, call.Argument(0).String(), call.Argument(1).String(), body)
	if err != nil {
		return nil, err
	}
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return nil, fmt.Errorf("unknown scheme %q", req.URL.Scheme)
	}
	req.URL.Fragment, req.URL.RawFragment = "", ""
	var pairs [][2]string
	if err := in.vm.Runtime.ExportTo(call.Argument(2), &pairs); err != nil {
		return nil, err
	}
	for _, p := range pairs {
		switch p[0] {
		case "host":
			req.Host = p[1]
		case "accept-encoding", "connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect":
			// the connection's own: Go's transport sees to them, and decompresses what it asked for
		default:
			req.Header.Add(p[0], octetsOf(p[1]))
		}
	}
	for name, value := range map[string]string{"Accept": "*/*", "User-Agent": "workflow-worker"} {
		if req.Header.Get(name) == "" {
			req.Header.Set(name, value)
		}
	}
	return req, nil
}

// head describes a response.
func (in *instance) head(id int, req *http.Request, res *http.Response) goja.Value {
	r := in.vm.Runtime
	var pairs []any
	for name, values := range res.Header {
		for _, v := range values {
			pairs = append(pairs, r.NewArray(strings.ToLower(name), latin1(v)))
		}
	}
	final := *res.Request.URL
	return in.object(map[string]any{
		"id": id, "status": res.StatusCode, "statusText": strings.TrimPrefix(res.Status, fmt.Sprintf("%d ", res.StatusCode)),
		"headers": r.NewArray(pairs...), "url": final.String(), "redirected": res.Request != req,
		"hasBody": res.Body != http.NoBody && res.ContentLength != 0,
	})
}

// octetsOf is latin1's opposite; JavaScript checked that it has one.
func octetsOf(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r)) //nolint:gosec // see above
	}
	return string(b)
}

// latin1 is how JavaScript sees a header's bytes.
func latin1(s string) string {
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}

// readBody reads a response to its end: number, resolve, reject.
func (in *instance) readBody(call goja.FunctionCall) goja.Value {
	id := int(call.Argument(0).ToInteger())
	resolve, reject := in.callback(call.Argument(1)), in.callback(call.Argument(2))
	q := in.requests[id]
	if q == nil || q.body == nil {
		in.loop.post(func() error { return reject(in.trouble(errors.New("the response was given up"))) })
		return goja.Undefined()
	}
	limit := in.code.opts.MaxResponseBytes
	in.loop.requests++
	in.background(func() {
		<-q.spooled
		data, err := q.spool, q.err
		if err == nil && !q.whole {
			var rest []byte
			rest, err = io.ReadAll(io.LimitReader(q.body, limit+1-int64(len(data))))
			data = append(data, rest...)
		}
		if err == nil && int64(len(data)) > limit {
			err = &limitError{fmt.Sprintf("the response is larger than %d bytes (%s)", limit, activities.MaxResponseSetting)}
		}
		in.finish(nil, func() error {
			in.drop(id)
			if err != nil {
				return reject(in.trouble(err))
			}
			return resolve(in.vm.Runtime.ToValue(in.vm.Runtime.NewArrayBuffer(data)))
		})
	})
	return goja.Undefined()
}

func (in *instance) stopRequest(call goja.FunctionCall) goja.Value {
	in.drop(int(call.Argument(0).ToInteger()))
	return goja.Undefined()
}

// drop ends a request in whatever state it is.
func (in *instance) drop(id int) {
	q := in.requests[id]
	if q == nil {
		return
	}
	delete(in.requests, id)
	in.settle(q)
	q.cancel()
	select {
	case <-q.spooled:
		in.spoolLeft.Add(int64(len(q.spool)))
	default:
	}
	if q.body != nil {
		_ = q.body.Close()
	}
}

// trouble is what fetch.js makes its error of.
func (in *instance) trouble(err error) goja.Value {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var refused *activities.AddressError
	message := err.Error()
	if errors.As(err, &refused) {
		message = refused.Error()
	}
	var limit *limitError
	return in.object(map[string]any{"message": message, "code": troubleCode(err), "refused": refused != nil, "limit": errors.As(err, &limit)})
}

// troubleCode is what Node says in the cause's code, where libraries look for what is worth trying again; "" for what it has
// no code for, or we no way to tell.
func troubleCode(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "ENOTFOUND"
	case errors.As(err, &dns):
		return "EAI_AGAIN"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "UND_ERR_SOCKET"
	}
	for number, code := range map[syscall.Errno]string{
		syscall.ECONNREFUSED: "ECONNREFUSED", syscall.ECONNRESET: "ECONNRESET", syscall.ECONNABORTED: "ECONNABORTED", syscall.EPIPE: "EPIPE",
		syscall.ETIMEDOUT: "ETIMEDOUT", syscall.EHOSTUNREACH: "EHOSTUNREACH", syscall.ENETUNREACH: "ENETUNREACH",
	} {
		if errors.Is(err, number) {
			return code
		}
	}
	return ""
}

// limitError says that a limit was reached, which the error itself tells and not only its cause.
type limitError struct{ message string }

func (e *limitError) Error() string { return e.message }

// noteRefusal remembers the errors that say that the guard refused an address: an execution that ends with one is not retried.
func (in *instance) noteRefusal(call goja.FunctionCall) goja.Value {
	if o, ok := call.Argument(0).(*goja.Object); ok && len(in.refusals) < in.code.opts.MaxRequests {
		in.refusals = append(in.refusals, o)
	}
	return goja.Undefined()
}

// callback makes a Go function of a JavaScript one.
func (in *instance) callback(v goja.Value) func(goja.Value) error {
	f, ok := goja.AssertFunction(v)
	if !ok {
		return func(goja.Value) error { return nil }
	}
	return func(arg goja.Value) error {
		_, err := f(goja.Undefined(), arg)
		return err
	}
}
