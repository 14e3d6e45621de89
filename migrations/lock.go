package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// lockKey names the advisory lock; advisory locks are per database. The number is
// arbitrary, but older and newer versions of the service have to agree on it.
const lockKey int64 = 0x776f726b666c6f77 // "workflow"

// locked runs f while no other process of ours runs one on this database.
//
// The lock belongs to a transaction that stays open on a connection of its own:
// through a pooler in transaction mode a session's lock would end up with whoever
// gets the server connection next. An open transaction without a snapshot holds
// nothing else up.
func (d *database) locked(ctx context.Context, f func(context.Context) error) (err error) {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("migrations: connect: %w", err)
	}
	defer func() {
		// Ends the lock. There is nothing to commit.
		if e := tx.Rollback(); e != nil && !errors.Is(e, sql.ErrTxDone) {
			d.log.Warn("migrations: release lock", "error", e)
		}
	}()
	// The server must not end an idle or waiting transaction for its age.
	// (transaction_timeout exists since PostgreSQL 17.)
	const patience = `
SELECT set_config(name, '0', true) FROM pg_settings
WHERE name IN ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`
	if _, err := tx.ExecContext(ctx, patience); err != nil {
		return fmt.Errorf("migrations: lock: %w", err)
	}
	var mine bool
	if err := tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock($1)`, lockKey).Scan(&mine); err != nil {
		return fmt.Errorf("migrations: lock: %w", err)
	}
	if !mine {
		d.log.Info("migrations: another process is at it, waiting")
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, lockKey); err != nil {
			return fmt.Errorf("migrations: wait for the other process: %w", err)
		}
	}
	return f(ctx)
}
