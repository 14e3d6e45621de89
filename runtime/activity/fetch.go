package activity

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"

	"github.com/dop251/goja"

	"workflow-worker/activities"
)

// request is one request of fetch, from send until its body was read or it was stopped. The goroutine that runs JavaScript
// owns it.
type request struct {
	cancel context.CancelFunc
	upload *io.PipeWriter // of a body that is a stream; else nil
	body   *download      // nil until the response's head is here
	open   bool           // holds a connection
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

// send starts a request: method, URL, header pairs, body, redirect mode, resolve, reject. The body is a buffer, undefined, or
// "stream": then it is written piece by piece. It returns the request's number, or -1 when there are too many.
func (in *instance) send(call goja.FunctionCall) goja.Value {
	r := in.vm.Runtime
	if in.openRequests >= in.code.opts.MaxRequests {
		return r.ToValue(-1)
	}
	in.lastRequest++
	id := in.lastRequest
	ctx, cancel := context.WithCancel(in.ctx)
	q := &request{cancel: cancel, open: true}
	in.requests[id] = q
	in.openRequests++
	resolve, reject := in.callback(call.Argument(5)), in.callback(call.Argument(6))
	req, err := in.newRequest(ctx, q, call)
	client := in.code.clients[call.Argument(4).String()]
	in.loop.requests++
	in.background(func() {
		var res *http.Response
		if err == nil {
			res, err = client.Do(req) //nolint:bodyclose // the job below keeps it or closes it
		}
		var encoded []string
		if err == nil {
			if encoded, err = codings(req, res); err != nil {
				_ = closeBody(res) // never fails
			}
		}
		if err != nil {
			in.finish(nil, func() error {
				if in.requests[id] != q { // stopped meanwhile
					return nil
				}
				in.drop(id)
				return reject(in.trouble(err))
			})
			return
		}
		d := newDownload(decoded(res.Body, encoded))
		in.finish(res, func() error {
			if in.requests[id] != q {
				return closeBody(res)
			}
			q.body = d
			if slices.Contains(encoded, "br") {
				in.vm.Handed(brotliWindow)
			}
			return resolve(in.head(id, req, res))
		})
		in.spool(q, d)
	})
	return r.ToValue(id)
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

func (in *instance) newRequest(ctx context.Context, q *request, call goja.FunctionCall) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, call.Argument(0).String(), call.Argument(1).String(), in.requestBody(ctx, q, call.Argument(3)))
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
		case "connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect":
			// the connection's own: Go's transport sees to them
		default:
			req.Header.Add(p[0], octetsOf(p[1]))
		}
	}
	// With an Accept-Encoding of ours Go's transport leaves the body alone.
	for name, value := range map[string]string{"Accept": "*/*", "User-Agent": "workflow-worker", "Accept-Encoding": acceptEncoding(req)} {
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
	if q.upload != nil {
		_ = q.upload.CloseWithError(context.Canceled) // never fails
	}
	if q.body != nil {
		in.spoolLeft.Add(q.body.drop())
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
