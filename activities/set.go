package activities

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/temporal"
)

// Types of the failures that the built-in activities end with, beside [ValidationErrorType].
const (
	NotFoundErrorType      = "NotFoundError"       // no activity has this name; retryable, a newer worker may have it
	NetworkErrorType       = "NetworkError"        // no response: refused, reset, unresolvable, TLS; retryable
	TimeoutErrorType       = "TimeoutError"        // no response within the input's timeout; retryable
	ResponseTooLargeType   = "ResponseTooLarge"    // the body is beyond Options.MaxResponseBytes; not retryable
	ResultTooLargeType     = "ResultTooLarge"      // the result is beyond Options.MaxResultBytes; not retryable
	AddressNotAllowedType  = "AddressNotAllowed"   // the guard refused the address; not retryable
	WorkerShutdownType     = "WorkerShutdown"      // the worker stops and gives the attempt back; retryable
	AttemptInterruptedType = "ActivityInterrupted" // Temporal ended the attempt (paused, reset, unknown by now); retryable
)

// Options configures a [Set].
type Options struct {
	// Logger receives what logMessage writes, with the calling workflow added. Give it the
	// project's attributes. Default: slog.Default().
	Logger *slog.Logger

	// HTTP carries out httpRequest. Default: HTTPClient(GuardOptions{}), which reaches public
	// addresses only.
	HTTP *http.Client

	// MaxResponseBytes bounds the body that httpRequest accepts, after decompression. Default: 2
	// MiB, Temporal's own limit for a payload.
	MaxResponseBytes int64

	// MaxResultBytes bounds what any of them returns, as JSON. Default: 2 MiB, as above: the server
	// would refuse more, less clearly.
	MaxResultBytes int

	// PatternTimeout bounds one match of a pattern of validateData. Default: 1 s. The engine looks
	// at the clock every 100 ms.
	PatternTimeout time.Duration
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.HTTP == nil {
		o.HTTP = HTTPClient(GuardOptions{})
	}
	if o.MaxResponseBytes <= 0 {
		o.MaxResponseBytes = 2 << 20
	}
	if o.MaxResultBytes <= 0 {
		o.MaxResultBytes = 2 << 20
	}
	if o.PatternTimeout <= 0 {
		o.PatternTimeout = time.Second
	}
	return o
}

// Set is the built-in activities of one project. It is safe for concurrent use.
type Set struct {
	o      Options
	byName map[string]func(context.Context, input) (result, error)
}

// New makes a Set. It starts nothing and holds nothing that must be closed.
func New(o Options) *Set {
	s := &Set{o: o.withDefaults()}
	s.byName = map[string]func(context.Context, input) (result, error){
		"sampleActivity": sampleActivity,
		"buildPackage":   buildPackage,
		"httpRequest":    s.httpRequest,
		"transformData":  s.transformData,
		"waitFor":        waitFor,
		"logMessage":     s.logMessage,
		"validateData":   s.validateData,
	}
	return s
}

// Names returns the names of the activities, sorted.
func (s *Set) Names() []string {
	names := make([]string, 0, len(s.byName))
	for name := range s.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Execute runs the activity called name on its arguments, of which it looks at the first. ctx is
// Temporal's activity context; without one the activities work too, but nothing is heartbeated. A
// failure is a *temporal.ApplicationError; a cancelled activity ends with *temporal.CanceledError.
func (s *Set) Execute(ctx context.Context, name string, args *commonpb.Payloads) (*commonpb.Payloads, error) {
	run, ok := s.byName[name]
	if !ok {
		return nil, temporal.NewApplicationError(
			fmt.Sprintf("no built-in activity is called %q; there are: %s", name, strings.Join(s.Names(), ", ")), NotFoundErrorType)
	}
	in, err := readInput(args)
	if err != nil {
		return nil, err
	}
	out, err := run(ctx, in)
	if err != nil {
		return nil, err
	}
	if len(out.json) > s.o.MaxResultBytes {
		return nil, s.tooLarge(name)
	}
	return out.payloads(), nil
}

func (s *Set) tooLarge(name string) error {
	return permanent(ResultTooLargeType, nil, "the result of %s is larger than %d bytes (%s)", name, s.o.MaxResultBytes, MaxResultSetting)
}
