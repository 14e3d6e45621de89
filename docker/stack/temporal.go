package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// TemporalOptions describes a Temporal dev server. The zero value is one for
// tests, with its web UI on a port beside it.
type TemporalOptions struct {
	// DBFile keeps the server's state between starts; empty means in memory.
	DBFile string
	// Port and UIPort of 127.0.0.1; 0 means a free one.
	Port, UIPort int
	// Headless leaves the web UI out.
	Headless bool
	// Namespace exists when StartTemporal returns, beside "default"; empty means "default".
	Namespace string
	// DynamicConfig overrides the defaults (see dynamicConfig); values are JSON.
	DynamicConfig map[string]string
	// Log receives the server's log; nil discards it.
	Log io.Writer
	// Progress receives a line when the server's program must be built first; nil
	// discards it.
	Progress io.Writer
}

// Temporal is a Temporal dev server that this process started.
type Temporal struct {
	namespace    string
	port, uiPort int
	httpPort     int // its API once more, for who has no gRPC
	server       *Process
}

// dynamicConfig are the server settings that differ from Temporal's defaults,
// which are made for a cluster and for a few task queues per namespace.
func dynamicConfig() map[string]string {
	return map[string]string{
		// With the default of four partitions a worker that polls with a few pollers
		// leaves some partition without one, and a quiet queue's task waits there for
		// seconds: p99 5 s, below 1 s with one partition.
		"matching.numTaskqueueReadPartitions":  "1",
		"matching.numTaskqueueWritePartitions": "1",
		// Concurrent long polls per API method, 1,200 by default. Each project has a
		// worker with a few polls of its own: some hundred projects would use it up
		// and then fail with "namespace concurrent poller limit exceeded".
		"frontend.namespaceCount": "20000",
		// Requests a second, 2,400 (visibility: 10) by default. Starting hundreds of
		// projects at once, or a benchmark, is above that and would measure the limiter.
		"frontend.rps":                            "50000",
		"frontend.namespaceRPS":                   "50000",
		"frontend.namespaceRPS.visibility":        "1000",
		"matching.rps":                            "50000",
		"history.rps":                             "50000",
		"frontend.persistenceMaxQPS":              "50000",
		"matching.persistenceMaxQPS":              "50000",
		"history.persistenceMaxQPS":               "50000",
		"system.visibilityPersistenceMaxReadQPS":  "50000",
		"system.visibilityPersistenceMaxWriteQPS": "50000",
	}
}

// StartTemporal starts a server and returns when it answers for its namespace.
// Where Temporal's CLI is not installed, its release is fetched first, or it is built,
// which takes minutes (see findTemporal).
func StartTemporal(ctx context.Context, o TemporalOptions) (*Temporal, error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if o.Namespace == "" {
		o.Namespace = "default"
	}
	program, err := findTemporal(ctx, o.Progress)
	if err != nil {
		return nil, fmt.Errorf("start Temporal: %w", err)
	}
	for try := 1; ; try++ {
		t, err := startTemporal(ctx, program, o)
		// A port that was free a moment ago may have been taken since: then another one.
		if err == nil || o.Port != 0 || ctx.Err() != nil || try == 3 {
			return t, err
		}
	}
}

func startTemporal(ctx context.Context, program string, o TemporalOptions) (*Temporal, error) {
	t := &Temporal{namespace: o.Namespace, port: o.Port, uiPort: o.UIPort}
	for _, port := range []*int{&t.port, &t.uiPort, &t.httpPort} {
		if *port == 0 {
			var err error
			if *port, err = FreePort(); err != nil {
				return nil, fmt.Errorf("start Temporal: %w", err)
			}
		}
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, t.arguments(o)...)
	// Without the user's own settings, which `temporal` reads from TEMPORAL_* and
	// from files in the home directory.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	server, err := startProcess(cmd, nil, syscall.SIGTERM, o.Log)
	if err != nil {
		return nil, fmt.Errorf("start Temporal: %w", err)
	}
	t.server = server
	if err := t.waitReady(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start Temporal on port %d: %w", t.port, err), t.Stop(ctx))
	}
	return t, nil
}

func (t *Temporal) arguments(o TemporalOptions) []string {
	args := []string{
		"server", "start-dev", "--disable-config-file", "--disable-config-env",
		"--ip", "127.0.0.1", "--port", strconv.Itoa(t.port), "--http-port", strconv.Itoa(t.httpPort), "--namespace", t.namespace, "--log-level", "error",
	}
	if o.Headless {
		args = append(args, "--headless")
		t.uiPort = 0
	} else {
		args = append(args, "--ui-port", strconv.Itoa(t.uiPort))
	}
	if o.DBFile != "" {
		args = append(args, "--db-filename", o.DBFile)
	}
	config := dynamicConfig()
	maps.Copy(config, o.DynamicConfig)
	for _, key := range slices.Sorted(maps.Keys(config)) {
		args = append(args, "--dynamic-config-value", key+"="+config[key])
	}
	return args
}

// waitReady asks until the server knows the namespace: over HTTP, for Temporal's SDK would take
// everything that starts a server a minute more to compile.
func (t *Temporal) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 90*time.Second, errors.New("it did not answer within 90s"))
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := t.knowsNamespace(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-t.server.done:
			return fmt.Errorf("it ended by itself (%w): %s", t.server.err, t.server.tail)
		case <-ctx.Done():
			return fmt.Errorf("%w (%w): %s", context.Cause(ctx), err, t.server.tail)
		}
	}
}

func (t *Temporal) knowsNamespace(ctx context.Context) error {
	at := url.URL{
		Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(t.httpPort)),
		Path: "/api/v1/namespaces/" + t.namespace + "/workflow-count", RawPath: "/api/v1/namespaces/" + url.PathEscape(t.namespace) + "/workflow-count",
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", answer.Status)
	}
	return nil
}

// Address is where clients and workers connect, host:port.
func (t *Temporal) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(t.port)) }

// Namespace is the one that was asked for.
func (t *Temporal) Namespace() string { return t.namespace }

// UIAddress is the web UI's URL, empty without one.
func (t *Temporal) UIAddress() string {
	if t.uiPort == 0 {
		return ""
	}
	return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(t.uiPort))
}

// Stop ends the server and waits until it is gone. It may be called again. Past
// the context, or 20 s, the server is killed, and the error says so.
func (t *Temporal) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := t.server.Stop(ctx); err != nil {
		return fmt.Errorf("stop Temporal on port %d: %w", t.port, err)
	}
	return nil
}

// PID is the server's process id.
func (t *Temporal) PID() int { return t.server.PID() }

// Done is closed when the server has ended, asked or not.
func (t *Temporal) Done() <-chan struct{} { return t.server.Done() }
