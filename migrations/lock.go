package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// lockKey names the advisory lock; advisory locks are per database. The number is
// arbitrary, but older and newer versions of the service have to agree on it.
const lockKey int64 = 0x776f726b666c6f77 // "workflow"

// lockPause lies between two tries of who waits for the lock.
const lockPause = 250 * time.Millisecond

// locked runs f while no other process of ours runs one on this database.
//
// The lock belongs to a transaction that stays open on a connection of its own:
// through a pooler in transaction mode a session's lock would end up with whoever
// gets the server connection next. An open transaction without a snapshot holds
// nothing else up.
//
// Who waits holds no connection meanwhile: in a small pool, those who wait would
// leave none for the one that works (seen with PgBouncer).
func (d *target) locked(ctx context.Context, f func(context.Context) error) error {
	for try := 1; ; try++ {
		ran, err := d.tryLocked(ctx, f)
		if ran || err != nil {
			return err
		}
		if try == 1 {
			d.log.Info("migrations: another process is at it, waiting")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("migrations: wait for the other process: %w", context.Cause(ctx))
		case <-time.After(lockPause):
		}
	}
}

// tryLocked runs f if the lock is free, and says whether it was.
func (d *target) tryLocked(ctx context.Context, f func(context.Context) error) (ran bool, err error) {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return false, fmt.Errorf("migrations: connect: %w", err)
	}
	defer func() {
		// Ends the lock. There is nothing to commit.
		if e := tx.Rollback(); e != nil && !errors.Is(e, sql.ErrTxDone) {
			d.log.Warn("migrations: release lock", "error", e)
		}
	}()
	var free bool
	if err := tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock($1)`, lockKey).Scan(&free); err != nil {
		return false, fmt.Errorf("migrations: lock: %w", err)
	}
	if !free {
		return false, nil
	}
	// The server must not end the transaction for being idle or old.
	// (transaction_timeout exists since PostgreSQL 17.)
	const patience = `
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')`
	if _, err := tx.ExecContext(ctx, patience); err != nil {
		return false, fmt.Errorf("migrations: lock: %w", err)
	}
	return true, f(ctx)
}
