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

// ServerOptions configures [Listen].
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
	// StopTimeout is how long requests and probes under way may take once the server is
	// to end; 0 = 1s.
	StopTimeout time.Duration
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
	if o.StopTimeout == 0 {
		o.StopTimeout = time.Second
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
	if o.ProbeInterval < 0 || o.ProbeTimeout < 0 || o.Grace < 0 || o.StopTimeout < 0 {
		errs = append(errs, errors.New("metrics server: a negative duration"))
	}
	return errors.Join(errs...)
}

// Server shows a [Metrics] over HTTP and probes the dependencies behind it.
type Server struct {
	metrics  *Metrics
	options  ServerOptions
	http     *http.Server
	scrape   http.Handler
	listener net.Listener
}

// Listen makes a server for m, which has its address; it answers while Run runs. ctx bounds only
// the start.
func Listen(ctx context.Context, m *Metrics, o ServerOptions) (*Server, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("metrics server: listen on %q: %w", o.Address, err)
	}
	s := &Server{metrics: m, options: o, listener: l}
	s.scrape = promhttp.HandlerFor(m, promhttp.HandlerOpts{
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

// Address is where the server listens, with the real port.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Run serves and probes until ctx ends. Then it accepts nothing more, lets requests finish within
// StopTimeout, cuts them, and waits for the probes as long. The error says what it cut or
// abandoned. It may be called once.
func (s *Server) Run(ctx context.Context) error {
	var work sync.WaitGroup // the accepting goroutine and the probes
	work.Go(func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.options.Logger.Error("metrics server ended", "id", idServer, "error", err)
		}
	})
	d := &s.metrics.dependencies
	work.Go(func() { s.probe(ctx, "database", &d.database, s.options.Database) })
	work.Go(func() { s.probe(ctx, "temporal", &d.temporal, s.options.Temporal) })
	<-ctx.Done()

	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.options.StopTimeout)
	defer cancel()
	err := s.http.Shutdown(deadline)
	if err != nil {
		err = fmt.Errorf("metrics server: requests cut at the deadline: %w", err)
		_ = s.http.Close()
	}
	done := make(chan struct{})
	go func() { work.Wait(); close(done) }()
	select {
	case <-done:
	case <-deadline.Done():
		// The requests may have taken all the time.
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
