package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	temporalenv "go.temporal.io/sdk/contrib/envconfig"

	"workflow-worker/metrics"
	"workflow-worker/runtime"
	"workflow-worker/runtime/encryption"
	"workflow-worker/runtime/logkey"
	"workflow-worker/runtime/workflow/wire"
)

// temporalClient is the connection that all workers share, and the namespace that it is for.
type temporalClient struct {
	client.Client
	namespace string
	codec     *encryption.Connection // what encrypts payloads; nil if nothing does
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
	if o.Namespace == "" {
		o.Namespace = client.DefaultNamespace
	}
	codec, err := s.encryption(o.Namespace, tasks, log)
	if err != nil {
		return temporalClient{}, nil, err
	}
	if codec != nil {
		o = codec.ClientOptions(o)
	}
	c, err := client.NewLazyClient(o)
	if err != nil {
		return temporalClient{}, nil, fmt.Errorf("prepare the connection to Temporal: %w", err)
	}
	return temporalClient{c, o.Namespace, codec}, tasks, nil
}

// encryption is what encrypts payloads; nil if nothing does.
func (s settings) encryption(namespace string, tasks *wire.Tasks, log *slog.Logger) (*encryption.Connection, error) {
	var codec encryption.Codec
	switch {
	case s.PayloadKeys != "":
		read := func() (string, error) { return s.PayloadKeys, nil }
		if path, ok := s.fileOf("PAYLOAD_ENCRYPTION_KEYS"); ok {
			read = func() (string, error) { return s.readSecret(path) }
		}
		keys, err := encryption.NewKeys(read, log)
		if err != nil {
			return nil, exits(exitSettings, fmt.Errorf("PAYLOAD_ENCRYPTION_KEYS: %w", err))
		}
		codec = keys
	case s.PayloadCodec != "":
		remote := &encryption.Remote{Endpoint: s.PayloadCodec, Namespace: namespace}
		if path, ok := s.fileOf("PAYLOAD_CODEC_AUTH"); ok {
			secret := &rotating{path: path, from: s.readSecret}
			remote.Authorization = func() (string, error) { return secret.get(context.Background()) }
		} else if s.PayloadCodecAuth != "" {
			remote.Authorization = func() (string, error) { return s.PayloadCodecAuth, nil }
		}
		codec = remote
	default:
		return nil, nil
	}
	return encryption.New(encryption.Config{State: encryption.NewState(codec), Failures: s.PayloadFailures, Tasks: tasks}), nil
}

// decrypt makes a history of a file readable.
func (s settings) decrypt(ctx context.Context, h *historypb.History) error {
	namespace, ok := s.environment.Lookup("TEMPORAL_NAMESPACE")
	if !ok {
		namespace = client.DefaultNamespace
	}
	c, err := s.encryption(namespace, nil, slog.New(slog.DiscardHandler))
	if err != nil || c == nil {
		return err
	}
	return c.History(ctx, h)
}

// watchCodec tells health and the log whether payloads can be encrypted and decrypted, until ctx
// ends.
func watchCodec(ctx context.Context, c *encryption.Connection, m *metrics.Metrics, log *slog.Logger) {
	if c == nil {
		return
	}
	const pause = 5 * time.Second
	for fails := false; ; {
		err := c.Check(ctx)
		m.Trouble(metrics.PayloadTrouble, true, err)
		switch {
		case err != nil && !fails:
			log.Error(metrics.PayloadTrouble, slog.String(logkey.ID, "service.payloads_cant_be_encrypted_or_decrypted"), slog.String(logkey.Error, err.Error()))
		case err == nil && fails:
			log.Info("payloads can be encrypted and decrypted again")
		}
		fails = err != nil
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// temporalOptions are what Temporal's own variables and its configuration file say.
func (s settings) temporalOptions() (client.Options, error) {
	profile, err := s.temporalProfile()
	if err != nil {
		return client.Options{}, err
	}
	o, err := profile.ToClientOptions(temporalenv.ToClientOptionsRequest{})
	if err != nil {
		return o, err
	}
	if path, ok := s.fileOf("TEMPORAL_API_KEY"); ok {
		o.Credentials = client.NewAPIKeyDynamicCredentials((&rotating{path: path, from: s.readSecret}).get)
	}
	// What is at the paths may be replaced: each connection begins with what is there then.
	if cert, key := s.temporalCertificate(profile); o.ConnectionOptions.TLS != nil && cert != "" {
		o.ConnectionOptions.TLS.Certificates = nil
		o.ConnectionOptions.TLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			certText, err := s.readFile(cert)
			if err != nil {
				return nil, fmt.Errorf("read the client certificate for Temporal: %w", err)
			}
			keyText, err := s.readFile(key)
			if err != nil {
				return nil, fmt.Errorf("read the client certificate's key for Temporal: %w", err)
			}
			pair, err := tls.X509KeyPair(certText, keyText)
			if err != nil {
				return nil, fmt.Errorf("read the client certificate for Temporal: %w", err)
			}
			return &pair, nil
		}
	}
	return o, nil
}

// temporalProfile is what says how Temporal is reached: in a cell, what its parent handed over.
func (s settings) temporalProfile() (p temporalenv.ClientConfigProfile, err error) {
	if text, handed := s.handed[handedProfile]; handed {
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			return p, fmt.Errorf("read what the service handed over: %w", err)
		}
		return p, nil
	}
	return temporalenv.LoadClientConfigProfile(temporalenv.LoadClientConfigProfileOptions{EnvLookup: s.environment})
}

// temporalCertificate gives the files of the client certificate and its key; "" if there are none.
func (s settings) temporalCertificate(p temporalenv.ClientConfigProfile) (cert, key string) {
	if s.handed != nil {
		return s.handed[handedCertificate], s.handed[handedKey]
	}
	if p.TLS == nil {
		return "", ""
	}
	return p.TLS.ClientCertPath, p.TLS.ClientKeyPath
}

// rotating is a secret in a file that somebody replaces from time to time.
type rotating struct {
	path string
	from func(path string) (string, error)

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
	now, err := r.from(r.path)
	switch {
	case err == nil:
		r.secret, r.read = now, time.Now()
	case r.secret == "":
		return "", err
	}
	return r.secret, nil // the former one, while the file is being replaced
}
