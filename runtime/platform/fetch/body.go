package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/dop251/goja"

	"workflow-worker/activities"
	"workflow-worker/runtime/platform"
	"workflow-worker/runtime/sandbox"
)

const (
	spoolBytes      = 64 << 10 // of a body, read before anybody asks
	spoolBytesTotal = 8 << 20  // the same for all requests of an execution
	chunkBytes      = 64 << 10 // the most that one read of a stream gives
)

// download is a response's body. Its beginning is read by the goroutine that sent the request: most
// code never looks at the body of a POST, and the connection is free again only when it was read.
// The rest is read when JavaScript asks, so that a server is held up by code that is slow.
type download struct {
	body  io.ReadCloser
	taken int64 // given to JavaScript; the goroutine that runs it owns this

	mu      sync.Mutex // guards what follows
	changed sync.Cond
	buf     []byte // read and not taken
	err     error  // of the last read; io.EOF at the end
	filled  bool   // nobody reads ahead any more: who takes reads on
	held    int64  // of what the execution's requests may read ahead
	dropped bool
}

func newDownload(body io.ReadCloser) *download {
	d := &download{body: body}
	d.changed.L = &d.mu
	return d
}

// fill reads ahead, and reports that this was the whole body.
func (d *download) fill(most int) (whole bool) {
	for read, size := 0, 1<<10; read < most && !whole; size = min(2*size, chunkBytes) {
		b := make([]byte, min(size, most-read))
		n, err := d.body.Read(b)
		read += n
		d.mu.Lock()
		d.buf = append(d.buf, b[:n]...)
		d.err = err
		d.mu.Unlock()
		d.changed.Broadcast()
		if err != nil {
			whole = true
			_ = d.body.Close()
		}
	}
	d.mu.Lock()
	d.filled = true
	d.mu.Unlock()
	d.changed.Broadcast()
	return whole
}

// next waits for bytes, and gives what there is. The error comes after the last of them; io.EOF is
// the end.
func (d *download) next() ([]byte, error) {
	d.mu.Lock()
	for len(d.buf) == 0 && d.err == nil && !d.filled {
		d.changed.Wait() // a body that is closed ends the read that this waits for
	}
	b, err := d.buf, d.err
	d.buf = nil
	d.mu.Unlock()
	if len(b) > 0 {
		return b, nil
	}
	b = make([]byte, chunkBytes)
	for err == nil {
		var n int
		if n, err = d.body.Read(b); n > 0 {
			d.mu.Lock()
			d.err = err
			d.mu.Unlock()
			return b[:n:n], nil
		}
	}
	return nil, err
}

// rest gives all that was not taken, unless that is more than most.
func (d *download) rest(most int64) ([]byte, error) {
	var all []byte
	for {
		b, err := d.next()
		switch {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		case int64(len(all)+len(b)) > most:
			return nil, errTooMuch
		case all == nil:
			all = b
		default:
			all = append(all, b...)
		}
	}
}

var errTooMuch = errors.New("the response is too large")

// hold ends the reading ahead: it gives how many bytes wait to be taken.
func (d *download) hold() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.dropped {
		d.held = int64(len(d.buf))
	}
	return d.held
}

// drop ends the body, and gives what hold gave.
func (d *download) drop() int64 {
	_ = d.body.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	held := d.held
	d.held, d.dropped = 0, true
	return held
}

// spool reads the beginning of a body, as far as the execution may, and notes when that was all of
// it.
func (f *fetch) spool(q *request, d *download) {
	if f.spoolLeft.Add(-spoolBytes) < 0 {
		f.spoolLeft.Add(spoolBytes)
		d.fill(0)
		return
	}
	whole := d.fill(spoolBytes)
	f.spoolLeft.Add(spoolBytes - d.hold())
	if whole {
		f.Loop().Post(func() error {
			f.settle(q)
			return nil
		})
	}
}

// readBody reads a response to its end: number, resolve, reject.
func (f *fetch) readBody(call goja.FunctionCall) goja.Value {
	f.read(call, func(d *download, left int64) ([]byte, error) { return d.rest(left) }, true)
	return goja.Undefined()
}

// readChunk reads what there is of a response's body, waiting for the first byte: number, resolve,
// reject. The end is undefined.
func (f *fetch) readChunk(call goja.FunctionCall) goja.Value {
	f.read(call, func(d *download, left int64) ([]byte, error) {
		b, err := d.next()
		if int64(len(b)) > left {
			err = errTooMuch
		}
		return b, err
	}, false)
	return goja.Undefined()
}

func (f *fetch) read(call goja.FunctionCall, take func(d *download, left int64) ([]byte, error), last bool) {
	id := int(call.Argument(0).ToInteger())
	resolve, reject := platform.Callback(call.Argument(1)), platform.Callback(call.Argument(2))
	q := f.requests[id]
	if q == nil || q.body == nil {
		f.Loop().Post(func() error { return reject(f.trouble(errors.New("the response was given up"))) })
		return
	}
	limit := f.mostBytes
	d := q.body
	left := limit - d.taken
	end := f.Loop().Expect()
	f.Background(func() {
		b, err := take(d, left)
		if errors.Is(err, errTooMuch) {
			err = &limitError{fmt.Sprintf("the response is larger than %d bytes (%s)", limit, activities.MaxResponseSetting)}
		}
		finish(end, nil, func() error {
			ended := errors.Is(err, io.EOF)
			if last || err != nil {
				f.drop(id)
			}
			d.taken += int64(len(b))
			f.VM().Handed(int64(len(b)))
			switch {
			case ended:
				return resolve(goja.Undefined())
			case err != nil:
				return reject(f.trouble(err))
			}
			return resolve(platform.Buffer(f, b))
		})
	})
}

// write hands on a piece of a request's body that is a stream: number, bytes, resolve, reject. It
// resolves when the piece was sent, so that code that makes data faster than the network takes it
// is held up.
func (f *fetch) write(call goja.FunctionCall) goja.Value {
	resolve, reject := platform.Callback(call.Argument(2)), platform.Callback(call.Argument(3))
	q := f.requests[int(call.Argument(0).ToInteger())]
	if q == nil || q.upload == nil {
		f.Loop().Post(func() error { return reject(f.trouble(errors.New("the request was given up"))) })
		return goja.Undefined()
	}
	b := platform.Octets(call.Argument(1))
	end := f.Loop().Expect()
	f.Background(func() {
		_, err := q.upload.Write(b)
		finish(end, nil, func() error {
			if err != nil {
				return reject(f.trouble(err))
			}
			return resolve(goja.Undefined())
		})
	})
	return goja.Undefined()
}

// endWrite ends a request's body: number, and whether it is whole.
func (f *fetch) endWrite(call goja.FunctionCall) goja.Value {
	if q := f.requests[int(call.Argument(0).ToInteger())]; q != nil && q.upload != nil {
		var err error
		if !call.Argument(1).ToBoolean() {
			err = errUploadFailed
		}
		_ = q.upload.CloseWithError(err) // never fails
	}
	return goja.Undefined()
}

var errUploadFailed = errors.New("the stream that the request's body is failed")

// requestBody is what a request sends: the bytes of a buffer, or what will be written.
func (f *fetch) requestBody(ctx context.Context, q *request, v goja.Value) io.Reader {
	if b, ok := sandbox.Exported[goja.ArrayBuffer](v); ok {
		return bytes.NewReader(b.Bytes()) // nobody else has the buffer
	}
	if goja.IsUndefined(v) {
		return nil
	}
	r, w := io.Pipe()
	q.upload = w
	context.AfterFunc(ctx, func() { _ = w.CloseWithError(context.Cause(ctx)) })
	return r
}
