package migrations

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// unreachablePause is how long RunUntilDone waits for a database that can't be reached.
const unreachablePause = 2 * time.Second

// tellEvery is the least time between two lines about the same trouble.
const tellEvery = time.Minute

// RunUntilDone is Run, and waits for a database that can't be reached. What the database refuses
// is final: only its owner can help. Once ctx has ended, its cause is the error.
func RunUntilDone(ctx context.Context, databaseURL string, log *slog.Logger) error {
	return untilAnswered(ctx, log, "the database can't be migrated yet", func() error { return Run(ctx, databaseURL, log) })
}

// CheckUntilAnswered is Check, and waits like RunUntilDone.
func CheckUntilAnswered(ctx context.Context, databaseURL string, log *slog.Logger) (s State, err error) {
	err = untilAnswered(ctx, log, "the database's schema can't be looked at yet", func() (err error) {
		s, err = Check(ctx, databaseURL)
		return err
	})
	return s, err
}

func untilAnswered(ctx context.Context, log *slog.Logger, fails string, f func() error) error {
	var told string
	var at time.Time
	for {
		err := f()
		var refused *pgconn.PgError
		var preflight *PreflightError
		var pending *PendingError
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil: // what it says is how it was cut off
			return context.Cause(ctx)
		case errors.As(err, &preflight), errors.As(err, &pending), errors.As(err, &refused) && !temporary(refused):
			return err
		}
		if text := err.Error(); text != told || time.Since(at) >= tellEvery {
			log.Warn(fails, "error", text, "retry_in_ms", unreachablePause.Milliseconds())
			told, at = text, time.Now()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(unreachablePause):
		}
	}
}

// temporary tells errors that pass: classes 08 (connection), 53 (resources), 57 (the operator's
// doing), 40 (conflicts), 55P03.
func temporary(e *pgconn.PgError) bool {
	switch e.Code[:2] {
	case "08", "53", "57", "40", "55":
		return true
	}
	return false
}
