package database

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// attempts is how often a statement is tried that the server asks to try again.
const attempts = 5

// again says whether the server asks for another try: serialization_failure, and
// deadlock_detected.
func again(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

// retried runs f until it doesn't fail in a way that another try may mend.
func retried(ctx context.Context, f func() error) error {
	for try := 1; ; try++ {
		err := f()
		if err == nil || try == attempts || !again(err) {
			return err
		}
		most := 5 * time.Millisecond << try // whoever was in the way has to be gone by then
		select {
		case <-ctx.Done():
			return err
		case <-time.After(most/2 + rand.N(most/2)):
		}
	}
}

// Exec runs one statement.
func (p *Pool) Exec(ctx context.Context, sql string, args ...any) (tag pgconn.CommandTag, err error) {
	err = retried(ctx, func() (err error) {
		conn, err := p.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		if !p.pooled() {
			tag, err = conn.Exec(ctx, sql, args...)
			return err
		}
		b := &pgx.Batch{}
		b.Queue(sql, args...).Exec(func(t pgconn.CommandTag) error {
			tag = t
			return nil
		})
		return send(ctx, conn, b)
	})
	return tag, err
}

// SendBatch runs the statements of a batch in one transaction and gives their results
// to the functions that were queued with them.
func (p *Pool) SendBatch(ctx context.Context, b *pgx.Batch) error {
	once := func() error {
		conn, err := p.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		if !p.pooled() {
			return conn.SendBatch(ctx, b).Close()
		}
		return send(ctx, conn, b)
	}
	for _, q := range b.QueuedQueries {
		if q.Fn != nil {
			return once() // it may have had results already
		}
	}
	return retried(ctx, once)
}

// framed is a batch in a transaction of ours.
func framed(b *pgx.Batch) *pgx.Batch {
	f := &pgx.Batch{}
	f.Queue(beginSQL)
	f.Queue(localSettings)
	f.QueuedQueries = append(f.QueuedQueries, b.QueuedQueries...)
	f.Queue("COMMIT")
	return f
}

func send(ctx context.Context, conn *pgxpool.Conn, b *pgx.Batch) error {
	return tidy(ctx, conn, conn.SendBatch(ctx, framed(b)).Close())
}

// tidy ends a transaction that a failure left open, so that the connection can be
// used again: its COMMIT wasn't reached.
func tidy(ctx context.Context, conn *pgxpool.Conn, err error) error {
	if err != nil && conn.Conn().PgConn().TxStatus() == 'E' {
		_, _ = conn.Exec(ctx, "ROLLBACK") // else it is closed when it is given back
	}
	return err
}

// Query runs one statement that returns rows. They have to be read to their end, or
// closed.
func (p *Pool) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	r := &rows{ctx: ctx, conn: conn}
	if !p.pooled() {
		r.Rows, err = conn.Query(ctx, sql, args...)
	} else {
		b := &pgx.Batch{}
		b.Queue(sql, args...)
		r.results = conn.SendBatch(ctx, framed(b))
		for range 2 { // the beginning, and the settings
			if _, err := r.results.Exec(); err != nil {
				r.finish()
				return nil, err
			}
		}
		r.Rows, err = r.results.Query()
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// rows are the rows of a statement. With them ends what it took: the transaction of
// ours that it is in, and its hold on a connection.
type rows struct {
	pgx.Rows
	ctx     context.Context  // of the statement
	conn    *pgxpool.Conn    // nil once all is over
	results pgx.BatchResults // nil without a transaction of ours
	err     error            // of the transaction's end
}

// Next implements pgx.Rows.
func (r *rows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.finish()
	return false
}

// Close implements pgx.Rows.
func (r *rows) Close() {
	r.Rows.Close()
	r.finish()
}

// Err implements pgx.Rows.
func (r *rows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return err
	}
	return r.err
}

func (r *rows) finish() {
	if r.conn == nil {
		return
	}
	if r.results != nil {
		r.err = tidy(r.ctx, r.conn, r.results.Close())
	}
	r.conn.Release()
	r.conn = nil
}

// QueryRow runs one statement and gives its first row.
func (p *Pool) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	found, err := p.Query(ctx, sql, args...)
	return row{found, err}
}

type row struct {
	rows pgx.Rows
	err  error
}

// Scan implements pgx.Row.
func (r row) Scan(into ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(into...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}
