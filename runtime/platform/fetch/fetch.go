package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/dop251/goja"

	"workflow-worker/activities"
	"workflow-worker/runtime/eventloop"
	"workflow-worker/runtime/platform"
)

// request is one request of fetch, from send until its body was read or it was stopped. The
// goroutine that runs JavaScript owns it.
type request struct {
	cancel context.CancelFunc
	upload *io.PipeWriter // of a body that is a stream; else nil
	body   *download      // nil until the response's head is here
	open   bool           // holds a connection
}

// clients are a client with each of fetch's ways to treat redirects.
type clients map[string]*http.Client

var errRedirect = errors.New("unexpected redirect")

func newClients(c *http.Client) clients {
	manual, fail := *c, *c
	manual.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	fail.CheckRedirect = func(*http.Request, []*http.Request) error { return errRedirect }
	return clients{"follow": c, "manual": &manual, "error": &fail}
}

// send starts a request: method, URL, header pairs, body, redirect mode, resolve, reject, raw. The
// body is a buffer, undefined, or "stream": then it is written piece by piece. What is raw is sent
// with the given headers alone, and the response's body stays as it is encoded: Node's http. It
// returns the request's number, or -1 when there are too many.
func (f *fetch) send(call goja.FunctionCall) goja.Value {
	r := f.VM().Runtime
	if !f.Requests().Open() {
		return r.ToValue(-1)
	}
	f.last++
	id := f.last
	ctx, cancel := context.WithCancel(f.Context())
	q := &request{cancel: cancel, open: true}
	f.requests[id] = q
	resolve, reject := platform.Callback(call.Argument(5)), platform.Callback(call.Argument(6))
	raw := call.Argument(7).ToBoolean()
	req, err := f.newRequest(ctx, q, call, raw)
	client := f.clients[call.Argument(4).String()]
	end := f.Loop().Expect()
	f.Background(func() {
		var res *http.Response
		if err == nil {
			res, err = client.Do(req) //nolint:bodyclose // the job below keeps it or closes it
		}
		var encoded []string
		if err == nil && !raw {
			if encoded, err = codings(req, res); err != nil {
				_ = closeBody(res) // never fails
			}
		}
		if err != nil {
			finish(end, nil, func() error {
				if f.requests[id] != q { // stopped meanwhile
					return nil
				}
				f.drop(id)
				return reject(f.trouble(err))
			})
			return
		}
		d := newDownload(decoded(res.Body, encoded))
		finish(end, res, func() error {
			if f.requests[id] != q {
				return closeBody(res)
			}
			q.body = d
			if slices.Contains(encoded, "br") {
				f.VM().Handed(brotliWindow)
			}
			return resolve(f.head(id, req, res))
		})
		f.spool(q, d)
	})
	return r.ToValue(id)
}

// settle notes that a request holds no connection any more.
func (f *fetch) settle(q *request) {
	if q.open {
		q.open = false
		f.Requests().Close()
	}
}

// finish posts what a request's goroutine ends with; if the loop is closed by then, nobody else
// closes the body.
func finish(end func(eventloop.Job) bool, res *http.Response, j eventloop.Job) {
	if !end(j) {
		_ = closeBody(res)
	}
}

func closeBody(res *http.Response) error {
	if res != nil {
		_ = res.Body.Close()
	}
	return nil
}

func (f *fetch) newRequest(ctx context.Context, q *request, call goja.FunctionCall, raw bool) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, call.Argument(0).String(), call.Argument(1).String(), f.requestBody(ctx, q, call.Argument(3)))
	if err != nil {
		return nil, err
	}
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return nil, fmt.Errorf("unknown scheme %q", req.URL.Scheme)
	}
	req.URL.Fragment, req.URL.RawFragment = "", ""
	var pairs [][2]string
	if err := f.VM().Runtime.ExportTo(call.Argument(2), &pairs); err != nil {
		return nil, err
	}
	for _, p := range pairs {
		switch p[0] {
		case "host":
			req.Host = p[1]
		case "content-length":
			// The connection's own too, but that of a stream is the sender's to know: some servers
			// take no other.
			if n, err := strconv.ParseInt(p[1], 10, 64); raw && q.upload != nil && err == nil && n >= 0 {
				req.ContentLength = n
			}
		case "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect":
			// the connection's own: Go's transport sees to them
		default:
			req.Header.Add(p[0], octetsOf(p[1]))
		}
	}
	// With an Accept-Encoding of ours Go's transport leaves the body alone.
	defaults := map[string]string{"Accept": "*/*", "User-Agent": "workflow-worker", "Accept-Encoding": acceptEncoding(req)}
	if raw {
		defaults = map[string]string{"User-Agent": "", "Accept-Encoding": "identity"}
	}
	for name, value := range defaults {
		if req.Header.Get(name) == "" {
			req.Header.Set(name, value)
		}
	}
	return req, nil
}

// head describes a response.
func (f *fetch) head(id int, req *http.Request, res *http.Response) goja.Value {
	r := f.VM().Runtime
	var pairs []any
	for _, name := range slices.Sorted(maps.Keys(res.Header)) {
		for _, v := range res.Header[name] {
			pairs = append(pairs, r.NewArray(strings.ToLower(name), latin1(v)))
		}
	}
	final := *res.Request.URL
	return platform.Object(f, map[string]any{
		"id": id, "status": res.StatusCode, "statusText": strings.TrimPrefix(res.Status, fmt.Sprintf("%d ", res.StatusCode)),
		"headers": r.NewArray(pairs...), "url": final.String(), "redirected": res.Request != req,
		"version": httpVersion(res),
		"hasBody": res.Body != http.NoBody && res.ContentLength != 0,
	})
}

// httpVersion is as Node's http has it, which knows none newer than 1.1.
func httpVersion(res *http.Response) string {
	if res.ProtoMajor == 1 {
		return fmt.Sprintf("1.%d", res.ProtoMinor)
	}
	return "1.1"
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

func (f *fetch) stopRequest(call goja.FunctionCall) goja.Value {
	f.drop(int(call.Argument(0).ToInteger()))
	return goja.Undefined()
}

// drop ends a request in whatever state it is.
func (f *fetch) drop(id int) {
	q := f.requests[id]
	if q == nil {
		return
	}
	delete(f.requests, id)
	f.settle(q)
	q.cancel()
	if q.upload != nil {
		_ = q.upload.CloseWithError(context.Canceled) // never fails
	}
	if q.body != nil {
		f.spoolLeft.Add(q.body.drop())
	}
}

// trouble is what fetch.js makes its error of.
func (f *fetch) trouble(err error) goja.Value {
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
	told := map[string]any{"message": message, "code": troubleCode(err), "refused": refused != nil, "limit": errors.As(err, &limit)}
	var at *net.OpError
	if errors.As(err, &at) {
		told["operation"] = at.Op
		if tcp, ok := at.Addr.(*net.TCPAddr); ok {
			told["address"], told["port"] = tcp.IP.String(), tcp.Port
		}
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		told["name"] = dns.Name
	}
	return platform.Object(f, told)
}

// troubleCode is what Node says in the cause's code, where libraries look for what is worth trying
// again; "" for what it has no code for, or we no way to tell.
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

// noteRefusal remembers the errors that say that the guard refused an address: an execution that
// ends with one is not retried.
func (f *fetch) noteRefusal(call goja.FunctionCall) goja.Value {
	if o, ok := call.Argument(0).(*goja.Object); ok {
		f.refused(o)
	}
	return goja.Undefined()
}
