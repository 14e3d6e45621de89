package encryption

import (
	"context"
	"slices"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/errordetails/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"workflow-worker/runtime/workflow/wire"
)

// within are a message's payloads, to be changed in place: a codec server is asked for all at once.
type within struct {
	payloads []*commonpb.Payload
	packed   []packed
}

// packed is a message in an Any, as updates are.
type packed struct {
	in      *anypb.Any
	message proto.Message
}

func find(ctx context.Context, m proto.Message) (*within, error) {
	w := &within{}
	options := proxy.VisitPayloadsOptions{SkipSearchAttributes: true}
	options.Visitor = func(_ *proxy.VisitPayloadsContext, list []*commonpb.Payload) ([]*commonpb.Payload, error) {
		for _, p := range list {
			if p != nil {
				w.payloads = append(w.payloads, p)
			}
		}
		return list, nil
	}
	options.WellKnownAnyVisitor = func(_ *proxy.VisitPayloadsContext, in *anypb.Any) error {
		message, err := in.UnmarshalNew()
		if err != nil {
			return nil //nolint:nilerr // of a type that nobody here reads
		}
		w.packed = append(w.packed, packed{in, message})
		return proxy.VisitPayloads(ctx, message, options)
	}
	return w, proxy.VisitPayloads(ctx, m, options)
}

// change has them changed. What isn't readable stays as it is, beside the error.
func (w *within) change(ctx context.Context, by func(context.Context, []*commonpb.Payload) ([]*commonpb.Payload, error)) error {
	if len(w.payloads) == 0 {
		return nil
	}
	changed, err := by(ctx, w.payloads)
	if err != nil && !isUnreadable(err) {
		return err
	}
	for i, p := range w.payloads {
		p.Metadata, p.Data, p.ExternalPayloads = changed[i].GetMetadata(), changed[i].GetData(), changed[i].GetExternalPayloads()
	}
	for _, x := range slices.Backward(w.packed) { // what is in another is behind it
		if err := x.in.MarshalFrom(x.message); err != nil {
			return err
		}
	}
	return err
}

// eachFailure visits those of a message.
func eachFailure(ctx context.Context, m proto.Message, do func(*failurepb.Failure) error) error {
	options := proxy.VisitFailuresOptions{Visitor: func(_ *proxy.VisitFailuresContext, f *failurepb.Failure) error { return do(f) }}
	options.WellKnownAnyVisitor = func(_ *proxy.VisitFailuresContext, in *anypb.Any) error {
		message, err := in.UnmarshalNew()
		if err != nil {
			return nil //nolint:nilerr // of a type that nobody here reads
		}
		if err := proxy.VisitFailures(ctx, message, options); err != nil {
			return err
		}
		return in.MarshalFrom(message)
	}
	return proxy.VisitFailures(ctx, m, options)
}

// encodedMessage is what Temporal's SDKs leave of a failure that they encode.
const encodedMessage = "Encoded failure"

// encode encrypts a message in place.
func (c *Connection) encode(ctx context.Context, m proto.Message) error {
	if c.failures {
		hideQueryErrors(m)
	}
	err := eachFailure(ctx, m, func(f *failurepb.Failure) error {
		if !c.failures && f.GetEncodedAttributes() == nil {
			return nil // nobody asked for it
		}
		return converter.EncodeCommonFailureAttributes(converter.GetDefaultDataConverter(), f)
	})
	if err != nil {
		return err
	}
	w, err := find(ctx, m)
	if err != nil {
		return err
	}
	return w.change(ctx, func(ctx context.Context, p []*commonpb.Payload) ([]*commonpb.Payload, error) {
		return c.tried(ctx, c.codec.Encode, p)
	})
}

// hideQueryErrors moves the text of a query's error into its failure, which is encoded.
func hideQueryErrors(m proto.Message) {
	hide := func(text *string, f **failurepb.Failure) {
		if *text == "" {
			return
		}
		if *f == nil {
			*f = &failurepb.Failure{Message: *text}
		}
		*text = encodedMessage
	}
	switch r := m.(type) {
	case *workflowservice.RespondQueryTaskCompletedRequest:
		hide(&r.ErrorMessage, &r.Failure)
	case *workflowservice.RespondWorkflowTaskCompletedRequest:
		for _, q := range r.GetQueryResults() {
			hide(&q.ErrorMessage, &q.Failure)
		}
	}
}

// decode decrypts a message in place.
func (c *Connection) decode(ctx context.Context, m proto.Message) error {
	if h, ok := m.(*workflowservice.GetWorkflowExecutionHistoryResponse); ok {
		wire.PlainHistory(h)
	}
	w, err := find(ctx, m)
	if err != nil {
		return err
	}
	unreadable := w.change(ctx, func(ctx context.Context, p []*commonpb.Payload) ([]*commonpb.Payload, error) {
		return c.tried(ctx, c.codec.Decode, p)
	})
	if unreadable != nil && !isUnreadable(unreadable) {
		return unreadable
	}
	// Others may encode them, whatever is asked of us.
	if err := eachFailure(ctx, m, func(f *failurepb.Failure) error {
		converter.DecodeCommonFailureAttributes(converter.GetDefaultDataConverter(), f)
		return nil
	}); err != nil {
		return err
	}
	return unreadable
}

// withPayloads are the details of errors that may hold some.
var withPayloads = []string{"temporal.api.errordetails.v1.QueryFailedFailure", "temporal.api.errordetails.v1.MultiOperationExecutionFailure"}

// decodeError decrypts what an error of the server brings.
func (c *Connection) decodeError(ctx context.Context, err error) error {
	s, ok := status.FromError(err)
	if !ok {
		return err
	}
	p, changed := s.Proto(), false
	for _, detail := range p.GetDetails() {
		if !slices.Contains(withPayloads, string(detail.MessageName())) || c.decode(ctx, detail) != nil {
			continue
		}
		changed = true
		var failed errordetails.QueryFailedFailure
		if p.GetMessage() == encodedMessage && detail.UnmarshalTo(&failed) == nil && failed.GetFailure().GetMessage() != "" {
			p.Message = failed.GetFailure().GetMessage()
		}
	}
	if !changed {
		return err
	}
	return status.ErrorProto(p)
}
