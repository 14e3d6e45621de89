package encryption

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Remote is a codec server that speaks Temporal's protocol. It differs from the SDK's client of one
// in that it honours contexts, asks for many payloads at once, and knows a server that is away from
// one that can't read a payload.
type Remote struct {
	// Endpoint is the URL before /encode and /decode.
	Endpoint string
	// Authorization gives the header of that name; nil for none. It may change.
	Authorization func() (string, error)
	// Namespace is told as X-Namespace.
	Namespace string
	// Client makes the requests; nil is http.DefaultClient.
	Client *http.Client
}

var _ Codec = (*Remote)(nil)

const (
	// A request holds so many payloads and bytes of them at most, or one payload.
	maxAsked      = 1000
	maxAskedBytes = 2 << 20
	// maxAnswer bounds what is read of an answer: base64 and names make it larger than what is asked.
	maxAnswer = 64 << 20
)

// CheckEndpoint says what is wrong with a codec server's URL.
func CheckEndpoint(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("it is no URL that begins with http:// or https://")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("it is a URL with more than a host and a path; what authorises is PAYLOAD_CODEC_AUTH")
	}
	return nil
}

// Encode implements Codec.
func (r *Remote) Encode(ctx context.Context, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return r.all(ctx, "encode", payloads)
}

// Decode implements Codec.
func (r *Remote) Decode(ctx context.Context, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return r.all(ctx, "decode", payloads)
}

// all asks for some at a time. What holds one that can't be read is halved until it is alone.
func (r *Remote) all(ctx context.Context, what string, payloads []*commonpb.Payload) (out []*commonpb.Payload, unreadable error) {
	for len(payloads) > 0 {
		n, size := 0, 0
		for n < len(payloads) && n < maxAsked && (n == 0 || size+proto.Size(payloads[n]) <= maxAskedBytes) {
			size += proto.Size(payloads[n])
			n++
		}
		some, err := r.ask(ctx, what, payloads[:n])
		switch {
		case isUnreadable(err) && n == 1:
			some = payloads[:n]
		case isUnreadable(err):
			var rest []*commonpb.Payload
			if some, err = r.all(ctx, what, payloads[:n/2]); err == nil || isUnreadable(err) {
				first := err
				rest, err = r.all(ctx, what, payloads[n/2:n])
				some = append(some, rest...)
				err = cmp.Or(err, first)
			}
		}
		if err != nil && !isUnreadable(err) {
			return nil, err
		}
		unreadable = cmp.Or(unreadable, err)
		out, payloads = append(out, some...), payloads[n:]
	}
	return out, unreadable
}

func (r *Remote) ask(ctx context.Context, what string, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	body, err := protojson.Marshal(&commonpb.Payloads{Payloads: payloads})
	if err != nil {
		return nil, fmt.Errorf("write the payloads for the codec server: %w", err)
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(r.Endpoint, "/")+"/"+what, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask the codec server: %w", err)
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("X-Namespace", r.Namespace)
	if r.Authorization != nil {
		a, err := r.Authorization()
		if err != nil {
			return nil, fmt.Errorf("authorise at the codec server: %w", err)
		}
		q.Header.Set("Authorization", a)
	}
	client := r.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(q)
	if err != nil {
		return nil, fmt.Errorf("the codec server can't be reached: %w", plainly(err))
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the codec server's answer: %w", err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		// What such a server says may repeat what it was asked.
		return nil, Unreadable{"the codec server can't " + what + " a payload: it answers " + resp.Status}
	default:
		return nil, errors.New("the codec server can't " + what + " now: it answers " + resp.Status)
	}
	var out commonpb.Payloads
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(answer, &out); err != nil {
		return nil, errors.New("the codec server's answer isn't one of Temporal's protocol")
	}
	if len(out.GetPayloads()) != len(payloads) {
		return nil, fmt.Errorf("the codec server gave %d payloads for %d", len(out.GetPayloads()), len(payloads))
	}
	return out.GetPayloads(), nil
}

// plainly is an error without the URL, which every message would repeat.
func plainly(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
