package rows

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"workflow-worker/migrations/database"
)

// DB is where the rows are, and how long one exchange with it may take.
type DB struct {
	*database.Pool
	Timeout time.Duration
}

// Within bounds one exchange.
func (db DB) Within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, db.Timeout)
}

// ProjectGone says whether a statement failed because a row that it refers to, which
// is the project's, is gone.
func ProjectGone(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23503"
}

func nullText(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
