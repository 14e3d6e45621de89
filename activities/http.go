package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

const userAgent = "workflow-worker"

// httpRequest: {url, method = "GET", headers?, body?, timeout = 30000} → {status, statusText, data,
// headers}.
//
// Any response is a result, whatever its status. data is the body parsed as JSON, else its text. No
// response is a failure that Temporal retries; what a retry can't mend (a malformed URL, an address
// that the guard refuses, a body that's too large) is not retried.
func (s *Set) httpRequest(ctx context.Context, in input) (result, error) {
	timeout, err := in.numberOr("timeout", 30_000)
	if err != nil {
		return result{}, err
	}
	if timeout <= 0 || timeout > float64(longestWait.Milliseconds()) {
		return result{}, invalid("timeout", "must be a number of milliseconds greater than 0")
	}
	bounded, cancel := context.WithTimeout(ctx, time.Duration(timeout*float64(time.Millisecond)))
	defer cancel()
	req, err := readRequest(bounded, in)
	if err != nil {
		return result{}, err
	}
	stop := heartbeating(ctx)
	defer stop()
	res, err := s.o.HTTP.Do(req)
	if err != nil {
		return result{}, s.requestFailure(ctx, bounded, req, timeout, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, s.o.MaxResponseBytes+1))
	if err != nil {
		return result{}, s.requestFailure(ctx, bounded, req, timeout, err)
	}
	if int64(len(body)) > s.o.MaxResponseBytes {
		return result{}, permanent(ResponseTooLargeType, nil, "the response of %s is larger than %d bytes (%s)", target(req), s.o.MaxResponseBytes, MaxResponseSetting)
	}
	return s.response(res, body)
}

func readRequest(ctx context.Context, in input) (*http.Request, error) {
	address, err := readURL(in)
	if err != nil {
		return nil, err
	}
	method, err := in.textOr("method", http.MethodGet)
	if err != nil {
		return nil, err
	}
	method = strings.ToUpper(strings.TrimSpace(method))
	if method == "" || !httpguts.ValidHeaderFieldName(method) { // the same grammar: a token
		return nil, invalid("method", "is not an HTTP method: %q", method)
	}
	if method == http.MethodConnect || method == http.MethodTrace || method == "TRACK" {
		return nil, invalid("method", "%s is not allowed, as in fetch", method)
	}
	var body io.Reader
	if raw, given := in.get("body"); given {
		if body, err = readBody(raw); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, invalid("url", "can't be requested: %v", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", userAgent)
	if _, given := in.get("headers"); given {
		headers, err := in.object("headers")
		if err != nil {
			return nil, err
		}
		if err := setHeaders(req, headers); err != nil {
			return nil, err
		}
	}
	return req, nil
}

func readURL(in input) (string, error) {
	text, err := in.text("url")
	if err != nil {
		return "", err
	}
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		var parse *url.Error
		if errors.As(err, &parse) { // without the text, which may hold a password
			err = parse.Err
		}
		return "", invalid("url", "is not a URL: %v", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", invalid("url", "must begin with http:// or https:// and name a host")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return "", invalid("url", "has no valid port: %s", port)
		}
	}
	return u.String(), nil
}

// readBody sends text as it is and everything else as JSON.
func readBody(raw json.RawMessage) (io.Reader, error) {
	if typeOf(raw) == "string" {
		return strings.NewReader(textOf(raw)), nil
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, invalid("body", "is %v", notJSON(err))
	}
	return bytes.NewReader(b.Bytes()), nil
}

func setHeaders(req *http.Request, headers input) error {
	for name := range headers.members {
		raw, given := headers.get(name)
		if !given {
			continue
		}
		text, ok := matchable(typeOf(raw), raw)
		if !ok {
			return invalid(headers.path+name, "must be a string, got %s", describe(raw))
		}
		text = strings.TrimSpace(text)
		if !httpguts.ValidHeaderFieldName(name) {
			return invalid(headers.path+name, "is not the name of a header")
		}
		if !httpguts.ValidHeaderFieldValue(text) {
			return invalid(headers.path+name, "has a character that a header can't carry")
		}
		switch http.CanonicalHeaderKey(name) {
		case "Host":
			req.Host = text
		case "Accept-Encoding": // Go's transport asks for what it can decompress
		default:
			req.Header.Set(name, text)
		}
	}
	return nil
}

// requestFailure says why there is no response.
func (s *Set) requestFailure(ctx, bounded context.Context, req *http.Request, timeout float64, err error) error {
	var refused *AddressError
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // the message names method and address by itself
	}
	switch {
	case errors.As(err, &refused):
		return permanent(AddressNotAllowedType, nil, "%s: %v", target(req), refused)
	case ctx.Err() != nil:
		return interrupted(ctx)
	case bounded.Err() != nil:
		return retryable(TimeoutErrorType, nil, "%s: no complete response within %s ms", target(req), numberText(timeout))
	default:
		return retryable(NetworkErrorType, nil, "%s: %v", target(req), err)
	}
}

// target names a request in a message, without the query and the password, which may be secrets.
func target(req *http.Request) string {
	u := *req.URL
	u.User, u.RawQuery, u.ForceQuery, u.Fragment = nil, "", false, ""
	return req.Method + " " + u.String()
}

func (s *Set) response(res *http.Response, body []byte) (result, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	data, ok := "", false
	if v, err := parseJSON(body); err == nil {
		data, ok = stringify(v, 0, s.o.MaxResultBytes)
	}
	if !ok {
		text, err := jsonResult(strings.ToValidUTF8(string(body), "\uFFFD"))
		if err != nil {
			return result{}, err
		}
		data = string(text.json)
	}
	headers := make(map[string]string, len(res.Header))
	for name, values := range res.Header {
		headers[strings.ToLower(name)] = strings.ToValidUTF8(strings.Join(values, ", "), "\uFFFD")
	}
	return jsonResult(struct {
		Status     int               `json:"status"`
		StatusText string            `json:"statusText"`
		Data       json.RawMessage   `json:"data"`
		Headers    map[string]string `json:"headers"`
	}{res.StatusCode, strings.TrimPrefix(res.Status, fmt.Sprintf("%d ", res.StatusCode)), json.RawMessage(data), headers})
}
