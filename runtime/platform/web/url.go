package web

import (
	"strings"

	"github.com/dop251/goja"
	"github.com/nlnwa/whatwg-url/url"
)

// parseURL gives the parts of a URL, or undefined for what isn't one.
func (h host) parseURL(call goja.FunctionCall) goja.Value {
	var u *url.Url
	var err error
	if len(call.Arguments) > 1 {
		u, err = url.ParseRef(call.Argument(1).String(), call.Argument(0).String())
	} else {
		u, err = url.Parse(call.Argument(0).String())
	}
	if err != nil {
		return goja.Undefined()
	}
	return h.parts(u)
}

// setURL gives the parts of a URL after one of them was set: href, name, value. What the standard
// ignores changes nothing; only a bad href is undefined.
func (h host) setURL(call goja.FunctionCall) goja.Value {
	name, value := call.Argument(1).String(), call.Argument(2).String()
	if name == "href" {
		return h.parseURL(goja.FunctionCall{Arguments: call.Arguments[2:]})
	}
	u, err := url.Parse(call.Argument(0).String())
	if err != nil {
		return goja.Undefined()
	}
	switch name {
	case "protocol":
		u.SetProtocol(value)
	case "username":
		u.SetUsername(value)
	case "password":
		u.SetPassword(value)
	case "host":
		u.SetHost(value)
	case "hostname":
		u.SetHostname(value)
	case "port":
		u.SetPort(value)
	case "pathname":
		u.SetPathname(value)
	case "search":
		u.SetSearch(value)
	case "hash":
		u.SetHash(value)
	}
	return h.parts(u)
}

func (h host) parts(u *url.Url) goja.Value {
	return h.with(map[string]any{
		"href": u.Href(false), "origin": origin(u), "protocol": u.Protocol(), "username": u.Username(), "password": u.Password(),
		"host": u.Host(), "hostname": u.Hostname(), "port": u.Port(), "pathname": u.Pathname(), "search": u.Search(), "hash": u.Hash(),
	})
}

// origin is the standard's; the library has none.
func origin(u *url.Url) string {
	switch u.Scheme() {
	case "http", "https", "ws", "wss", "ftp":
		return u.Protocol() + "//" + u.Host()
	case "blob":
		if inner, err := url.Parse(u.Pathname()); err == nil && (inner.Scheme() == "http" || inner.Scheme() == "https") {
			return origin(inner)
		}
	}
	return "null"
}

// formDecode gives the pairs of application/x-www-form-urlencoded text.
func (h host) formDecode(call goja.FunctionCall) goja.Value {
	r := h.r
	pairs := []any{}
	for part := range strings.SplitSeq(call.Argument(0).String(), "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		pairs = append(pairs, r.NewArray(formUnescape(name), formUnescape(value)))
	}
	return r.NewArray(pairs...)
}

func formUnescape(s string) string {
	if !strings.ContainsAny(s, "+%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b = append(b, ' ')
		case s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			b = append(b, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		default: // a stray percent sign stays
			b = append(b, s[i])
		}
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// formEncode is formDecode's opposite.
func (h host) formEncode(call goja.FunctionCall) goja.Value {
	var pairs [][2]string
	if err := h.r.ExportTo(call.Argument(0), &pairs); err != nil {
		return h.r.ToValue("")
	}
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		formEscape(&b, p[0])
		b.WriteByte('=')
		formEscape(&b, p[1])
	}
	return h.r.ToValue(b.String())
}

func formEscape(b *strings.Builder, s string) {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case c == ' ':
			b.WriteByte('+')
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("*-._", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&0xf])
		}
	}
}
