package stacktest

import (
	"context"
	"os"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"workflow-worker/docker/stack"
)

// TemporalAddress is the shared Temporal server's; tests use its namespace "default".
func TemporalAddress(t testing.TB) string {
	t.Helper()
	if address := os.Getenv(EnvTemporalAddress); address != "" {
		return address
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.temporal == nil {
		shared.mustRun(t)
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		temporal, err := stack.StartTemporal(ctx, stack.TemporalOptions{Headless: true, Progress: os.Stderr})
		if err != nil {
			t.Fatal(err)
		}
		shared.temporal = temporal
	}
	return shared.temporal.Address()
}

// TemporalClient is a connection to the shared server, closed when the test ends.
func TemporalClient(t testing.TB) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: TemporalAddress(t), Logger: log.NewStructuredLogger(Logger(t))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Temporal starts a server of the test's own, for tests that stop it. It is
// stopped when the test ends.
func Temporal(t testing.TB, o stack.TemporalOptions) *stack.Temporal {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	o.Headless = true
	server, err := stack.StartTemporal(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return server
}
