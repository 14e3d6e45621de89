package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"sync"
	"time"

	"workflow-worker/runtime/logkey"
)

// loopbackOnly is the error of a PPROF_ADDRESS that others could reach: who asks for profiles can
// slow the service down, and sees its insides.
func loopbackOnly(address string) error {
	if a, err := netip.ParseAddrPort(address); err != nil || !a.Addr().IsLoopback() {
		return fmt.Errorf("PPROF_ADDRESS is %q, must be a loopback address and a port: 127.0.0.1:6060", address)
	}
	return nil
}

// serveProfiles answers Go's profiling tools on PPROF_ADDRESS until the returned function is called.
func (s settings) serveProfiles(ctx context.Context, log *slog.Logger) (end func(), err error) {
	if s.PprofAddress == "" {
		return func() {}, nil
	}
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", s.PprofAddress)
	if err != nil {
		return nil, fmt.Errorf("PPROF_ADDRESS: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	// No limit of a whole request: a profile takes as long as it is asked to.
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	var work sync.WaitGroup
	work.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Warn("profiles are served no more", slog.String(logkey.Error, err.Error()))
		}
	})
	log.Info("profiles are served", slog.String(logkey.Address, l.Addr().String()))
	return func() {
		_ = server.Close() // nobody waits for a profile of a service that ends
		work.Wait()
	}, nil
}
