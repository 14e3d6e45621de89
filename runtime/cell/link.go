package cell

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/metadata"

	"workflow-worker/runtime/tracing"
)

// codec writes messages as JSON, with what is bytes behind it: as JSON they would be half as long
// again, and be read letter by letter. It is chosen by its name with each call, and stands beside
// gRPC's own.
type codec struct{}

const codecName = "workflow-worker-cell"

// withBytes is a message with parts that are bytes.
type withBytes interface{ parts() *[][]byte }

func (codec) Name() string { return codecName }

// Marshal implements encoding.Codec.
func (codec) Marshal(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var parts [][]byte
	if m, ok := v.(withBytes); ok {
		parts = *m.parts()
	}
	size := len(text) + binary.MaxVarintLen64
	for _, p := range parts {
		size += len(p) + binary.MaxVarintLen64
	}
	out := binary.AppendUvarint(make([]byte, 0, size), uint64(len(text)))
	out = append(out, text...)
	for _, p := range parts {
		out = binary.AppendUvarint(out, uint64(len(p)))
		out = append(out, p...)
	}
	return out, nil
}

var errCutOff = errors.New("a message of a cell is cut off")

// Unmarshal implements encoding.Codec.
func (codec) Unmarshal(data []byte, v any) error {
	next := func() ([]byte, error) {
		n, head := binary.Uvarint(data)
		if head <= 0 || n > uint64(len(data)-head) {
			return nil, errCutOff
		}
		part := data[head : head+int(n)]
		data = data[head+int(n):]
		return part, nil
	}
	text, err := next()
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		return err
	}
	for len(data) > 0 {
		part, err := next()
		m, ok := v.(withBytes)
		if err != nil || !ok {
			return errCutOff
		}
		// gRPC uses its buffer again.
		*m.parts() = append(*m.parts(), append([]byte(nil), part...))
	}
	return nil
}

func init() { encoding.RegisterCodec(codec{}) }

const (
	// maxMessage bounds a message: the texts of a large project, or npm packages with their source
	// maps, are many megabytes.
	maxMessage = 1 << 30
	// window is how much may be under way: what gRPC begins with is less than one project's texts.
	window = 4 << 20
)

// answer is what a call gives back: a value beside an error, as Go's functions do. What gRPC itself
// reports is the connection's affair.
type answer[A any] struct {
	Value A
	Fault *fault `json:",omitempty"`
}

func (a *answer[A]) parts() *[][]byte {
	if m, ok := any(&a.Value).(withBytes); ok {
		return m.parts()
	}
	return new([][]byte)
}

// served is a method of one side; S is what serves it.
func served[S, Q, A any](name string, call func(S, context.Context, Q) (A, error)) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name, Handler: func(server any, ctx context.Context, read func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var q Q
		if err := read(&q); err != nil {
			return nil, err
		}
		value, err := call(server.(S), ctx, q)
		return &answer[A]{value, faultOf(err)}, nil
	}}
}

// ask makes a call.
func ask[A, Q any](ctx context.Context, cc *grpc.ClientConn, service, name string, q Q) (A, error) {
	var a answer[A]
	if carried := tracing.Carried(ctx); carried != nil {
		ctx = metadata.NewOutgoingContext(ctx, metadata.New(carried))
	}
	if err := cc.Invoke(ctx, "/"+service+"/"+name, &q, &a); err != nil {
		var zero A
		if ctx.Err() != nil {
			return zero, fmt.Errorf("ask the %s to %s: %w", service, name, context.Cause(ctx))
		}
		return zero, fmt.Errorf("ask the %s to %s: %w", service, name, &LinkError{err})
	}
	return a.Value, a.Fault.err()
}

// carried is the trace that a call came with.
func carried(ctx context.Context) map[string]string {
	md, _ := metadata.FromIncomingContext(ctx)
	out := map[string]string{}
	for _, name := range tracing.CarriedNames() {
		if values := md.Get(name); len(values) > 0 {
			out[name] = values[0]
		}
	}
	return out
}

// LinkError is a call that had no answer: the other side died, or is going to.
type LinkError struct{ Err error }

func (e *LinkError) Error() string {
	return "the connection to the other process is lost: " + e.Err.Error()
}

func (e *LinkError) Unwrap() error { return e.Err }

// serve answers calls on one connection; the returned function ends it.
func serve(c net.Conn, service string, server any, methods ...grpc.MethodDesc) (end func(), closed <-chan struct{}) {
	l := &single{conn: make(chan net.Conn, 1), done: make(chan struct{})}
	watched := &watchedConn{Conn: c, closed: make(chan struct{})}
	l.conn <- watched
	s := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage), grpc.InitialWindowSize(window), grpc.InitialConnWindowSize(window))
	s.RegisterService(&grpc.ServiceDesc{ServiceName: service, HandlerType: (*any)(nil), Methods: methods}, server)
	var work sync.WaitGroup
	work.Go(func() { _ = s.Serve(l) }) // it ends when it is stopped, and says so
	return func() {
		s.Stop()
		work.Wait()
	}, watched.closed
}

// single is a listener to which one connection comes.
type single struct {
	conn chan net.Conn
	once sync.Once
	done chan struct{}
}

func (l *single) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *single) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *single) Addr() net.Addr { return &net.UnixAddr{Name: "cell", Net: "unix"} }

// watchedConn tells that it was closed, which gRPC does when the other end did.
type watchedConn struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func (c *watchedConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// dial makes calls over one connection.
func dial(c net.Conn) (*grpc.ClientConn, error) {
	once := make(chan net.Conn, 1)
	once <- c
	cc, err := grpc.NewClient("passthrough:cell",
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			select {
			case c := <-once:
				return c, nil
			default:
				return nil, net.ErrClosed // there is no second one
			}
		}),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableServiceConfig(), grpc.WithNoProxy(),
		grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(window), grpc.WithIdleTimeout(0),
		grpc.WithDefaultCallOptions(grpc.CallContentSubtype(codecName), grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)))
	if err != nil {
		return nil, fmt.Errorf("connect to the other process: %w", err)
	}
	cc.Connect()
	return cc, nil
}

// connOf is the connection of a file, which it takes over.
func connOf(f *os.File) (net.Conn, error) {
	defer func() { _ = f.Close() }() // the connection has a copy
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("take over the connection between parent and cell: %w", err)
	}
	return c, nil
}
