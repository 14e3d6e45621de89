package fetch

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
)

// acceptEncoding is what Node's fetch asks for where the code doesn't: Brotli over TLS only.
func acceptEncoding(req *http.Request) string {
	switch {
	case req.Header.Get("Range") != "":
		return "identity"
	case req.URL.Scheme == "https":
		return "br, gzip, deflate"
	}
	return "gzip, deflate"
}

// maxCodings is how often a body may be encoded: each takes memory of its own.
const maxCodings = 5

// brotliWindow is the most that a Brotli stream makes its reader keep.
const brotliWindow = 16 << 20

// codings are how a response's body is encoded, the first to be undone first; nil if it isn't, or
// in a way that Node leaves alone too. The headers stay as they are, as in Node.
func codings(req *http.Request, res *http.Response) ([]string, error) {
	header := strings.Join(res.Header.Values("Content-Encoding"), ",")
	if header == "" || req.Method == http.MethodHead || res.Body == http.NoBody {
		return nil, nil
	}
	var found []string
	for c := range strings.SplitSeq(header, ",") {
		c = strings.ToLower(strings.TrimSpace(c))
		switch c {
		case "gzip", "x-gzip", "deflate", "br":
			found = append(found, c)
		default:
			return nil, nil
		}
	}
	if len(found) > maxCodings {
		return nil, fmt.Errorf("the response is encoded %d times; %d are the most", len(found), maxCodings)
	}
	slices.Reverse(found)
	return found, nil
}

// decoded undoes codings, as far as somebody reads.
func decoded(body io.ReadCloser, codings []string) io.ReadCloser {
	for _, c := range codings {
		body = &decoder{coding: c, body: body}
	}
	return body
}

// decoder undoes one coding. Its reader is made at the first read: those of the packages read at
// once.
type decoder struct {
	coding string
	body   io.ReadCloser
	reader io.Reader
	err    error
}

func (d *decoder) Read(p []byte) (int, error) {
	if d.reader == nil && d.err == nil {
		d.open()
	}
	if d.err != nil {
		return 0, d.err
	}
	return d.reader.Read(p)
}

func (d *decoder) open() {
	b := bufio.NewReader(d.body)
	first, err := b.Peek(1)
	if err != nil { // an empty body is whole, whatever is said of it
		d.err = err
		return
	}
	switch d.coding {
	case "br":
		d.reader = brotli.NewReader(b)
	case "deflate":
		// Servers send either; as in Node the first byte tells.
		if first[0]&0x0f == 8 {
			d.reader, d.err = zlib.NewReader(b)
		} else {
			d.reader = flate.NewReader(b)
		}
	default:
		d.reader, d.err = gzip.NewReader(b)
	}
}

func (d *decoder) Close() error { return d.body.Close() }
