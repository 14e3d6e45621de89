package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// ServerOptions configures [NewServer].
type ServerOptions struct {
	// Address to listen on, ":3011" for example; port 0 takes a free one.
	Address string
	// Database and Temporal say whether the dependency answers; one that does and is
	// of no use gives an error made by Unusable. Required.
	Database, Temporal Check
	// ProbeInterval is the pause between two probes; 0 = 5s.
	ProbeInterval time.Duration
	// ProbeTimeout is how long a probe may take before it counts as failed; 0 = 3s.
	ProbeTimeout time.Duration
	// Grace is how long a dependency that was reached before may fail before
	// /health turns to 503; 0 = 15s.
	Grace time.Duration
	// Logger gets a line whenever a dependency is lost or found; nil = slog.Default().
	Logger *slog.Logger
}

func (o ServerOptions) withDefaults() ServerOptions {
	if o.ProbeInterval == 0 {
		o.ProbeInterval = 5 * time.Second
	}
	if o.ProbeTimeout == 0 {
		o.ProbeTimeout = 3 * time.Second
	}
	if o.Grace == 0 {
		o.Grace = 15 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func (o ServerOptions) validate() error {
	var errs []error
	if o.Address == "" {
		errs = append(errs, errors.New("metrics server: no address"))
	}
	if o.Database == nil || o.Temporal == nil {
		errs = append(errs, errors.New("metrics server: a check of the database and one of Temporal are needed"))
	}
	if o.ProbeInterval < 0 || o.ProbeTimeout < 0 || o.Grace < 0 {
		errs = append(errs, errors.New("metrics server: a negative duration"))
	}
	return errors.Join(errs...)
}

// Server shows a [Metrics] over HTTP and probes the dependencies behind it.
type Server struct {
	metrics *Metrics
	options ServerOptions
	http    *http.Server
	scrape  http.Handler

	mu      sync.Mutex // guards what follows
	address string
	cancel  context.CancelCauseFunc // nil = not started
	stopped bool
	work    sync.WaitGroup // the accepting goroutine and the probes
}

var errStopped = errors.New("metrics server: stopped")

// NewServer makes a server for m; it does nothing until Start.
func NewServer(m *Metrics, o ServerOptions) (*Server, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	s := &Server{metrics: m, options: o}
	s.scrape = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		// One bad series must not hide the others.
		ErrorHandling:       promhttp.ContinueOnError,
		ErrorLog:            promLogger{o.Logger},
		MaxRequestsInFlight: 4,
	})
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// Start listens, begins to serve and to probe, and returns. ctx bounds only the
// start. A second Start does nothing; one after Stop is an error.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errStopped
	}
	if s.cancel != nil {
		return nil
	}
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", s.options.Address)
	if err != nil {
		return fmt.Errorf("metrics server: listen on %q: %w", s.options.Address, err)
	}
	s.address = l.Addr().String()
	var background context.Context
	background, s.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	s.work.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.options.Logger.Error("metrics server ended", "error", err)
		}
	})
	d := &s.metrics.dependencies
	s.work.Go(func() { s.probe(background, "database", &d.database, s.options.Database) })
	s.work.Go(func() { s.probe(background, "temporal", &d.temporal, s.options.Temporal) })
	return nil
}

// Address is where the server listens, with the real port; "" before Start.
func (s *Server) Address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// Stop accepts nothing more, lets requests finish until ctx ends, then cuts them,
// and waits for the probes as long. It may be called at any time, more than once.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.stopped = true
	if s.cancel != nil {
		s.cancel(errStopped)
	}
	s.mu.Unlock()

	err := s.http.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("metrics server: requests cut at the deadline: %w", err)
		_ = s.http.Close()
	}
	done := make(chan struct{})
	go func() { s.work.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		// The context may have ended before all this began.
		select {
		case <-done:
		case <-time.After(100 * time.Millisecond):
			err = errors.Join(err, errors.New("metrics server: a health check did not return and was abandoned"))
		}
	}
	return err
}

// probe asks one dependency again and again until ctx ends. It never has two
// probes of one dependency under way.
func (s *Server) probe(ctx context.Context, name string, d *dependency, check Check) {
	log := s.options.Logger.With("dependency", name)
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
		began := s.metrics.options.Now()
		returned, err := probe(ctx, check, s.options.ProbeTimeout)
		if ctx.Err() == nil {
			now := s.metrics.options.Now()
			if d.record(now, now.Sub(began), err) {
				if err != nil {
					log.Warn(complaint(err), "error", err)
				} else {
					log.Info("dependency answers")
				}
			}
		}
		<-returned
		pause.Reset(s.options.ProbeInterval)
	}
}

func complaint(err error) string {
	if isUnusable(err) {
		return "dependency can't be used"
	}
	return "dependency does not answer"
}

// serve is the whole of what is served. A switch, not a ServeMux: that one
// answers unclean paths with redirects.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	switch r.URL.Path {
	case "/health":
		health := s.metrics.health(s.options.Grace)
		code := http.StatusOK
		if health.Status == StatusUnavailable {
			code = http.StatusServiceUnavailable
		}
		writeJSON(w, code, health)
	case "/health/live":
		writeJSON(w, http.StatusOK, probeAnswer{Status: "alive"})
	case "/health/ready":
		health := s.metrics.health(s.options.Grace)
		if reasons := health.unready(); len(reasons) > 0 {
			writeJSON(w, http.StatusServiceUnavailable, probeAnswer{Status: "not ready", Reasons: reasons})
			return
		}
		writeJSON(w, http.StatusOK, probeAnswer{Status: "ready"})
	case "/metrics":
		s.scrape.ServeHTTP(w, r)
	default:
		http.Error(w, "not found", http.StatusNotFound)
	}
}

type probeAnswer struct {
	Status  string   `json:"status"`
	Reasons []string `json:"reasons,omitempty"`
}

func writeJSON(w http.ResponseWriter, code int, document any) {
	body, err := json.Marshal(document)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	body = append(body, '\n')
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = w.Write(body) // the reader has gone
}

// promLogger gives promhttp's complaints to slog.
type promLogger struct{ log *slog.Logger }

func (l promLogger) Println(v ...any) {
	l.log.Warn("metrics could not all be gathered", "error", fmt.Sprint(v...))
}
