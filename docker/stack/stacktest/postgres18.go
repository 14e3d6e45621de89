package stacktest

import (
	"context"
	"os"
	"testing"

	"workflow-worker/docker/stack"
)

// Postgres18 starts a server of PostgreSQL 18 as [Postgres] starts this machine's own.
// A machine where npm can't fetch it skips the test.
func Postgres18(t testing.TB, o stack.PostgresOptions) *stack.Postgres {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	bin, err := stack.Postgres18(ctx, os.Stderr)
	if err != nil {
		t.Skipf("no PostgreSQL 18 to be had: %v", err)
	}
	o.Binaries = bin
	return Postgres(t, o)
}
