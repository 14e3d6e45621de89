package wire

import (
	"context"
	"net/url"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// resourceHeader names, for whoever routes requests, what one is about. The SDK puts workflow ids into
// it as they are, and gRPC refuses a request whose headers have anything but printable ASCII: an
// execution of such an id could be neither started nor worked on.
const resourceHeader = "temporal-resource-id"

// PrintableHeaders escapes, in that header, what no header takes.
func PrintableHeaders() grpc.DialOption {
	return grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		return invoke(printable(ctx), method, request, reply, conn, opts...)
	})
}

func printable(ctx context.Context) context.Context {
	all, ok := metadata.FromOutgoingContext(ctx)
	if !ok {
		return ctx
	}
	values, changed := all.Get(resourceHeader), false
	for i, v := range values {
		if strings.ContainsFunc(v, func(c rune) bool { return c < ' ' || c > '~' }) {
			values[i], changed = url.PathEscape(v), true
		}
	}
	if !changed {
		return ctx
	}
	all.Set(resourceHeader, values...)
	return metadata.NewOutgoingContext(ctx, all)
}
