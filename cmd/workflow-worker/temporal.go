package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	temporalenv "go.temporal.io/sdk/contrib/envconfig"

	"workflow-worker/runtime"
	"workflow-worker/runtime/workflow/wire"
)

// temporalClient is the connection that all workers share, and the namespace that it is for.
type temporalClient struct {
	client.Client
	namespace string
}

// dialTemporal makes the connection that all workers share. It doesn't wait for the server: what
// needs it fails and is tried again.
func (s settings) dialTemporal(handler client.MetricsHandler, log *slog.Logger) (temporalClient, *wire.Tasks, error) {
	o, err := s.temporalOptions()
	if err != nil {
		return temporalClient{}, nil, exits(exitSettings, fmt.Errorf("Temporal's settings (TEMPORAL_…): %w", err))
	}
	o.MetricsHandler = handler
	o.Logger = runtime.Logger(log)
	// The SDK compresses each request by default, and the server then its answers: a third of the
	// CPU of a small workflow, for messages of some hundred bytes.
	o.ConnectionOptions.GrpcCompression = &client.GrpcCompressionNone{}
	o, tasks := runtime.ClientOptions(o)
	c, err := client.NewLazyClient(o)
	if err != nil {
		return temporalClient{}, nil, fmt.Errorf("prepare the connection to Temporal: %w", err)
	}
	if o.Namespace == "" {
		o.Namespace = client.DefaultNamespace
	}
	return temporalClient{c, o.Namespace}, tasks, nil
}

// temporalOptions are what Temporal's own variables and its configuration file say.
func (s settings) temporalOptions() (client.Options, error) {
	profile, err := temporalenv.LoadClientConfigProfile(temporalenv.LoadClientConfigProfileOptions{EnvLookup: s.environment})
	if err != nil {
		return client.Options{}, err
	}
	o, err := profile.ToClientOptions(temporalenv.ToClientOptionsRequest{})
	if err != nil {
		return o, err
	}
	if path, ok := s.environment.Lookup("TEMPORAL_API_KEY" + fileSuffix); ok {
		o.Credentials = client.NewAPIKeyDynamicCredentials((&rotating{path: path}).get)
	}
	// What is at the paths may be replaced: each connection begins with what is there then.
	if t := profile.TLS; t != nil && o.ConnectionOptions.TLS != nil && t.ClientCertPath != "" {
		o.ConnectionOptions.TLS.Certificates = nil
		o.ConnectionOptions.TLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(t.ClientCertPath, t.ClientKeyPath)
			if err != nil {
				return nil, fmt.Errorf("read the client certificate for Temporal: %w", err)
			}
			return &pair, nil
		}
	}
	return o, nil
}

// rotating is a secret in a file that somebody replaces from time to time.
type rotating struct {
	path string

	mu     sync.Mutex // guards what follows
	secret string
	read   time.Time
}

// rotatingFor is how long a secret counts that was read: it is asked for with every call.
const rotatingFor = time.Second

func (r *rotating) get(context.Context) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.secret != "" && time.Since(r.read) < rotatingFor {
		return r.secret, nil
	}
	now, err := readSecret(r.path)
	switch {
	case err == nil:
		r.secret, r.read = now, time.Now()
	case r.secret == "":
		return "", err
	}
	return r.secret, nil // the former one, while the file is being replaced
}
