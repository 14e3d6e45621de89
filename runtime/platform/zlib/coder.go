package zlib

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"

	"github.com/dop251/goja"

	"workflow-worker/activities"
	"workflow-worker/runtime/platform"
)

// Streams gives the function that the bundle of streams is given.
func Streams(h platform.Host, most int64) map[string]any {
	return map[string]any{"coder": coder{h, most}.stream}
}

// coder works for one execution.
type coder struct {
	platform.Host
	most int64
}

// stream makes the object behind CompressionStream and DecompressionStream: format, direction.
func (z coder) stream(call goja.FunctionCall) goja.Value {
	format := call.Argument(0).String()
	var out bytes.Buffer
	var write func([]byte) error
	var end func() error
	if call.Argument(1).String() == "compress" {
		w := compressor(format, &out)
		if w == nil {
			return goja.Undefined()
		}
		write = func(b []byte) error { _, err := w.Write(b); return err }
		end = w.Close
	} else {
		var packed bytes.Buffer
		if decompressor(format) == nil {
			return goja.Undefined()
		}
		// All at once, at the end: Go's readers pull.
		write = func(b []byte) error { packed.Write(b); return z.within(packed.Len(), "compressed data") }
		end = func() error { return z.decompress(format, &packed, &out) }
	}
	taken := func(err error) goja.Value {
		if err != nil {
			panic(z.VM().Runtime.NewTypeError(err.Error())) // goja's way to throw into JavaScript
		}
		b := bytes.Clone(out.Bytes())
		out.Reset()
		return platform.Buffer(z, b)
	}
	return platform.Object(z, map[string]any{
		"write": func(call goja.FunctionCall) goja.Value { return taken(write(platform.Octets(call.Argument(0)))) },
		"end":   func(goja.FunctionCall) goja.Value { return taken(end()) },
	})
}

// within bounds what Go holds for an execution; the setting is that of fetch's bodies, the usual
// source.
func (z coder) within(n int, what string) error {
	if limit := z.most; int64(n) > limit {
		return fmt.Errorf("%s of more than %d bytes (%s)", what, limit, activities.MaxResponseSetting)
	}
	return nil
}

func (z coder) decompress(format string, packed io.Reader, out *bytes.Buffer) error {
	r, err := decompressor(format)(packed)
	if err == nil {
		_, err = io.Copy(out, io.LimitReader(r, z.most+1))
	}
	if err != nil {
		return errors.New("The compressed data was not valid.")
	}
	return z.within(out.Len(), "decompressed data")
}

func compressor(format string, out io.Writer) io.WriteCloser {
	switch format {
	case "gzip":
		return gzip.NewWriter(out)
	case "deflate":
		return zlib.NewWriter(out)
	case "deflate-raw":
		w, _ := flate.NewWriter(out, flate.DefaultCompression) // fails for a bad level only
		return w
	}
	return nil
}

func decompressor(format string) func(io.Reader) (io.Reader, error) {
	switch format {
	case "gzip":
		return func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
	case "deflate":
		return func(r io.Reader) (io.Reader, error) { return zlib.NewReader(r) }
	case "deflate-raw":
		return func(r io.Reader) (io.Reader, error) { return flate.NewReader(r), nil }
	}
	return nil
}
