package database

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestADeadlockIsTriedAgainInPlace(t *testing.T) {
	t.Parallel()
	calls := 0
	err := retried(t.Context(), func() error {
		if calls++; calls < 3 {
			return fmt.Errorf("write: %w", &pgconn.PgError{Code: "40P01"})
		}
		return nil
	})
	if err != nil || calls != 3 {
		t.Errorf("%d calls, %v", calls, err)
	}
	calls = 0
	err = retried(t.Context(), func() error { calls++; return &pgconn.PgError{Code: "40001"} })
	if err == nil || calls != attempts {
		t.Errorf("%d calls, %v", calls, err)
	}
}
