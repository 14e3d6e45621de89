// Package zlib packs and unpacks: what node:zlib and the streams of the web stand on.
package zlib

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/dop251/goja"

	"workflow-worker/runtime/platform"
)

// Host gives the functions that the bundle of Node's modules is given. most bounds, in bytes, what
// Go holds for an execution.
func Host(h platform.Host, most int64) map[string]any {
	z := coder{h, most}
	return map[string]any{"zlib": z.whole, "crc32": z.crc32}
}

// maxBrotliQuality bounds what can't be interrupted: at 11, Node's default, a megabyte takes a
// second.
const maxBrotliQuality = 6

// whole is an operation of node:zlib on a whole text: operation, data, level.
func (z coder) whole(call goja.FunctionCall) goja.Value {
	out, err := z.packed(call.Argument(0).String(), platform.Octets(call.Argument(1)), int(call.Argument(2).ToInteger()))
	if err != nil {
		panic(z.thrown(err)) // goja's way to throw into JavaScript
	}
	z.VM().Handed(int64(len(out)))
	return platform.Buffer(z, out)
}

func (z coder) packed(operation string, data []byte, level int) ([]byte, error) {
	if err := z.within(len(data), "data"); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if w, err := zlibWriter(operation, &out, level); w != nil || err != nil {
		if err == nil {
			_, err = w.Write(data)
		}
		if err == nil {
			err = w.Close()
		}
		return out.Bytes(), err
	}
	r, err := zlibReader(operation, data)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(&out, io.LimitReader(r, z.most+1)); err != nil {
		return nil, err
	}
	return out.Bytes(), z.within(out.Len(), "decompressed data")
}

// zlibWriter is nil for an operation that decompresses.
func zlibWriter(operation string, out io.Writer, level int) (io.WriteCloser, error) {
	if operation != "brotliCompress" && (level < -1 || level > 9) {
		return nil, fmt.Errorf(`The value of "options.level" is out of range. It must be >= -1 and <= 9. Received %d`, level)
	}
	switch operation {
	case "gzip":
		return gzip.NewWriterLevel(out, level)
	case "deflate":
		return zlib.NewWriterLevel(out, level)
	case "deflateRaw":
		return flate.NewWriter(out, level)
	case "brotliCompress":
		if level < 0 || level > maxBrotliQuality {
			level = maxBrotliQuality
		}
		return brotli.NewWriterLevel(out, level), nil
	}
	return nil, nil
}

func zlibReader(operation string, data []byte) (io.Reader, error) {
	r := bufio.NewReader(bytes.NewReader(data)) // so that flate reads no further than it must
	if operation == "unzip" {
		operation = "inflate"
		if len(data) > 0 && data[0] == 0x1f {
			operation = "gunzip"
		}
	}
	switch operation {
	case "gunzip":
		if len(data) > 1 && (data[0] != 0x1f || data[1] != 0x8b) {
			return nil, gzip.ErrHeader // Go reads ten bytes before it looks
		}
		return gzip.NewReader(r)
	case "inflate":
		return zlib.NewReader(r)
	case "inflateRaw":
		return flate.NewReader(r), nil
	case "brotliDecompress":
		return brotli.NewReader(r), nil
	}
	return nil, fmt.Errorf("no operation %q", operation)
}

// zlibError is Node's error, with the code that code looks at.
func (z coder) thrown(err error) goja.Value {
	message, code := err.Error(), ""
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		message, code = "unexpected end of file", "Z_BUF_ERROR"
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zlib.ErrHeader):
		message, code = "incorrect header check", "Z_DATA_ERROR"
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zlib.ErrChecksum):
		message, code = "incorrect data check", "Z_DATA_ERROR"
	case errors.As(err, &corrupt):
		message, code = "invalid data", "Z_DATA_ERROR"
	}
	e, thrown := z.VM().Runtime.New(z.VM().Runtime.Get("Error"), z.VM().Runtime.ToValue(message))
	if thrown != nil {
		return z.VM().Runtime.NewGoError(thrown)
	}
	if code != "" {
		if err := platform.Define(z.VM().Runtime, e, "code", code); err != nil {
			z.Fail(err)
		}
	}
	return e
}

// crc32 is node:zlib's: data, and what came before it.
func (z coder) crc32(call goja.FunctionCall) goja.Value {
	before := uint32(call.Argument(1).ToInteger()) //nolint:gosec // JavaScript's >>> 0
	return z.VM().Runtime.ToValue(int64(crc32.Update(before, crc32.IEEETable, platform.Octets(call.Argument(0)))))
}
